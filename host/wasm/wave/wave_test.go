package wave

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
)

func of(k component.Kind) *component.Type { return &component.Type{Kind: k} }

func ofAll(k component.Kind, elems ...*component.Type) *component.Type {
	return &component.Type{Kind: k, Elems: elems}
}

func labelled(k component.Kind, labels string, elems ...*component.Type) *component.Type {
	return &component.Type{Kind: k, Labels: strings.Fields(labels), Elems: elems}
}

func bits(b uint64) canon.Value          { return canon.Value{Bits: b} }
func text(s string) canon.Value          { return canon.Value{Text: s} }
func elems(v ...canon.Value) canon.Value { return canon.Value{Elems: v} }
func chosen(i uint64, v canon.Value) canon.Value {
	return canon.Value{Bits: i, Elems: []canon.Value{v}}
}

// types are what the tests speak of.
func types() map[string]*component.Type {
	str, u8 := of(component.String), of(component.U8)
	t := map[string]*component.Type{
		"bytes":   ofAll(component.List, u8),
		"strings": ofAll(component.List, str),
		"pair":    ofAll(component.Tuple, str, of(component.S64)),
		"perms":   labelled(component.Flags, "read write exec"),
		"status":  labelled(component.Enum, "ok not-found none"),
		"reply": labelled(component.Variant, "empty body err", nil, ofAll(component.List, u8),
			str),
		"maybe":   ofAll(component.Option, str),
		"perhaps": ofAll(component.Option, ofAll(component.Option, u8)),
		"done":    ofAll(component.Result, nil, nil),
		"failed":  ofAll(component.Result, nil, str),
		"parsed":  ofAll(component.Result, u8, str),
		"message": labelled(component.Record, "topic payload qos", str, ofAll(component.List, u8),
			ofAll(component.Option, u8)),
		"handle": {Kind: component.Own, Resource: &component.Resource{Name: "bucket"}},
		"chars":  ofAll(component.List, of(component.Char)),
	}
	for k := component.Bool; k <= component.String; k++ {
		t[k.String()] = of(k)
	}
	t["choice"] = ofAll(component.Option, t["status"])
	return t
}

func TestValuesAreWrittenAndRead(t *testing.T) {
	some := func(v canon.Value) canon.Value { return chosen(1, v) }
	all := types()
	for _, c := range []struct {
		typ   string
		value canon.Value
		want  string
		also  string // other texts of the value, by "|"
	}{
		{"bool", bits(1), "true", ""},
		{"bool", bits(0), "false", " false // no\n"},
		{"s8", bits(1<<64 - 128), "-128", ""},
		{"u64", bits(1<<64 - 1), "18446744073709551615", ""},
		{"f64", bits(math.Float64bits(6.022e23)), "6.022e+23", "6.022E23|6.022e23"},
		{"f64", bits(math.Float64bits(math.Inf(-1))), "-inf", ""},
		{"f64", bits(0x7ff8000000000000), "nan", ""},
		{"f32", bits(uint64(math.Float32bits(0.1))), "0.1", "1e-1"},
		{"f32", bits(0x7fc00000), "nan", ""},
		{"f32", bits(0x7f800000), "inf", ""},
		{"char", bits('\''), `'\''`, `'\u{27}'`},
		{"char", bits('é'), "'é'", `'\u{e9}'`},
		{"string", text("a\t\"b\"\\\n\x00é"),
			`"a\t\"b\"\\\n\u{0}é"`, `"a	\"b\"\\\n\u{0000}\u{E9}"`},
		{"bytes", text("\x01\xff"), "[1, 255]", "[1,255,]|[ 1 , 255 ] "},
		{"bytes", text(""), "[]", ""},
		{"strings", elems(text("a"), text("")), `["a", ""]`, ""},
		{"chars", text("a\x00\x00\x00"), "['a']", ""},
		{"pair", elems(text("abc"), bits(123)), `("abc", 123)`, `("abc",123,)`},
		{"perms", bits(5), "{read, exec}", "{exec,read,}|{%read, exec}"},
		{"perms", bits(0), "{}", ""},
		{"status", bits(0), "%ok", ""},
		{"status", bits(1), "not-found", "%not-found"},
		{"reply", bits(0), "empty", ""},
		{"reply", chosen(1, text("OK")), "body([79, 75])", ""},
		{"reply", chosen(2, text("oops")), `%err("oops")`, ""},
		{"maybe", bits(0), "none", ""},
		{"maybe", some(text("x")), `some("x")`, `"x"`},
		{"perhaps", some(bits(0)), "some(none)", ""},
		{"perhaps", some(some(bits(7))), "some(some(7))", "some(7)"},
		{"choice", bits(0), "none", ""},
		{"choice", some(bits(2)), "some(%none)", "%none"},
		{"done", bits(0), "ok", ""},
		{"done", bits(1), "err", ""},
		{"failed", chosen(1, text("no")), `err("no")`, ""},
		{"parsed", chosen(0, bits(9)), "ok(9)", "9"},
		{"message", elems(text("a/b"), text("\x01"), some(bits(2))),
			`{topic: "a/b", payload: [1], qos: some(2)}`, `{qos: 2, payload: [1,], topic: "a/b",}`},
		{"message", elems(text(""), text(""), bits(0)), `{topic: "", payload: [], qos: none}`,
			`{payload: [], topic: ""}`},
		{"handle", bits(7), "bucket(7)", ""},
	} {
		if got := string(Append(nil, all[c.typ], c.value)); got != c.want {
			t.Errorf("%s: written %s, want %s", c.typ, got, c.want)
		}
		for _, s := range strings.Split(c.want+"|"+c.also, "|") {
			got, err := Parse(all[c.typ], s)
			if s != "" && (err != nil || !reflect.DeepEqual(got, c.value)) {
				t.Errorf("%s: %s is read as %+v, %v; want %+v", c.typ, s, got, err, c.value)
			}
		}
	}
}

