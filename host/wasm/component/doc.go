// Package component knows the binary format of the Component Model (layer 1) and its rules: Decode
// reads a component into definitions, and refuses what is not valid. It runs nothing and knows no
// engine, no host, and no contract.
//
// Decode walks the definitions twice: reader and decode*.go make them of bytes, checker and
// check*.go validate them in the order of the binary with all index spaces (space, entity).
// Validation knows items by their types only. Three notions carry it:
//
//   - A resource type is a pointer; who it belongs to (binder) tells which resources change with
//     each instance of a type or component. subst replaces them, and what was given for imports.
//   - Types are compared by structure (matcher); resources that the expected type leaves open are
//     bound by the first that stands for them.
//   - A type has names: under which import or export it is meant. They matter for what may be
//     referred to from outside (side), and are kept as identities of *Type and as aliases of
//     resources.
//
// Code within core modules is not validated here, only what imports and exports depend on: the
// engine that compiles a module does the rest.
//
// A component is hostile input. Vectors are never longer than the bytes that are left, items and
// nesting are counted, and types, which are small as a graph and may be huge as trees, are bounded
// by their size as trees and by steps of work.
package component
