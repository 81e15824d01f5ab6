package component

import (
	"errors"
	"strings"
	"testing"
)

const head = "\x00asm\x0d\x00\x01\x00"

// TestDecodeBytes feeds bytes that no text stands for.
func TestDecodeBytes(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"empty file", "", "unexpected end"},
		{"core module", "\x00asm\x01\x00\x00\x00", "only 0d 00 01 00 is known"},
		{"other magic", "\x01asm\x0d\x00\x01\x00", "does not begin"},
		{"cut header", head[:7], "unexpected end"},
		{"unknown section", head + "\x0d\x00", "section 13 is not known"},
		{"start section", head + "\x09\x00", "start function"},
		{"value section", head + "\x0c\x00", "value definitions"},
		{"section beyond the end", head + "\x07\x05\x00", "unexpected end"},
		{"section with a rest", head + "\x07\x02\x00\x7f", "1 bytes too many"},
		{"size of 6 bytes", head + "\x07\x80\x80\x80\x80\x80\x00", "does not fit 32 bits"},
		{"size above 32 bits", head + "\x07\x81\x80\x80\x80\x10\x00", "does not fit 32 bits"},
		{"zero padded size", head + "\x07\x81\x80\x80\x80\x00\x00", ""},
		{"more types than bytes", head + "\x07\x03\x7f\x7f\x7f", "unexpected end"},
		{"opcode", head + "\x07\x02\x01\x3e", "0x3e begins no type"},
		{"negative type index", head + "\x07\x04\x01\x70\xff\x7f", "type index out of range"},
		{"type index of 33 bits", head + "\x07\x07\x01\x70\x80\x80\x80\x80\x10", "out of range"},
		{"type index of 6 bytes", head + "\x07\x08\x01\x70\x80\x80\x80\x80\x80\x00", "33 bits"},
		{"optional that is 2", head + "\x07\x03\x01\x6a\x02", "0x02 is neither 0 nor 1"},
		{"end of a case", head + "\x07\x07\x01\x71\x01\x01a\x00\x01", "end of a variant's case"},
		{"rep of a resource", head + "\x07\x04\x01\x3f\x7d\x00", "0x7d is no representation"},
		{"rep of 64 bits", head + "\x07\x04\x01\x3f\x7e\x00", "memory64"},
		{"named results", head + "\x07\x05\x01\x40\x00\x01\x01", "number of named results"},
		{"result", head + "\x07\x04\x01\x40\x00\x02", "0x02 begins no result"},
		{"declaration", head + "\x07\x04\x01\x41\x01\x05", "0x05 begins no declaration"},
		{"import of an instance", head + "\x07\x08\x01\x42\x01\x03\x00\x01a\x00", "0x03 begins"},
		{"module declaration", head + "\x03\x04\x01\x50\x01\x04", "0x04 begins no declaration"},
		{"core sort", head + "\x06\x03\x01\x00\x05", "0x05 is no core sort"},
		{"sort", head + "\x06\x02\x01\x06", "0x06 is no sort"},
		{"alias target", head + "\x06\x03\x01\x03\x03", "0x03 is no target"},
		{"outer alias of a func", head + "\x06\x05\x01\x01\x02\x00\x00", "outer alias of func"},
		{"core instance", head + "\x02\x02\x01\x02", "0x02 begins no core instance"},
		{"core argument", head + "\x02\x07\x01\x00\x00\x01\x01a\x00", "sort of a core"},
		{"instance", head + "\x05\x02\x01\x02", "0x02 begins no instance"},
		{"canon", head + "\x08\x02\x01\x2f", "0x2f is no canonical definition"},
		{"canon threads", head + "\x08\x02\x01\x41", "build without threads"},
		{"canon option", head + "\x08\x06\x01\x01\x00\x00\x01\x0a", "0x0a is no canonical option"},
		{"canon gc", head + "\x08\x06\x01\x01\x00\x00\x01\x09", "gc"},
		{"sort of a lift", head + "\x08\x06\x01\x00\x01\x00\x00\x00", "sort of a lift"},
		{"name kind", head + "\x0a\x05\x01\x03\x01a\x01", "0x03 begins no name"},
		{"name kind 1", head + "\x07\x05\x01\x40\x00\x01\x00\x0a\x06\x01\x01\x01a\x01\x00", ""},
		{"attribute", head + "\x0a\x06\x01\x02\x01a\x01\x03\x01", "attribute 0x03"},
		{"version suffix", head + "\x0a\x08\x01\x02\x01a\x01\x01\x01b", "versionsuffix"},
		{"two attributes", head + "\x0a\x0a\x01\x02\x01a\x02\x02\x01x\x02\x01", "there twice"},
		{"name that is not UTF-8", head + "\x0a\x05\x01\x00\x02\xff\xfe", "not valid UTF-8"},
		{"name beyond the end", head + "\x0a\x04\x01\x00\x7fa", "unexpected end"},
		{"kind of an import", head + "\x0a\x06\x01\x00\x01a\x06\x00", "0x06 is no kind"},
		{"bound", head + "\x0a\x06\x01\x00\x01a\x03\x02", "0x02 is no bound"},
		{"order in a core module", head + "\x01\x0e\x00asm\x01\x00\x00\x00\x0b\x01\x00\x01\x01\x00",
			"out of order"},
		{"component as core module", head + "\x01\x08" + head, "only 01 00 00 00 is known"},
		{"nested version", head + "\x04\x08\x00asm\x0c\x00\x01\x00", "only 0d 00 01 00"},
	} {
		_, err := Decode([]byte(c.code), DefaultLimits())
		switch {
		case err == nil && c.want != "":
			t.Errorf("%s: accepted; want %q", c.name, c.want)
		case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func TestDecodeCustoms(t *testing.T) {
	inner := "\x04\x0e" + head + "\x00\x04\x02in!"
	code := head + "\x00\x05\x02hi\xff\xfe" + inner + "\x00\x02\x01x"
	c, err := Decode([]byte(code), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Customs) != 2 || c.Customs[0].Name != "hi" || c.Customs[1].Name != "x" ||
		string(c.Customs[0].Data) != "\xff\xfe" || len(c.Customs[1].Data) != 0 {
		t.Errorf("%q", c.Customs)
	}
}

func TestNotServed(t *testing.T) {
	_, err := Decode([]byte(head+"\x07\x03\x01\x66\x00"), DefaultLimits())
	if !errors.Is(err, ErrNotServed) {
		t.Errorf("%v is not ErrNotServed", err)
	}
	_, err = Decode([]byte(head+"\x07\x02\x01\x3e"), DefaultLimits())
	if errors.Is(err, ErrNotServed) {
		t.Errorf("%v is ErrNotServed", err)
	}
}

func TestIsComponent(t *testing.T) {
	for code, want := range map[string]bool{
		head: true, "\x00asm\x0e\x00\x01\x00": true, "\x00asm\x01\x00\x00\x00": false, "": false,
		head[:7]: false,
	} {
		if IsComponent([]byte(code)) != want {
			t.Errorf("IsComponent(%q) = %v", code, !want)
		}
	}
}

// TestModel decodes one of each definition.
func TestModel(t *testing.T) {
	kinds := map[string]int{}
	var walk func(c *Component)
	walk = func(c *Component) {
		for _, d := range c.Defs {
			kinds[strings.SplitN(describeDef(d), " \"", 2)[0]]++
			if n, ok := d.(*DefComponent); ok {
				walk(n.Component)
			}
			if m, ok := d.(*DefCoreModule); ok && m.Type == nil {
				t.Error("a core module without its type")
			}
		}
	}
	for _, c := range cases(t) {
		if c.want != "" {
			continue
		}
		got, err := Decode(c.code, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		walk(got)
	}
	for _, k := range []string{
		"core module", "core instance", "core type", "component", "instance", "type", "import",
		"export", "alias of core func", "alias of component", "alias of core module",
		"alias of core type", "alias of type", "canon lift", "canon lower", "canon resource.new",
		"canon resource.drop", "canon resource.rep",
	} {
		if kinds[k] == 0 {
			t.Errorf("no %s in %v", k, kinds)
		}
	}
}
