package wave

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
)

// Parse reads a value of type t, which is not nested deeper than component.ValueDepthMax. An error
// names the place as the byte in the text.
func Parse(t *component.Type, text string) (canon.Value, error) {
	if t.Depth() > component.ValueDepthMax {
		return canon.Value{}, errors.New("wave: the type is nested too deep")
	}
	p := &parser{text: text}
	v, err := p.value(t)
	if p.space(); err == nil && p.at < len(p.text) {
		err = p.expected("the end")
	}
	if err != nil {
		return canon.Value{}, fmt.Errorf("wave: parse: %w", err)
	}
	return v, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("byte %d: %w", p.at, fmt.Errorf(format, args...))
}

func (p *parser) expected(what string) error {
	rest := p.text[p.at:]
	if len(rest) > 20 {
		rest = rest[:20] + "…"
	}
	return p.fail("%s must stand here, not %q", what, rest)
}

// space skips blanks and comments.
func (p *parser) space() {
	for p.at < len(p.text) {
		switch {
		case strings.HasPrefix(p.text[p.at:], "//"):
			line, _, _ := strings.Cut(p.text[p.at:], "\n")
			p.at += len(line)
		case strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0:
			p.at++
		default:
			return
		}
	}
}

// take takes a token if it comes next.
func (p *parser) take(token string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) must(token string) error {
	if !p.take(token) {
		return p.expected("'" + token + "'")
	}
	return nil
}

// word takes a label, number or keyword; a leading % is taken, and told.
func (p *parser) word() (w string, marked bool) {
	marked = p.take("%")
	if !marked {
		p.space()
	}
	start := p.at
	for p.at < len(p.text) && wordByte(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at], marked
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '+' || c == '.'
}

func (p *parser) value(t *component.Type) (canon.Value, error) {
	switch t.Kind {
	case component.Char:
		return p.char()
	case component.String:
		s, err := p.quoted('"')
		return canon.Value{Text: s}, err
	case component.List:
		return p.list(t)
	case component.Tuple:
		return p.tuple(t)
	case component.Record:
		return p.record(t)
	case component.Flags:
		return p.flags(t)
	case component.Own, component.Borrow:
		return p.handle(t)
	case component.Variant, component.Enum, component.Option, component.Result:
		return p.variant(t)
	}
	return p.number(t)
}

func (p *parser) number(t *component.Type) (canon.Value, error) {
	start := p.at
	w, marked := p.word()
	bits, err := number(t.Kind, w)
	if err != nil || marked {
		p.at = start
		p.space()
		return canon.Value{}, p.expected("a " + t.Kind.String())
	}
	return canon.Value{Bits: bits}, nil
}

func number(k component.Kind, w string) (uint64, error) {
	switch k {
	case component.Bool:
		i := slices.Index([]string{"false", "true"}, w)
		if i < 0 {
			return 0, errors.New("no bool")
		}
		return uint64(i), nil
	case component.F32, component.F64:
		return float(k, w)
	case component.S8, component.S16, component.S32, component.S64:
		v, err := strconv.ParseInt(w, 10, 8<<((k-component.S8)/2))
		return uint64(v), err
	}
	return strconv.ParseUint(w, 10, 8<<((k-component.U8)/2))
}

func float(k component.Kind, w string) (uint64, error) {
	letters := strings.TrimRight(strings.TrimLeft(w, "-0123456789."), "0123456789+-")
	switch {
	case w == "nan" && k == component.F32:
		return 0x7fc00000, nil
	case w == "nan":
		return 0x7ff8000000000000, nil
	case w != "inf" && w != "-inf" && letters != "" && letters != "e" && letters != "E":
		return 0, errors.New("no float")
	}
	if k == component.F32 {
		f, err := strconv.ParseFloat(w, 32)
		return uint64(math.Float32bits(float32(f))), err
	}
	f, err := strconv.ParseFloat(w, 64)
	return math.Float64bits(f), err
}

