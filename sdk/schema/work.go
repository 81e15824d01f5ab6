package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	// workMax bounds what it takes to hold a configuration against a schema, in steps; a step is
	// a schema that looks at a value, below a microsecond.
	workMax = 1_000_000
	// patternBytesMax bounds the text of a regular expression, programMax the instructions of all
	// of a schema: x{1000} has a thousand.
	patternBytesMax = 1024
	programMax      = 100_000
	// programStep is how many bytes times instructions a step is, keyStep how many keys.
	programStep, keyStep = 64, 8
)

// errBusy says that a configuration and a schema are too much together.
var errBusy = errors.New("it would keep the broker busy: the schema has too many alternatives, " +
	"or patterns, for so long a value; make one of them smaller")

// expression is a regular expression that knows how large its program is.
type expression struct {
	*regexp.Regexp
	program int
}

// expressions compiles the regular expressions of one schema.
type expressions struct {
	made map[string]*expression
	left int
}

func (x *expressions) compile(text string) (jsonschema.Regexp, error) {
	if e := x.made[text]; e != nil {
		return e, nil
	}
	if len(text) > patternBytesMax {
		return nil, fmt.Errorf("a pattern has %d bytes; at most %d are read", len(text),
			patternBytesMax)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	if x.left -= len(program.Inst); x.left < 0 {
		return nil, fmt.Errorf("the patterns are too large: together they take more than %d steps",
			programMax)
	}
	r, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	e := &expression{r, len(program.Inst)}
	x.made[text] = e
	return e, nil
}

// worker goes the ways that the validator will go with a value, and more rather than fewer, without
// asking anything. That is far faster, and ends where there is too much.
type worker struct {
	left int
	size map[*jsonschema.Schema]int // what the values of enum and const take
}

// bearable refuses a value that takes longer than workMax.
func (s *Schema) bearable(value any) error {
	w := worker{left: workMax, size: map[*jsonschema.Schema]int{}}
	if !w.look(s.top, value) {
		return errBusy
	}
	return nil
}

// spend is whether there is so much left.
func (w *worker) spend(steps int) bool {
	w.left -= steps
	return w.left >= 0
}

func (w *worker) look(s *jsonschema.Schema, value any) bool {
	if s == nil || s.Bool != nil {
		return w.spend(1)
	}
	if !w.spend(1 + (len(s.Required)+len(s.Properties))/keyStep + w.compared(s)) {
		return false
	}
	for _, same := range sameValue(s) {
		if !w.look(same, value) {
			return false
		}
	}
	switch v := value.(type) {
	case map[string]any:
		return w.lookObject(s, v)
	case []any:
		return w.lookList(s, v)
	case string:
		return w.spend(len(v)/programStep) && w.match(s.Pattern, v)
	case json.Number:
		return w.spend(len(v) / keyStep)
	}
	return true
}

// sameValue are the schemas that s hands its whole value on to.
func sameValue(s *jsonschema.Schema) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, one := range []*jsonschema.Schema{s.Ref, s.Not, s.If, s.Then, s.Else} {
		if one != nil {
			out = append(out, one)
		}
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		out = append(out, list...)
	}
	for _, one := range s.DependentSchemas {
		out = append(out, one)
	}
	for _, one := range s.Dependencies {
		out = appendSchema(out, one)
	}
	return out
}

func (w *worker) lookObject(s *jsonschema.Schema, object map[string]any) bool {
	more, _ := s.AdditionalProperties.(*jsonschema.Schema)
	for key, value := range object {
		below := []*jsonschema.Schema{}
		if child := s.Properties[key]; child != nil {
			below = append(below, child)
		} else if more != nil {
			below = append(below, more)
		}
		if s.UnevaluatedProperties != nil {
			below = append(below, s.UnevaluatedProperties)
		}
		for pattern, child := range s.PatternProperties {
			if !w.match(pattern, key) {
				return false
			}
			below = append(below, child)
		}
		if s.PropertyNames != nil && !w.look(s.PropertyNames, key) {
			return false
		}
		if !w.spend(1) || !w.all(below, value) {
			return false
		}
	}
	for _, list := range s.DependentRequired {
		if !w.spend(1 + len(list)/keyStep) {
			return false
		}
	}
	return true
}

func (w *worker) lookList(s *jsonschema.Schema, list []any) bool {
	for i, value := range list {
		below := []*jsonschema.Schema{}
		if i < len(s.PrefixItems) {
			below = append(below, s.PrefixItems[i])
		} else if s.Items2020 != nil {
			below = append(below, s.Items2020)
		}
		for _, one := range []*jsonschema.Schema{s.Contains, s.UnevaluatedItems} {
			if one != nil {
				below = append(below, one)
			}
		}
		if s.UniqueItems && !w.spend(sizeOf(value)) {
			return false
		}
		if !w.spend(1) || !w.all(below, value) {
			return false
		}
	}
	return true
}

func (w *worker) all(schemas []*jsonschema.Schema, value any) bool {
	for _, one := range schemas {
		if !w.look(one, value) {
			return false
		}
	}
	return true
}

func (w *worker) match(r jsonschema.Regexp, text string) bool {
	e, ok := r.(*expression)
	return !ok || w.spend(1+e.program*len(text)/programStep)
}

// compared is what it takes to compare a value with those that s has.
func (w *worker) compared(s *jsonschema.Schema) int {
	if s.Enum == nil && s.Const == nil {
		return 0
	}
	n, known := w.size[s]
	if known {
		return n
	}
	if s.Const != nil {
		n += sizeOf(*s.Const)
	}
	if s.Enum != nil {
		n += sizeOf(s.Enum.Values)
	}
	n = (n + keyStep - 1) / keyStep
	w.size[s] = n
	return n
}

// sizeOf is how many values there are in one, with a further one for each 64 bytes of text.
func sizeOf(value any) int {
	n := 1
	switch v := value.(type) {
	case map[string]any:
		for key, one := range v {
			n += 1 + len(key)/programStep + sizeOf(one)
		}
	case []any:
		for _, one := range v {
			n += sizeOf(one)
		}
	case string:
		n += len(v) / programStep
	}
	return n
}
