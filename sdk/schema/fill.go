package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// node is a value in the order of its text, taken apart once.
type node struct {
	kind    byte    // { or [, or 0 for what is nothing to fill
	members []field // of an object
	index   map[string]bool
	list    []*node
	text    json.RawMessage
}

// field is one of an object.
type field struct {
	key   string
	value *node
}

// filler puts defaults into a value.
type filler struct{ left int }

// fill puts defaults into text, a value that was parsed and is bearable, and all below it. Only
// what holds in any case is looked at: properties, items, $ref, allOf.
func fill(s *jsonschema.Schema, text json.RawMessage) (json.RawMessage, error) {
	top, err := nodeOf(text)
	if err != nil {
		return nil, err
	}
	f := filler{left: ConfigBytesMax}
	if err := f.fill(s, top); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = top.appendTo(&out)
	return out.Bytes(), err
}

func (f *filler) fill(s *jsonschema.Schema, n *node) error {
	for _, same := range s.AllOf {
		if err := f.fill(same, n); err != nil {
			return err
		}
	}
	if s.Ref != nil {
		if err := f.fill(s.Ref, n); err != nil {
			return err
		}
	}
	switch n.kind {
	case '{':
		return f.fillObject(s, n)
	case '[':
		for i, one := range n.list {
			if s.Items2020 == nil || i < len(s.PrefixItems) {
				continue
			}
			if err := f.fill(s.Items2020, one); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filler) fillObject(s *jsonschema.Schema, n *node) error {
	more, _ := s.AdditionalProperties.(*jsonschema.Schema)
	if len(s.Properties) == 0 && more == nil {
		return nil
	}
	for _, m := range n.members {
		child := s.Properties[m.key]
		if child == nil && len(s.PatternProperties) == 0 {
			child = more
		}
		if child == nil {
			continue
		}
		if err := f.fill(child, m.value); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		value := s.Properties[key].Default
		if n.index[key] || value == nil {
			continue
		}
		text, err := json.Marshal(*value)
		if err != nil {
			return err
		}
		// A default of many bytes, in each of many objects, is not written out.
		if f.left -= len(key) + len(text); f.left < 0 {
			return fmt.Errorf("%w: with the defaults it has more than %d bytes", ErrConfig,
				ConfigBytesMax)
		}
		added, err := nodeOf(text)
		if err != nil {
			return err
		}
		n.members, n.index[key] = append(n.members, field{key, added}), true
	}
	return nil
}

// nodeOf takes a value apart.
func nodeOf(text json.RawMessage) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return readNode(d)
}

func readNode(d *json.Decoder) (*node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		n := &node{}
		n.text, err = marshal(token)
		return n, err
	}
	n := &node{kind: byte(delim)}
	if delim == '{' {
		n.index = map[string]bool{}
	}
	for d.More() {
		key := ""
		if delim == '{' {
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, _ = token.(string) // the decoder lets nothing else pass
			n.index[key] = true
		}
		one, err := readNode(d)
		if err != nil {
			return nil, err
		}
		if delim == '{' {
			n.members = append(n.members, field{key, one})
		} else {
			n.list = append(n.list, one)
		}
	}
	_, err = d.Token()
	return n, err
}

// marshal is JSON with < and & as they are.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

func (n *node) appendTo(out *bytes.Buffer) error {
	if n.kind == 0 {
		out.Write(n.text)
		return nil
	}
	out.WriteByte(n.kind)
	for i, m := range n.members {
		if i > 0 {
			out.WriteByte(',')
		}
		key, err := marshal(m.key)
		if err != nil {
			return err
		}
		out.Write(append(key, ':'))
		if err := m.value.appendTo(out); err != nil {
			return err
		}
	}
	for i, one := range n.list {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := one.appendTo(out); err != nil {
			return err
		}
	}
	out.WriteByte(n.kind + 2) // of { and [ in ASCII
	return nil
}
