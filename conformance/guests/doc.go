// Package guests judges whether a built component answers in the engine as its source does: it
// runs the golden cases of every default component on the .wasm that is committed. It speaks the
// canonical ABI itself, from wit/README.md, so that a mistake of the host's own linker and one of
// the guest SDK cannot hide each other.
package guests
