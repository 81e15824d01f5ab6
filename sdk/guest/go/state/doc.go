// Package state is the export hpmq:broker/state, which a component of any role may have beside it:
// what it has in its own memory goes to the version that takes its place.
package state

// Handler gives and takes a state.
type Handler interface {
	// ExportState says what is to outlive the guest, and changes nothing. It holds until the next
	// call. An error is a text for the operator, and refuses the swap.
	ExportState() ([]byte, error)
	// ImportState takes what a version with that schema in its manifest exported, beside what it
	// has itself; state is borrowed until return. An error refuses the swap.
	ImportState(schema uint32, state []byte) error
}
