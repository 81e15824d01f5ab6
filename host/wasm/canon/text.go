package canon

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// text reads a string. units is its length as it stands in the memory.
func (l *lifter) text(at, units uint32) (Value, error) {
	e := l.side.Encoding
	bytes := TextBytes(e, units)
	if err := inBounds(l.mem, at, bytes, TextAlign(e)); err != nil {
		return Value{}, fmt.Errorf("canon: string content: %w", err)
	}
	if err := l.call.spend(0, bytes); err != nil {
		return Value{}, err
	}
	b := l.mem[at : uint64(at)+bytes]
	out, err := AppendText(make([]byte, 0, len(b)), b, e, units)
	return Value{Text: string(out)}, err
}

// text writes a string into new memory.
func (w *lowerer) text(s string) (at, units uint32, err error) {
	if !utf8.ValidString(s) {
		return 0, 0, errors.New("canon: string is not valid utf-8")
	}
	e := w.side.Encoding
	bytes, units := TextSize(e, s)
	if e == component.UTF8 {
		at, err = w.put(1, s)
		return at, units, err
	}
	if err := w.call.spend(0, bytes); err != nil {
		return 0, 0, err
	}
	out := make([]byte, bytes)
	PutText(out, e, units, s)
	at, err = w.put(TextAlign(e), string(out))
	return at, units, err
}
