// Package interop is a second witness: real MQTT clients that others wrote, against the real
// binary with its default components. It has no code of its own but tests.
package interop
