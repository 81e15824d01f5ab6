// Package interop is a second witness: real MQTT clients that others wrote, against the real
// binary with its default components. README.md says which, and what they do. It has no code of its
// own but tests.
package interop
