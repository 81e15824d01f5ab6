package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Message is a message in an answer.
type Message struct {
	Topic   Bytes `json:"topic"`
	Payload Bytes `json:"payload"`
	QoS     byte  `json:"qos,omitempty"`
	Retain  bool  `json:"retain,omitempty"`
}

// Decision is the answer of an authorizer.
type Decision struct {
	// Decision is "allow", "next" or a reason code, a number.
	Decision any    `json:"decision"`
	Scope    string `json:"scope"`
	Seconds  uint32 `json:"seconds,omitempty"`
}

// Route is where a router sends a message.
type Route struct {
	Redirect Bytes   `json:"redirect,omitempty"`
	Copies   []Bytes `json:"copies,omitempty"`
	Reach    string  `json:"reach"`
}

// Grant is what an authenticator allows.
type Grant struct {
	Username  string `json:"username,omitempty"`
	Tenant    string `json:"tenant,omitempty"`
	ExpiresIn uint32 `json:"expires-in,omitempty"`
	Data      Bytes  `json:"data,omitempty"`
}

// Verdict is the answer of an authenticator that is more than "next".
type Verdict struct {
	Allow     *Grant `json:"allow,omitempty"`
	Deny      *byte  `json:"deny,omitempty"`
	Text      string `json:"text,omitempty"`
	Challenge *Bytes `json:"challenge,omitempty"`
}

// Text is an answer as it stands in a file: of a word, of []Message or of one of the types above.
func Text(answer any) (json.RawMessage, error) {
	text, err := plain(answer)
	if err != nil {
		return nil, fmt.Errorf("cases: text: %w", err)
	}
	return text, nil
}

// Agree says whether got, as Text wrote it, is what want asks for. Spelling does not count; a
// single word asks for no more than that case.
func Agree(function string, got, want json.RawMessage) (bool, error) {
	want, err := normal(function, want)
	if err != nil {
		return false, fmt.Errorf("cases: answer %.60s: %w", want, err)
	}
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		return false, fmt.Errorf("cases: answer %.60s: %w", got, err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		return false, fmt.Errorf("cases: answer %.60s: %w", want, err)
	}
	unasked(function, a, b)
	if word, ok := b.(string); ok {
		return word == caseOf(a), nil
	}
	return reflect.DeepEqual(a, b), nil
}

// caseOf is the one word of an answer.
func caseOf(answer any) string {
	if word, ok := answer.(string); ok {
		return word
	}
	m, ok := answer.(map[string]any)
	if !ok {
		return "replace"
	}
	for _, word := range []string{"allow", "deny", "challenge"} {
		if _, ok := m[word]; ok {
			return word
		}
	}
	switch d := m["decision"].(type) {
	case string:
		return d
	case float64:
		return "deny"
	}
	return "send"
}

// normal is want in the spelling of Text.
func normal(function string, want json.RawMessage) (json.RawMessage, error) {
	if want = bytes.TrimSpace(want); len(want) == 0 || want[0] == '"' {
		return want, nil
	}
	var to any
	switch function {
	case "authorize":
		if want[0] == '[' {
			return fromThree(want)
		}
		to = &Decision{}
	case "upstream", "downstream", "publish":
		to = &[]Message{}
	case "route":
		to = &Route{}
	case "authenticate":
		to = &Verdict{}
	case "decode":
		to = &Decoded{}
	case "encode":
		to = &Encoded{}
	default:
		return want, nil
	}
	if err := strictly(want, to); err != nil {
		return want, err
	}
	return Text(to)
}

// fromThree reads [decision, scope, seconds].
func fromThree(want json.RawMessage) (json.RawMessage, error) {
	d := Decision{}
	three := []any{&d.Decision, &d.Scope, &d.Seconds}
	if err := json.Unmarshal(want, &three); err != nil {
		return want, err
	}
	if len(three) != 3 {
		return want, fmt.Errorf("%d values, want decision, scope, seconds", len(three))
	}
	return Text(d)
}
