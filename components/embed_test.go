package components

import (
	"bytes"
	"os"
	"testing"
)

func TestWhatIsEmbeddedIsWhatWasBuilt(t *testing.T) {
	for _, name := range append(Names(), Further()...) {
		built, err := os.ReadFile(name + "/" + name + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		code, ok := Default(name)
		if !ok || !bytes.Equal(code, built) {
			t.Errorf("%s.wasm.pack is not of the .wasm beside it: run tools/components.sh", name)
		}
	}
	if _, ok := Default("no-such"); ok {
		t.Error("a component that is not there")
	}
}
