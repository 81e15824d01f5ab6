package topic

import (
	"bytes"
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "/": true, "a//b": true, "$SYS/x": true, " ": true, "ü/温": true,
		strings.Repeat("x", BytesMax): true,

		"":                              false, // [MQTT-4.7.3-1]
		"a\x00b":                        false, // [MQTT-4.7.3-2]
		strings.Repeat("x", BytesMax+1): false, // [MQTT-4.7.3-3]
		"a/+":                           false, // [MQTT-4.7.0-1]
		"a#":                            false,
	} {
		if got := ValidName([]byte(name)); got != want {
			t.Errorf("%.20q: %v", name, got)
		}
	}
}

func TestValidFilter(t *testing.T) {
	for filter, want := range map[string]bool{
		"a": true, "/": true, "#": true, "+": true, "+/+": true, "/+": true, "+/": true,
		"a/+/b/#": true, "/#": true, "$SYS/#": true, strings.Repeat("x", BytesMax): true,

		"":                              false, // [MQTT-4.7.3-1]
		"a\x00":                         false, // [MQTT-4.7.3-2]
		strings.Repeat("x", BytesMax+1): false, // [MQTT-4.7.3-3]
		"a#":                            false, // [MQTT-4.7.1-1]
		"#/":                            false,
		"a/#/b":                         false,
		"##":                            false,
		"a+":                            false, // [MQTT-4.7.1-2]
		"+a":                            false,
		"a/+b":                          false,
		"++":                            false,
		"+#":                            false,
	} {
		if got := ValidFilter([]byte(filter)); got != want {
			t.Errorf("%.20q: %v", filter, got)
		}
	}
}

func TestSplitShare(t *testing.T) {
	for _, c := range []struct {
		filter, group, rest string
		shared, ok          bool
	}{
		{"a/b", "", "a/b", false, true},
		{"$share", "", "$share", false, true},
		{"$shared/g/a", "", "$shared/g/a", false, true},
		{"$share/g/a", "g", "a", true, true},
		{"$share/g/a/+/#", "g", "a/+/#", true, true},
		{"$share/g//", "g", "/", true, true},
		{"$share//a", "", "a", true, false}, // [MQTT-4.8.2-1]
		{"$share/", "", "", true, false},
		{"$share/g", "g", "", true, false}, // [MQTT-4.8.2-2]
		{"$share/g/", "g", "", true, false},
		{"$share/g+/a", "g+", "a", true, false},
		{"$share/#/a", "#", "a", true, false},
		{"$share/g/a#", "g", "a#", true, false},
	} {
		group, rest, shared, ok := SplitShare(c.filter)
		if group != c.group || rest != c.rest || shared != c.shared || ok != c.ok {
			t.Errorf("%q: %q, %q, %v, %v", c.filter, group, rest, shared, ok)
		}
	}
}

// matches are the examples of section 4.7 and what they leave open.
var matches = []struct {
	filter, name string
	want         bool
}{
	{"sport/tennis/player1/#", "sport/tennis/player1", true},
	{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
	{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
	{"sport/#", "sport", true},
	{"#", "a/b/c", true},
	{"#", "/", true},
	{"sport/tennis/+", "sport/tennis/player1", true},
	{"sport/tennis/+", "sport/tennis/player1/ranking", false},
	{"sport/+", "sport", false},
	{"sport/+", "sport/", true},
	{"+/+", "/finance", true},
	{"/+", "/finance", true},
	{"+", "/finance", false},
	{"+/tennis/#", "sport/tennis", true},
	{"a/+/c", "a//c", true},
	{"a//c", "a//c", true},
	{"a//c", "a/c", false},
	{"a/", "a", false},
	{"a", "a/", false},
	{"a/+/#", "a/b", true},
	{"a/+/#", "a", false},
	{"a", "A", false},            // [MQTT-4.7.3-4]
	{"\u00e9", "e\u0301", false}, // [MQTT-4.7.3-4]
	{"#", "$SYS/monitor/Clients", false},
	{"+/monitor/Clients", "$SYS/monitor/Clients", false},
	{"$SYS/#", "$SYS/monitor/Clients", true},
	{"$SYS/#", "$SYS", true},
	{"$SYS/monitor/+", "$SYS/monitor/Clients", true},
	{"+", "$SYS", false},
	{"a/#", "a/$b", true},
	{"a/+", "a/$b", true},
	{"$+", "$SYS", false},
}

func TestMatch(t *testing.T) {
	for _, m := range matches {
		if got := Match(m.filter, []byte(m.name)); got != m.want {
			t.Errorf("%q and %q: %v", m.filter, m.name, got)
		}
	}
}

func TestLevels(t *testing.T) {
	for text, want := range map[string]int{"a": 1, "/": 2, "a/b": 2, "a//b": 3, "": 1} {
		if got := Levels([]byte(text)); got != want {
			t.Errorf("%q has %d", text, got)
		}
	}
}

func TestLevelEnd(t *testing.T) {
	for n := range 30 {
		for at := range n + 1 {
			name := bytes.Repeat([]byte{'/' + 1}, n) // differs from '/' in its lowest bits
			for i := at; i < n; i += 3 {
				name[i] = '/'
			}
			if got := levelEnd(name); got != at {
				t.Errorf("%q: %d, want %d", name, got, at)
			}
		}
	}
}
