package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const (
	// toldMax bounds how many faults are told at once, of at most foundMax.
	toldMax, foundMax = 3, 1000
	// textMax bounds what is told of one.
	textMax = 1000
)

// teller makes sentences of what a validator found.
type teller struct {
	s   *Schema // nil for a fault of the schema itself
	out []string
}

// tell says what is wrong: "rules[2].topic: unknown key", sorted, since the validator goes through
// objects in any order.
func tell(s *Schema, e *jsonschema.ValidationError) string {
	t := teller{s: s}
	t.walk(e)
	slices.Sort(t.out)
	t.out = slices.Compact(t.out)
	if more := len(t.out) - toldMax; more > 0 {
		t.out = append(t.out[:toldMax], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(t.out, "; ")
}

func (t *teller) walk(e *jsonschema.ValidationError) {
	if len(t.out) >= foundMax {
		return
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not:
		// Why each of the alternatives does not fit is no help; what the author says of them is.
		if said := t.described(e.SchemaURL); said != "" {
			t.say(e, "want "+said)
			return
		}
	case *kind.AdditionalProperties:
		slices.Sort(k.Properties)
		known := t.known(e.SchemaURL)
		for _, key := range k.Properties[:min(len(k.Properties), foundMax)] {
			t.out = append(t.out, at(append(slices.Clone(e.InstanceLocation), key))+
				"unknown key"+known)
		}
		return
	}
	if len(e.Causes) == 0 {
		t.say(e, e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
		return
	}
	for _, cause := range e.Causes {
		t.walk(cause)
	}
}

func (t *teller) say(e *jsonschema.ValidationError, text string) {
	t.out = append(t.out, at(e.InstanceLocation)+clip(text))
}

// at is where in a configuration something stands, as "rules[2].topics: ".
func at(path []string) string {
	out := "config"
	for _, step := range path {
		if _, err := strconv.ParseUint(step, 10, 32); err == nil {
			out += "[" + step + "]"
		} else {
			out += "." + fmt.Sprintf("%.80s", step)
		}
	}
	return strings.TrimPrefix(out, "config.") + ": "
}

// described is the description that the schema at url has.
func (t *teller) described(url string) string {
	text, _ := t.lookUp(url)["description"].(string)
	return text
}

// known lists the keys that the schema at url has.
func (t *teller) known(url string) string {
	properties, _ := t.lookUp(url)["properties"].(map[string]any)
	if len(properties) == 0 {
		return ""
	}
	return clip("; known keys: " + strings.Join(slices.Sorted(maps.Keys(properties)), ", "))
}

// clip shortens what is too long to be read, in the middle: why stands at the end.
func clip(text string) string {
	if len(text) <= textMax {
		return text
	}
	return strings.ToValidUTF8(text[:textMax/2], "") + "…" +
		strings.ToValidUTF8(text[len(text)-textMax/2:], "")
}

// lookUp is the object of the schema's text at url; nil if there is none.
func (t *teller) lookUp(url string) map[string]any {
	if t.s == nil {
		return nil
	}
	here := t.s.doc
	for step := range strings.SplitSeq(pointerOf(url), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch v := here.(type) {
		case map[string]any:
			if step != "" {
				here = v[step]
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			here = v[i]
		}
	}
	object, _ := here.(map[string]any)
	return object
}

// pointerOf is where in the schema url points to: "/properties/rules"; the whole is "/".
func pointerOf(url string) string {
	_, pointer, _ := strings.Cut(url, "#")
	if pointer == "" {
		return "/"
	}
	return pointer
}
