package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// fill puts defaults into text, a value that was parsed, and all below it. Only what holds in any
// case is looked at: properties, items, $ref, allOf.
func fill(s *jsonschema.Schema, text json.RawMessage) (json.RawMessage, error) {
	var err error
	for _, same := range append(slices.Clone(s.AllOf), s.Ref) {
		if same == nil {
			continue
		}
		if text, err = fill(same, text); err != nil {
			return nil, err
		}
	}
	switch text[0] {
	case '{':
		return fillObject(s, text)
	case '[':
		return fillList(s, text)
	}
	return text, nil
}

// member is one of an object, in the order of the text.
type member struct {
	key   string
	value json.RawMessage
}

func fillObject(s *jsonschema.Schema, text json.RawMessage) (json.RawMessage, error) {
	members, err := membersOf(text)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for i := range members {
		there[members[i].key] = true
		child := s.Properties[members[i].key]
		if child == nil && len(s.PatternProperties) == 0 {
			child, _ = s.AdditionalProperties.(*jsonschema.Schema)
		}
		if child == nil {
			continue
		}
		if members[i].value, err = fill(child, members[i].value); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		value := s.Properties[key].Default
		if there[key] || value == nil {
			continue
		}
		text, err := json.Marshal(*value)
		if err != nil {
			return nil, err
		}
		members = append(members, member{key, text})
	}
	return objectOf(members)
}

func fillList(s *jsonschema.Schema, text json.RawMessage) (json.RawMessage, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	var err error
	for i := range list {
		if s.Items2020 == nil || i < len(s.PrefixItems) {
			continue
		}
		if list[i], err = fill(s.Items2020, list[i]); err != nil {
			return nil, err
		}
	}
	return append(append([]byte("["), bytes.Join(rawBytes(list), []byte(","))...), ']'), nil
}

func rawBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}

// membersOf takes an object apart.
func membersOf(text json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var members []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{}
		m.key, _ = key.(string) // the decoder lets nothing else pass
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

func objectOf(members []member) (json.RawMessage, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := enc.Encode(m.key); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1) // the encoder ends a line
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