func TestARecordOfOptionsAloneMayBeEmpty(t *testing.T) {
	typ := labelled(component.Record, "a", ofAll(component.Option, of(component.U8)))
	if v, err := Parse(typ, "{:}"); err != nil || !reflect.DeepEqual(v, elems(bits(0))) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestWhatIsNoValueIsRefused(t *testing.T) {
	all := types()
	for _, c := range []struct{ typ, text, want string }{
		{"bool", "yes", "a bool must stand here"},
		{"u8", "256", "byte 0: a u8 must stand here, not \"256\""},
		{"u8", "-1", "a u8 must"},
		{"s8", "128", "a s8 must"},
		{"u8", "1 2", "byte 2: the end must stand here"},
		{"u8", "", "a u8 must"},
		{"f64", "0x1p4", "a f64 must"},
		{"f64", "infinity", "a f64 must"},
		{"f32", "1e99", "a f32 must"},
		{"char", "'ab'", "one character, not 2"},
		{"char", "''", "one character, not 0"},
		{"string", `"abc`, "not closed"},
		{"string", `"abc\`, "not closed"},
		{"string", `"\q"`, "no escape"},
		{"string", `"\u{d800}"`, "no escape"},
		{"string", `"\u{110000}"`, "no escape"},
		{"string", "\"a\nb\"", "a line ends"},
		{"string", "\"\xff\"", "not valid UTF-8"},
		{"bytes", "[1 2]", "',' must stand here"},
		{"bytes", "[1, 300]", "a u8 must"},
		{"bytes", "[1", "',' must stand here"},
		{"pair", `("a")`, "has 2 elements, not 1"},
		{"pair", `("a", 1, 2)`, "has 2 elements"},
		{"perms", "{read, read}", "there twice: flags are read, write, exec"},
		{"perms", "{fly}", `"fly" is no flag`},
		{"status", "ok", "a case of enum{ok, not-found, none} must stand here"},
		{"status", "gone", "a case of"},
		{"reply", "body", "'(' must"},
		{"reply", "empty(1)", "the end must"},
		{"perhaps", "7", "a case of option<option<u8>>"},
		{"done", "5", "a case of result"},
		{"message", `{topic: "a"}`, "field payload is missing"},
		{"message", `{topic: "a", topic: "b"}`, `"topic" is no field, or there twice`},
		{"message", `{:}`, "field topic is missing"},
		{"handle", "bucket(x)", "a u32 must"},
	} {
		_, err := Parse(all[c.typ], c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q: %v, want %q", c.typ, c.text, err, c.want)
		}
	}
	deep := of(component.U8)
	for range component.ValueDepthMax {
		deep = ofAll(component.List, deep)
	}
	if _, err := Parse(deep, "[]"); err == nil {
		t.Error("a type that is too deep is read")
	}
}

func FuzzParse(f *testing.F) {
	for name := range types() {
		f.Add(name, `{topic: "a/b", payload: [1], qos: some(2)} // %err('x')`)
		f.Add(name, "1.5e3")
	}
	f.Fuzz(func(t *testing.T, name, s string) {
		typ := types()[name]
		if typ == nil {
			return
		}
		v, err := Parse(typ, s)
		if err != nil {
			return
		}
		written := string(Append(nil, typ, v))
		again, err := Parse(typ, written)
		if err != nil || string(Append(nil, typ, again)) != written {
			t.Errorf("%q: %+v, written %s, read again %+v, %v", s, v, written, again, err)
		}
	})
}
