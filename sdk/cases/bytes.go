package cases

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Bytes are any bytes, written as the package comment says.
type Bytes []byte

// MarshalJSON writes text as text and the rest in hexadecimal.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return plain(string(b))
	}
	return json.Marshal(map[string]string{"hex": hex.EncodeToString(b)})
}

// plain is JSON text with < and & as they are: it is for people.
func plain(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}

// UnmarshalJSON reads all forms.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	out, err := appendBytes(nil, text, 0)
	if err == nil {
		*b = out
	}
	return err
}

// partsDepthMax bounds how deep repeats may nest.
const partsDepthMax = 8

var errLarge = fmt.Errorf("more than %d bytes", bytesMax)

func appendBytes(dst, text []byte, depth int) ([]byte, error) {
	if depth > partsDepthMax {
		return nil, errors.New("bytes nest too deep")
	}
	switch text = bytes.TrimSpace(text); {
	case len(text) == 0:
		return nil, errors.New("no bytes")
	case text[0] == '"':
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		return within(append(dst, s...))
	case text[0] == '[':
		var parts []json.RawMessage
		if err := json.Unmarshal(text, &parts); err != nil {
			return nil, err
		}
		for _, part := range parts {
			var err error
			if dst, err = appendBytes(dst, part, depth+1); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case text[0] == '{':
		return appendPart(dst, text, depth)
	}
	const forms = `text, {"hex"}, {"repeat", "times"} or a list of these`
	return nil, fmt.Errorf("bytes are %s, not %.20s", forms, text)
}

func appendPart(dst, text []byte, depth int) ([]byte, error) {
	var part struct {
		Hex    *string         `json:"hex"`
		Repeat json.RawMessage `json:"repeat"`
		Times  int             `json:"times"`
	}
	if err := strictly(text, &part); err != nil {
		return nil, err
	}
	if part.Hex != nil {
		raw, err := hex.DecodeString(*part.Hex)
		if err != nil {
			return nil, err
		}
		return within(append(dst, raw...))
	}
	if part.Repeat == nil || part.Times < 0 {
		return nil, errors.New("bytes want hex, or repeat with times")
	}
	one, err := appendBytes(nil, part.Repeat, depth+1)
	if err != nil {
		return nil, err
	}
	if len(one)*min(part.Times, bytesMax+1) > bytesMax {
		return nil, errLarge
	}
	return within(append(dst, bytes.Repeat(one, part.Times)...))
}

func within(b []byte) ([]byte, error) {
	if len(b) > bytesMax {
		return nil, errLarge
	}
	return b, nil
}
