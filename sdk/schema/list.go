package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// listedMax bounds what Properties lists.
const listedMax = 1000

// Properties are the keys that a configuration may have, with what each must be as JSON Schema:
// "rules[].topics" is the key topics of each of the list rules, "users[]" each of a list of what
// are no objects, "rules.*" any key of an object. Beyond 1000 they are left out.
func (s *Schema) Properties() map[string]string {
	out := map[string]string{}
	s.list(s.top, "", out)
	return out
}

func (s *Schema) list(at *jsonschema.Schema, path string, out map[string]string) {
	if len(out) >= listedMax {
		return
	}
	for _, same := range append(slices.Clone(at.AllOf), at.Ref) {
		if same != nil {
			s.list(same, path, out)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(at.Properties)) {
		child := at.Properties[key]
		name := strings.TrimPrefix(path+"."+key, ".")
		out[name] = s.wants(child)
		s.list(child, name, out)
	}
	if at.Items2020 != nil {
		s.listAny(at.Items2020, path+"[]", out)
	}
	if more, ok := at.AdditionalProperties.(*jsonschema.Schema); ok {
		s.listAny(more, path+".*", out)
	}
}

// listAny lists what stands under any key or place; an object by its keys alone.
func (s *Schema) listAny(at *jsonschema.Schema, path string, out map[string]string) {
	before := len(out)
	s.list(at, path, out)
	if len(out) == before && path != "" {
		out[strings.TrimPrefix(path, ".")] = s.wants(at)
	}
}

// wants is what a schema says itself, without what it says of keys below and without prose.
func (s *Schema) wants(at *jsonschema.Schema) string {
	t := teller{s: s}
	all := map[string]any{}
	for same := at; same != nil; same = same.Ref {
		for key, value := range t.lookUp(same.Location) {
			_, nested := value.(map[string]any)
			switch {
			case nested && key != "default" && key != "const": // schemas: they are listed below
			case key == "description" || key == "title" || key == "$ref" || key == "examples":
			default:
				all[key] = value
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "" // what was read can be written
	}
	return string(text)
}
