// Package component judges which components our decoder takes. It knows the cases, *.wast, which
// are written by the specification of the Component Model: a component that stands alone is valid,
// those in assertions are not. It knows the binaries of them, which wasm-tools made
// (tools/component-cases.sh), with what wasm-tools itself says of each, and nothing of what our
// decoder does with them.
package component
