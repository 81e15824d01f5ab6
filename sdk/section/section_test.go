package section

import (
	"bytes"
	"testing"
)

// adder is a module with a type section and nothing else.
var adder = []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00")

func TestCustomSections(t *testing.T) {
	if got := Custom(adder, "x"); got != nil {
		t.Errorf("no section, and %q", got)
	}
	one := WithCustom(adder, "x", []byte("first"))
	two := WithCustom(one, "y", bytes.Repeat([]byte("long"), 100))
	three := WithCustom(two, "x", []byte("second"))
	if string(Custom(two, "x")) != "first" || string(Custom(three, "x")) != "second" ||
		len(Custom(three, "y")) != 400 {
		t.Errorf("got %q, %q", Custom(two, "x"), Custom(three, "x"))
	}
	if SaysWorld(three) || !SaysWorld(WithCustom(three, "component-type:wit-bindgen", nil)) {
		t.Error("who says its world is not known by its section")
	}
	if bytes.Contains(three, []byte("first")) || !bytes.HasPrefix(three, adder) {
		t.Error("what was replaced is still there, or the module is not")
	}
	if again := WithCustom(three, "x", []byte("second")); !bytes.Equal(again, three) {
		t.Error("the same section again is another module")
	}
}

func FuzzCustom(f *testing.F) {
	f.Add(adder, "x", []byte("data"))
	f.Add(WithCustom(adder, "x", []byte("d")), "x", []byte{})
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x00\xff\xff\xff\xff\x0f"), "", []byte("1"))
	f.Fuzz(func(t *testing.T, code []byte, name string, data []byte) {
		whole := true
		rest := code[min(headerBytes, len(code)):]
		for len(rest) > 0 && whole {
			_, rest, whole = next(rest)
		}
		made := WithCustom(code, name, data)
		if got := Custom(made, name); whole && len(code) >= headerBytes && !bytes.Equal(got, data) {
			t.Errorf("got %q, want %q", got, data)
		}
	})
}