// sequence reads elements up to the closing token; a comma may stand before it.
func (p *parser) sequence(closing string, elem func(i int) error) error {
	for i := 0; !p.take(closing); i++ {
		if i > 0 {
			if err := p.must(","); err != nil {
				return err
			}
			if p.take(closing) {
				return nil
			}
		}
		if err := elem(i); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) list(t *component.Type) (canon.Value, error) {
	if err := p.must("["); err != nil {
		return canon.Value{}, err
	}
	var out canon.Value
	var bytes []byte
	elem := t.Elems[0]
	err := p.sequence("]", func(int) error {
		v, err := p.value(elem)
		if canon.Packed(elem) {
			bytes = canon.AppendPacked(bytes, elem, v)
		} else {
			out.Elems = append(out.Elems, v)
		}
		return err
	})
	out.Text = string(bytes)
	return out, err
}

func (p *parser) tuple(t *component.Type) (canon.Value, error) {
	if err := p.must("("); err != nil {
		return canon.Value{}, err
	}
	var out canon.Value
	err := p.sequence(")", func(i int) error {
		if i >= len(t.Elems) {
			return p.fail("the tuple has %d elements", len(t.Elems))
		}
		v, err := p.value(t.Elems[i])
		out.Elems = append(out.Elems, v)
		return err
	})
	if err == nil && len(out.Elems) != len(t.Elems) {
		err = p.fail("the tuple has %d elements, not %d", len(t.Elems), len(out.Elems))
	}
	return out, err
}

func (p *parser) record(t *component.Type) (canon.Value, error) {
	out := canon.Value{Elems: make([]canon.Value, len(t.Elems))}
	seen := make([]bool, len(t.Elems))
	if err := p.must("{"); err != nil {
		return out, err
	}
	if !p.take(":") {
		if err := p.fields(t, out.Elems, seen); err != nil {
			return out, err
		}
	} else if err := p.must("}"); err != nil {
		return out, err
	}
	for i, e := range t.Elems {
		if !seen[i] && e.Kind != component.Option {
			return out, p.fail("field %s is missing", t.Labels[i])
		}
	}
	return out, nil
}

func (p *parser) fields(t *component.Type, out []canon.Value, seen []bool) error {
	return p.sequence("}", func(int) error {
		name, _ := p.word()
		i := slices.Index(t.Labels, name)
		if i < 0 || seen[i] {
			return p.fail("%q is no field, or there twice: fields are %s", name,
				strings.Join(t.Labels, ", "))
		}
		seen[i] = true
		err := p.must(":")
		if err == nil {
			out[i], err = p.value(t.Elems[i])
		}
		return err
	})
}

func (p *parser) flags(t *component.Type) (canon.Value, error) {
	var out canon.Value
	if err := p.must("{"); err != nil {
		return out, err
	}
	err := p.sequence("}", func(int) error {
		name, _ := p.word()
		i := slices.Index(t.Labels, name)
		if i < 0 || out.Bits>>i&1 != 0 {
			return p.fail("%q is no flag, or there twice: flags are %s", name,
				strings.Join(t.Labels, ", "))
		}
		out.Bits |= 1 << i
		return nil
	})
	return out, err
}

func (p *parser) handle(t *component.Type) (canon.Value, error) {
	if err := p.must(t.Resource.Name); err != nil {
		return canon.Value{}, err
	}
	if err := p.must("("); err != nil {
		return canon.Value{}, err
	}
	v, err := p.value(&component.Type{Kind: component.U32})
	if err == nil {
		err = p.must(")")
	}
	return v, err
}

// variant reads a case. What is no case may be the payload alone, of an option or result.
func (p *parser) variant(t *component.Type) (canon.Value, error) {
	start := p.at
	name, marked := p.word()
	i := caseOf(t, name, marked)
	if i < 0 {
		p.at = start
		return p.bare(t)
	}
	out := canon.Value{Bits: uint64(i)}
	payload := t.Case(i)
	if payload == nil {
		return out, nil
	}
	if err := p.must("("); err != nil {
		return out, err
	}
	v, err := p.value(payload)
	if err == nil {
		err = p.must(")")
	}
	out.Elems = []canon.Value{v}
	return out, err
}

func caseOf(t *component.Type, name string, marked bool) int {
	for i := range t.Cases() {
		l, own := label(t, i)
		if l == name && (marked && !own || !marked && (own || !keyword(l))) {
			return i
		}
	}
	return -1
}

// bare reads the payload of "some" or "ok" without its case.
func (p *parser) bare(t *component.Type) (canon.Value, error) {
	i := 0
	if t.Kind == component.Option {
		i = 1
	}
	payload := t.Case(i)
	special := t.Kind == component.Option || t.Kind == component.Result
	if !special || payload == nil || payload.Kind == component.Option ||
		payload.Kind == component.Result {
		p.space()
		return canon.Value{}, p.expected("a case of " + t.String())
	}
	v, err := p.value(payload)
	return canon.Value{Bits: uint64(i), Elems: []canon.Value{v}}, err
}

func (p *parser) char() (canon.Value, error) {
	s, err := p.quoted('\'')
	runes := []rune(s)
	if err == nil && len(runes) != 1 {
		err = p.fail("a char is one character, not %d", len(runes))
	}
	if err != nil {
		return canon.Value{}, err
	}
	return canon.Value{Bits: uint64(runes[0])}, nil
}
