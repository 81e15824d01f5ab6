// Package component knows the binary format of the Component Model (layer 1) and its rules: Decode
// reads a component into definitions, and refuses what is not valid. It runs nothing and knows no
// engine, no host, and no contract.
package component
