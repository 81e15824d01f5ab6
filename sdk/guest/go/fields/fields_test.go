package fields

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{}`, `{}`},
		{` { } `, `{}`},
		{`{"a":1}`, `{"a":1}`},
		{"\t{ \"a\" : [1, {\"b\": []}, \"]}\"] ,\"c\":{\"d\":{}} , \"e\" : null }\n",
			`{"a":[1, {"b": []}, "]}"],"c":{"d":{}},"e":null}`},
		{`{"a\"":-0.5e+3}`, `{"a\"":-0.5e+3}`},
	} {
		list, ok := Split(nil, c.in)
		if got := string(Append(nil, list)); !ok || got != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.in, got, ok, c.want)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, in := range []string{
		``, ` `, `1`, `[]`, `"a"`, `{`, `}`, `{]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`,
		`{"a":01}`, `{"a":1.}`, `{"a":1e}`, `{"a":tru}`, `{"a":[1,]}`, `{"a":[}`, `{"a":[1}`,
		`{"a":{"b":1]}`, `{"a":"\x"}`, `{"a":"\u12"}`, "{\"a\":\"\n\"}", `{"a":1}x`, `{"a":1}{}`,
		`{a:1}`,
		`{"a":-}`, `{"a":"`, `{"a`, `{,}`, `{"a":1,,"b":2}`,
		`{"a":` + strings.Repeat("[", DepthMax+1) + strings.Repeat("]", DepthMax+1) + `}`,
	} {
		if list, ok := Split(nil, in); ok {
			t.Errorf("%s: taken as %v", in, list)
		}
	}
}

func TestFindIsTheLast(t *testing.T) {
	list, _ := Split(nil, `{"a":1,"b":2,"a":3}`)
	if i := Find(list, "a"); i != 2 {
		t.Errorf("a is %d, want 2", i)
	}
	if i := Find(list, "c"); i != -1 {
		t.Errorf("c is %d, want -1", i)
	}
}

func TestAt(t *testing.T) {
	const text = ` {"a": {"b": [10, {"c": "x"}, []], "b2": null}, "d": 1, "a2": [[7]], "d": 2}`
	for path, want := range map[string]string{
		"a.b.0": "10", "a.b.1.c": `"x"`, "a.b.1": `{"c": "x"}`, "a.b2": "null", "d": "2",
		"a2.0.0": "7",
		"a.b.2":  "[]",
	} {
		if got, ok := At(text, path); !ok || got != want {
			t.Errorf("%s: got %s, %v, want %s", path, got, ok, want)
		}
	}
	for _, path := range []string{"", "b", "a.c", "a.b.3", "a.b.x", "a.b.-1", "d.0", "a.b.2.0",
		"a."} {
		if got, ok := At(text, path); ok {
			t.Errorf("%q: found %s", path, got)
		}
	}
}

// FuzzSplit holds Split to encoding/json: it takes what that takes, if it is an object, and
// gives the same fields.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":[1,{"b":[]}]}`, `{"a":1,"a":2}`, `{"a":"\u00e9\\"}`, `[]`, `{"a":-1.5e9}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, ok := Split(nil, s)
		At(s, "a.0.b")
		if Valid(s) != json.Valid([]byte(s)) &&
			strings.Count(s, "[")+strings.Count(s, "{") <= DepthMax {
			t.Fatalf("%q: Valid differs from encoding/json", s)
		}
		var want map[string]json.RawMessage
		err := json.Unmarshal([]byte(s), &want)
		if !ok {
			if err == nil && want != nil && strings.Count(s, "[")+strings.Count(s,
				"{") <= DepthMax {
				t.Fatalf("%q: refused", s)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: taken, but %v", s, err)
		}
		for i, field := range list {
			var name string
			if err := json.Unmarshal([]byte(`"`+field.Name+`"`), &name); err != nil {
				t.Fatalf("%q: name %q: %v", s, field.Name, err)
			}
			if Find(list, field.Name) == i && strings.TrimSpace(string(want[name])) == "" {
				t.Fatalf("%q: field %q is not there", s, name)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	const text = `{"t":215,"h":48,"id":"0x0015BC001A","status":{"ok":true,"code":[0]},"x":-1.5e3}`
	var list []Field
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		list, _ = Split(list[:0], text)
	}
}
