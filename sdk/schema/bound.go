package schema

import (
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// bounded refuses a schema that contains itself, or has too many ways through it: a value is then
// looked at by at most waysMax schemas.
func bounded(top *jsonschema.Schema) error {
	c := counter{ways: map[*jsonschema.Schema]int{}}
	_, err := c.count(top)
	return err
}

// counter counts the ways from a schema to its ends; a schema that is being counted has 0.
type counter struct{ ways map[*jsonschema.Schema]int }

func (c *counter) count(s *jsonschema.Schema) (int, error) {
	ways, seen := c.ways[s]
	if seen && ways == 0 {
		return 0, fmt.Errorf("%s contains itself, by $ref: that is not supported, "+
			"write it out as deep as it may be",
			pointerOf(s.Location))
	}
	if seen {
		return ways, nil
	}
	if s.DynamicRef != nil || s.RecursiveRef != nil {
		return 0, fmt.Errorf("%s has a $dynamicRef: that is not supported", pointerOf(s.Location))
	}
	if s.DraftVersion != 2020 { // its keywords say other things
		return 0, fmt.Errorf("%s has another $schema: want %s", pointerOf(s.Location), draft)
	}
	c.ways[s] = 0
	ways = 1
	for _, child := range children(s) {
		more, err := c.count(child)
		if err != nil {
			return 0, err
		}
		if ways += more; ways > waysMax {
			return 0, fmt.Errorf("there are more than %d ways through it", waysMax)
		}
	}
	c.ways[s] = ways
	return ways, nil
}

// children are the schemas that s may hand a value, or a part of it, on to.
func children(s *jsonschema.Schema) []*jsonschema.Schema {
	all := []*jsonschema.Schema{
		s.Ref, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties, s.Contains,
		s.Items2020, s.UnevaluatedItems, s.ContentSchema,
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		all = append(all, list...)
	}
	for _, list := range []map[string]*jsonschema.Schema{s.Properties, s.DependentSchemas} {
		for _, child := range list {
			all = append(all, child)
		}
	}
	for _, child := range s.PatternProperties {
		all = append(all, child)
	}
	for _, child := range s.Dependencies {
		all = appendSchema(all, child)
	}
	all = appendSchema(all, s.AdditionalProperties)
	var out []*jsonschema.Schema
	for _, child := range all {
		if child != nil {
			out = append(out, child)
		}
	}
	return out
}

func appendSchema(all []*jsonschema.Schema, v any) []*jsonschema.Schema {
	if s, ok := v.(*jsonschema.Schema); ok {
		return append(all, s)
	}
	return all
}
