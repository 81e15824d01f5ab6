package section

import (
	"bytes"
	"errors"
	"testing"
)

// adder is a module with a type section and nothing else.
var adder = []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00")

func TestCustomSections(t *testing.T) {
	custom := func(code []byte, name string) string {
		t.Helper()
		got, err := Custom(code, name)
		if err != nil {
			t.Error(err)
		}
		return string(got)
	}
	if got, err := Custom(adder, "x"); got != nil || err != nil {
		t.Errorf("no section, and %q, %v", got, err)
	}
	one := WithCustom(adder, "x", []byte("first"))
	two := WithCustom(one, "y", bytes.Repeat([]byte("long"), 100))
	three := WithCustom(two, "x", []byte("second"))
	if custom(two, "x") != "first" || custom(three, "x") != "second" ||
		len(custom(three, "y")) != 400 {
		t.Errorf("got %q, %q", custom(two, "x"), custom(three, "x"))
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

// TestNamesStayWithoutDWARF: what debuggers want is far larger.
func TestNamesStayWithoutDWARF(t *testing.T) {
	code := WithCustom([]byte("\x00asm\x01\x00\x00\x00"), "name", []byte("f"))
	full := WithCustom(WithCustom(code, ".debug_info", []byte("x")), ".debug_line", []byte("y"))
	if got := WithoutDWARF(full); !bytes.Equal(got, code) {
		t.Errorf("%q", got)
	}
	if got := WithoutDWARF([]byte("no")); string(got) != "no" {
		t.Errorf("%q", got)
	}
}

func TestTwoSectionsOfANameAreNone(t *testing.T) {
	one := WithCustom(adder, "x", nil) // empty, and there
	twice := append(one, WithCustom(adder[:headerBytes], "x", []byte("second"))[headerBytes:]...)
	if got, err := Custom(twice, "x"); got != nil || !errors.Is(err, ErrTwice) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := Custom(WithCustom(twice, "x", []byte("one")), "x"); string(got) != "one" {
		t.Errorf("got %q, %v", got, err)
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
		got, err := Custom(made, name)
		if whole && len(code) >= headerBytes && (err != nil || !bytes.Equal(got, data)) {
			t.Errorf("got %q, want %q, %v", got, data, err)
		}
	})
}
