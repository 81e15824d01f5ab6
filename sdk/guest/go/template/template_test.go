package template

import (
	"strings"
	"testing"
)

type values map[string]string

func (v values) Value(name string) (string, bool) {
	s, ok := v[name]
	return s, ok
}

func TestAppend(t *testing.T) {
	v := values{"room": "r1", "bad": "a/b", "plus": "+", "empty": ""}
	for _, c := range []struct{ template, topic, want string }{
		{"x", "a/b", "x"}, {"x/{2}/{1}", "a/b", "x/b/a"}, {"{2-}", "a/b/c", "b/c"}, {"{1-}/z",
			"a", "a/z"},
		{"{.room}/{1}", "a", "r1/a"}, {"pre{1}post", "a", "preapost"}, {"{2}", "a/", ""},
		{"x{2}", "a/", "x"},
		{"{3}", "a/b", ""}, {"{.none}", "a", ""}, {"{.bad}", "a", ""}, {"{.plus}", "a", ""},
		{"x/{.empty}", "a", ""}, {"{1-}", strings.Repeat("a", nameBytesMax+1), ""},
	} {
		made, wrong := Parse(c.template)
		if wrong != "" {
			t.Fatalf("%s: %s", c.template, wrong)
		}
		got, ok := made.Append([]byte("!"), c.topic, v)
		if ok != (c.want != "") || ok && string(got) != "!"+c.want {
			t.Errorf("%s of %.20s: got %.30s, %v, want %s", c.template, c.topic, got, ok, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "a/+", "#", "{", "}", "{}", "{0}", "{-1}", "{x}", "{1", "{.}",
		"a}b", "{1--}"} {
		if made, wrong := Parse(s); wrong == "" {
			t.Errorf("%q: taken as %v", s, made)
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("x/{2}/{3-}/{.room}", "a/b/c")
	f.Fuzz(func(t *testing.T, text, topic string) {
		made, wrong := Parse(text)
		if wrong != "" || strings.ContainsAny(topic, "+#\x00") {
			return
		}
		got, ok := made.Append(nil, topic, values{"room": "r1"})
		if ok && (len(got) == 0 || strings.ContainsAny(string(got), "+#\x00")) {
			t.Errorf("%q of %q is no topic name: %q", text, topic, got)
		}
	})
}
