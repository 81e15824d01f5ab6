package preview1

import (
	"encoding/binary"
	"testing"
)

// The adapter shares the memory of the module that it is put beside: a memory, data, or a start
// function of its own would write where the module's things lie.
func TestTheAdapterOwnsNoMemory(t *testing.T) {
	const start, data, memory = 8, 11, 5
	seen := map[byte]bool{}
	for b := adapter[8:]; len(b) > 0; {
		size, n := binary.Uvarint(b[1:])
		seen[b[0]] = true
		b = b[1+n+int(size):]
	}
	for id, what := range map[byte]string{start: "a start", data: "data", memory: "a memory"} {
		if seen[id] {
			t.Errorf("the adapter has %s", what)
		}
	}
	if !seen[2] || !seen[10] {
		t.Error("the adapter has no imports or no code")
	}
}
