package schema

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func compiled(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rules is a schema as a component may have it.
const rules = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "default": {"rules": [{"topic": "#"}]},
  "properties": {
    "mode": {"enum": ["open", "closed"], "default": "open"},
    "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
    "named": {"type": "object", "additionalProperties": {"$ref": "#/$defs/rule"}}
  },
  "$defs": {
    "rule": {
      "type": "object", "additionalProperties": false, "required": ["topic"],
      "properties": {
        "topic": {"type": "string", "minLength": 1},
        "qos": {"type": "integer", "minimum": 0, "maximum": 2, "default": 1},
        "drop": {"type": "boolean"}, "copy": {"type": "string"}
      },
      "allOf": [{"description": "drop or copy, not both", "not": {"$ref": "#/$defs/both"}}]
    },
    "both": {"required": ["drop", "copy"]}
  }
}`

func TestCheckNamesThePlace(t *testing.T) {
	s := compiled(t, rules)
	for config, want := range map[string]string{
		`{"mod":"open"}`:               "mod: unknown key; known keys: mode, named, rules",
		`{"mode":"ajar"}`:              "mode: value must be one of 'open', 'closed'",
		`{"rules":{}}`:                 "rules: got object, want array",
		`{"rules":[{"topic":"a"},{}]}`: "rules[1]: missing property 'topic'",
		`{"rules":[{"topic":"","qos":3}]}`: "rules[0].qos: maximum: got 3, want 2; " +
			"rules[0].topic: minLength: got 0, want 1",
		`{"named":{"a":{"topic":1}}}`:   "named.a.topic: got number, want string",
		`[]`:                            "config: got array, want object",
		`{"mode":"open","mode":"open"}`: `"mode" is given twice`,
		`{`:                             "unexpected EOF",
		`{} {}`:                         "more behind the first value",
		`{"rules":1e99999}`:             "beyond bounds",
		strings.Repeat("[", 70):         "nests deeper than 64",
		`{"a":1,"b":1,"c":1,"d":1}`:     "; and 1 more",
		`"` + strings.Repeat("a", ConfigBytesMax) + `"`:    "at most 1048576 are read",
		`{"rules":[{"topic":"a","drop":true,"copy":"b"}]}`: "rules[0]: want drop or copy, not both",
	} {
		if err := s.Check([]byte(config)); !errors.Is(err, ErrConfig) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%.80s:\n got %v\nwant %s", config, err, want)
		}
	}
	for _, config := range []string{`{}`, `{"mode":"closed","rules":[{"topic":"a","qos":2}]}`} {
		if err := s.Check([]byte(config)); err != nil {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func TestFill(t *testing.T) {
	s := compiled(t, rules)
	for config, want := range map[string]string{
		``:                `{"rules":[{"topic":"#","qos":1}],"mode":"open"}`,
		` {} `:            `{"rules":[{"topic":"#","qos":1}],"mode":"open"}`,
		`{"rules":[]}`:    `{"rules":[],"mode":"open"}`,
		`{"mode":"open"}`: `{"mode":"open"}`,
		`{"rules": [ {"topic":"<ü>","qos":0} , {"topic":"b"} ], "mode":"closed"}`: `` +
			`{"rules":` +
			`[{"topic":"<ü>","qos":0},{"topic":"b","qos":1}],"mode":"closed"}`,
		`{"named":{"z":{"topic":"a"},"a":{"topic":"b"}}}`: `{"named":{"z":{"topic":"a","qos":1},` +
			`"a":{"topic":"b","qos":1}},"mode":"open"}`,
	} {
		got, err := s.Fill([]byte(config))
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", config, got, err, want)
		}
	}
	for _, config := range []string{`{"mode":1}`, `x`, `[]`} {
		if _, err := s.Fill([]byte(config)); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func TestSchemasAreRefused(t *testing.T) {
	// Twenty times two ways: a million.
	var wide strings.Builder
	for i := range 20 {
		fmt.Fprintf(&wide, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`,
			i, i+1, i+1)
	}
	for text, want := range map[string]string{
		`x`:    "not good JSON",
		`true`: "want an object",
		`{"$schema":"http://json-schema.org/draft-07/schema#"}`:     "its $schema is http",
		`{"$ref":"https://example.com/x.json"}`:                     "nothing is fetched",
		`{"$ref":"file:///etc/passwd"}`:                             "nothing is fetched",
		`{"$ref":"other.json"}`:                                     "nothing is fetched",
		`{"$ref":"#/$defs/none"}`:                                   "not found",
		`{"properties":{"a":{"$ref":"#"}}}`:                         "/ contains itself",
		`{"type":"objekt"}`:                                         "type",
		`{"pattern":"("}`:                                           "pattern",
		`{"pattern":"a{1000}{1000}"}`:                               "pattern",
		`{"$dynamicRef":"#a","$defs":{"a":{"$dynamicAnchor":"a"}}}`: "$dynamicRef",
		`{"type":"object","default":1}`:                             "its own default does not fit",
		`{"$ref":"#/$defs/d0","$defs":{` + wide.String() +
			`"d20":{}}}`: "more than 10000 ways",
		`{"a":"` + strings.Repeat("a", BytesMax) + `"}`: "at most 262144 are read",
		strings.Repeat(`{"not":`, 70):                   "nests deeper than 64",
	} {
		if _, err := Compile([]byte(text)); !errors.Is(err, ErrSchema) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%.80s:\n got %v\nwant %s", text, err, want)
		}
	}
}

