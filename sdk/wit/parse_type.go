package wit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// rawKind is one of these.
type rawKind struct {
	Type   json.RawMessage `json:"type"`
	List   json.RawMessage `json:"list"`
	Option json.RawMessage `json:"option"`
	Result *struct {
		Ok  json.RawMessage `json:"ok"`
		Err json.RawMessage `json:"err"`
	} `json:"result"`
	Tuple *struct {
		Types []json.RawMessage `json:"types"`
	} `json:"tuple"`
	Record *struct {
		Fields []rawField `json:"fields"`
	} `json:"record"`
	Variant *struct {
		Cases []rawField `json:"cases"`
	} `json:"variant"`
	Enum *struct {
		Cases []rawField `json:"cases"`
	} `json:"enum"`
	Flags *struct {
		Flags []rawField `json:"flags"`
	} `json:"flags"`
}

// fill makes the type of a number.
func (p *parser) fill(n int) error {
	raw, t := &p.raw.Types[n], p.types[n]
	t.Docs = raw.Docs.Contents
	if raw.Name != nil {
		t.Name = *raw.Name
	}
	if o := raw.Owner; o != nil && o.Interface != nil {
		if *o.Interface < 0 || *o.Interface >= len(p.interfaces) {
			return errShape
		}
		t.Owner = p.interfaces[*o.Interface]
	}
	var k rawKind
	if err := json.Unmarshal(raw.Kind, &k); err != nil {
		return fmt.Errorf("types as %.30s %w", raw.Kind, ErrUnbound)
	}
	return p.kind(t, &k, raw.Kind)
}

func (p *parser) kind(t *Type, k *rawKind, text json.RawMessage) (err error) {
	switch {
	case k.Type != nil:
		t.Kind = Alias
		t.Elem, err = p.elem(k.Type)
	case k.List != nil:
		t.Kind = List
		t.Elem, err = p.elem(k.List)
	case k.Option != nil:
		t.Kind = Option
		t.Elem, err = p.elem(k.Option)
		t.Cases = []Field{{Name: "none"}, {Name: "some", Type: t.Elem}}
	case k.Result != nil:
		t.Kind = Result
		ok, bad := p.at(k.Result.Ok)
		fail, bad2 := p.at(k.Result.Err)
		err = errors.Join(bad, bad2)
		t.Cases = []Field{{Name: "ok", Type: ok}, {Name: "err", Type: fail}}
	case k.Tuple != nil:
		t.Kind = Tuple
		for i, raw := range k.Tuple.Types {
			elem, bad := p.elem(raw)
			err = errors.Join(err, bad)
			t.Fields = append(t.Fields, Field{Name: strconv.Itoa(i), Type: elem})
		}
	case k.Record != nil:
		t.Kind = Record
		t.Fields, err = p.fields(k.Record.Fields)
	case k.Variant != nil:
		t.Kind = Variant
		t.Cases, err = p.cases(k.Variant.Cases)
	case k.Enum != nil:
		t.Kind = Enum
		t.Cases, err = p.cases(k.Enum.Cases)
	case k.Flags != nil:
		t.Kind = Flags
		t.Fields, err = p.cases(k.Flags.Flags)
	default:
		return fmt.Errorf("types as %.30s %w", text, ErrUnbound)
	}
	if err == nil && len(t.Fields) > 32 && t.Kind == Flags {
		return fmt.Errorf("flags %s has %d flags, at most 32 can be bound", t.Name, len(t.Fields))
	}
	return err
}

// elem is a type that must be there.
func (p *parser) elem(raw json.RawMessage) (*Type, error) {
	t, err := p.at(raw)
	if err == nil && t == nil {
		err = errShape
	}
	return t, err
}

// weightMax bounds how many types one holds, those in them counted each time: laying a value out
// walks through them all.
const weightMax = 1 << 16

// weigh refuses types that hold themselves, of which WIT has none, or too much.
func (p *parser) weigh() error {
	weights := map[*Type]int{}
	for _, t := range p.types {
		if _, err := weigh(t, weights); err != nil {
			return err
		}
	}
	return nil
}

func weigh(t *Type, weights map[*Type]int) (int, error) {
	const underWay = -1
	switch w, known := weights[t]; {
	case known && w == underWay:
		return 0, fmt.Errorf("type %v holds itself: %w", t.Name, errShape)
	case known:
		return w, nil
	}
	weights[t] = underWay
	inner := []Field{{Type: t.Elem}}
	total := 1
	for _, f := range append(append(inner, t.Fields...), t.Cases...) {
		if f.Type == nil {
			continue
		}
		w, err := weigh(f.Type, weights)
		if err != nil {
			return 0, err
		}
		if total += w; total > weightMax {
			return 0, fmt.Errorf("type %v holds more than %d types", t.Name, weightMax)
		}
	}
	weights[t] = total
	return total, nil
}
