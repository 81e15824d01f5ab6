package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a value takes beside its text once it is read: an object may become a Call.
const (
	objectWeight = 512
	valueWeight  = 32
)

// weightMax is more than any answer that is of use: sums and products stay below an overflow.
const weightMax = 1 << 40

// Weight is about how many bytes the cases of a file take once they are read, never fewer: all that
// is repeated is written out. It writes out nothing.
func Weight(text []byte) (int64, error) {
	w := weigher{json.NewDecoder(bytes.NewReader(text))}
	w.d.UseNumber()
	weight, err := w.value()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, fmt.Errorf("no good JSON: %w", err)
	}
	return weight.said + weight.beside, nil
}

type weigher struct{ d *json.Decoder }

// weight is that of a value: what it says, which may be repeated, and what it takes beside that.
type weight struct{ said, beside int64 }

func (w *weight) add(o weight) {
	w.said, w.beside = min(w.said+o.said, weightMax), min(w.beside+o.beside, weightMax)
}

func (w weigher) value() (weight, error) {
	out := weight{beside: valueWeight}
	token, err := w.d.Token()
	if err != nil {
		return out, err
	}
	switch t := token.(type) {
	case string:
		out.said = int64(len(t))
	case json.Number:
		out.said = int64(len(t))
	case json.Delim:
		if t == '{' {
			return w.object()
		}
		for w.d.More() {
			one, err := w.value()
			if err != nil {
				return out, err
			}
			out.add(one)
		}
		_, err = w.d.Token()
	}
	return out, err
}

// object weighs an object, one that repeats something as often as it says. A key that is there
// twice, or in other letters, is read too: the largest counts.
func (w weigher) object() (weight, error) {
	out, repeated, times := weight{beside: objectWeight}, int64(0), int64(1)
	for w.d.More() {
		key, err := w.d.Token()
		if err != nil {
			return out, err
		}
		name, _ := key.(string) // the decoder lets nothing else pass
		out.beside += int64(len(name))
		if strings.EqualFold(name, "times") {
			n, err := w.number()
			if err != nil {
				return out, err
			}
			times = max(times, n)
			continue
		}
		one, err := w.value()
		if err != nil {
			return out, err
		}
		if strings.EqualFold(name, "repeat") {
			repeated = max(repeated, one.said)
		}
		out.add(one)
	}
	_, err := w.d.Token()
	if repeated > weightMax/times {
		repeated, times = weightMax, 1
	}
	out.add(weight{said: repeated * times})
	return out, err
}

// number is a whole number; 1 if it is none, since it will not be read then.
func (w weigher) number() (int64, error) {
	var text json.RawMessage
	if err := w.d.Decode(&text); err != nil {
		return 0, err
	}
	n := int64(1)
	if json.Unmarshal(text, &n) != nil {
		return 1, nil
	}
	return n, nil
}