// A schema of a few bytes and a value of a few more keep nobody busy: each took minutes, or all of
// the memory.
func TestWhatWouldTakeLongIsRefused(t *testing.T) {
	var patterns, old, many strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&patterns, `{"pattern":"(a|b|ab)*[^%d]{9}c$"},`, i%10)
	}
	for i := range 60 { // two to the power of 60 ways
		fmt.Fprintf(&old, `"d%d":{"allOf":[{"$ref":"#/definitions/d%d"},`+
			`{"$ref":"#/definitions/d%d"}]},`, i, i+1, i+1)
	}
	for i := range 10_000 {
		fmt.Fprintf(&many, `"%d":0,`, i)
	}
	all := func(schemas string) string { return `{"allOf":[` + schemas + `{}]}` }
	text := `"` + strings.Repeat("ab", 8<<10) + `"`
	list := "[" + strings.Repeat("{},", 100_000) + "{}]"
	for name, c := range map[string]struct{ schema, config, want string }{
		"patterns": {all(patterns.String()), text, "keep the broker busy"},
		"items": {all(strings.Repeat(`{"items":{"type":"object"}},`, 900)), list,
			"keep the broker busy"},
		"keys": {all(strings.Repeat(`{"additionalProperties":{}},`, 900)), "{" + many.String() +
			`"a":0}`, "keep the broker busy"},
		"defaults": {`{"items":{"properties":{"a":{"default":"` + strings.Repeat("a", 10_000) +
			`"}}}}`, list, "with the defaults it has more than 1048576 bytes"},
		"enum": {`{"items":{"enum":[` + strings.Repeat("0,", 10_000) + `1]}}`, list,
			"keep the broker busy"},
	} {
		s := compiled(t, c.schema)
		if _, err := s.Fill([]byte(c.config)); !errors.Is(err, ErrConfig) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for schema, want := range map[string]string{
		`{"properties":{"a":{"$ref":"x:///old"}},"$defs":{"o":{"$id":"x:///old","$schema":` +
			`"http://json-schema.org/draft-07/schema#","items":{"$ref":"#/definitions/d0"},` +
			`"definitions":{` + old.String() + `"d60":{}}}}}`: "has another $schema",
		`{"pattern":"` + strings.Repeat("a", 2000) + `"}`: "a pattern has 2000 bytes",
		all(`{"patternProperties":{"` + strings.Repeat("b{1000}", 100) + `":{}}},`): "" +
			"the patterns are too large",
	} {
		if _, err := Compile([]byte(schema)); !errors.Is(err, ErrSchema) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v", schema, err)
		}
	}
	// What people write is far from that: ten thousand rules are not too many.
	rule := `{"topic":"site/+/floor/+/sensor/+","qos":1},`
	good := `{"mode":"open","rules":[` + strings.Repeat(rule, 10_000) + rule[:len(rule)-1] + `]}`
	if _, err := compiled(t, rules).Fill([]byte(good)); err != nil {
		t.Error(err)
	}
}

func TestProperties(t *testing.T) {
	got := fmt.Sprint(compiled(t, `{
		"additionalProperties": {"type": "string", "description": "prose"},
		"properties": {
			"a": {"enum": [1], "default": {"b": 1}},
			"list": {"type": "array", "items": {"type": "string"}},
			"of": {"items": {"$ref": "#/$defs/one"}},
			"map": {"additionalProperties": {"$ref": "#/$defs/one"}}},
		"$defs": {"one": {"allOf": [{"properties": {"x": {"type": "number"}}}]}}}`).Properties())
	const want = `map[*:{"type":"string"} a:{"default":{"b":1},"enum":[1]} list:{"type":"array"} ` +
		`list[]:{"type":"string"} map:{} map.*.x:{"type":"number"} of:{} of[].x:{"type":"number"}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(rules, `{"rules":[{"topic":"a"}]}`)
	f.Add(`{"allOf":[{"items":{"default":1}}],"patternProperties":{"a":{}}}`, `{"a":[1e3]}`)
	f.Fuzz(func(t *testing.T, text, config string) {
		s, err := Compile([]byte(text))
		if err != nil {
			return
		}
		filled, err := s.Fill([]byte(config))
		if err != nil {
			return
		}
		again, err := s.Fill(filled)
		if err != nil || string(again) != string(filled) {
			t.Errorf("filled again: %s, %v", again, err)
		}
	})
}
