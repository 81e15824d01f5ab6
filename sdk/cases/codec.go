package cases

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Connection is what begins a session.
type Connection struct {
	ClientID      string   `json:"client-id,omitempty"`
	Username      *string  `json:"username,omitempty"`
	Password      *Bytes   `json:"password,omitempty"`
	CleanStart    bool     `json:"clean-start,omitempty"`
	SessionExpiry uint32   `json:"session-expiry,omitempty"`
	KeepAlive     uint16   `json:"keep-alive,omitempty"`
	Will          *Message `json:"will,omitempty"`
}

// Publication is a message with the number that it has for the codec: of a publish that of the
// answer, of a deliver what received must say.
type Publication struct {
	Message
	ID uint32 `json:"id,omitempty"`
}

// Subscription is that of a subscribe; an unsubscribe has no QoS.
type Subscription struct {
	Filter string `json:"filter"`
	QoS    byte   `json:"qos,omitempty"`
	ID     uint32 `json:"id,omitempty"`
}

// Request is what a codec reads: one of the fields, or Word, "ping" or "disconnect".
type Request struct {
	Connect     *Connection   `json:"connect,omitempty"`
	Publish     *Publication  `json:"publish,omitempty"`
	Subscribe   *Subscription `json:"subscribe,omitempty"`
	Unsubscribe *Subscription `json:"unsubscribe,omitempty"`
	Received    *uint32       `json:"received,omitempty"`
	Word        string        `json:"-"`
}

// Welcome is how the broker took a connect.
type Welcome struct {
	ReasonCode     byte   `json:"reason-code,omitempty"`
	SessionPresent bool   `json:"session-present,omitempty"`
	ClientID       string `json:"client-id,omitempty"`
	KeepAlive      uint16 `json:"keep-alive,omitempty"`
}

// Result is how the broker took another request.
type Result struct {
	ID         uint32 `json:"id,omitempty"`
	ReasonCode byte   `json:"reason-code,omitempty"`
}

// Event is what a codec writes: one of the fields, or Word, "pong".
type Event struct {
	Connected    *Welcome     `json:"connected,omitempty"`
	Deliver      *Publication `json:"deliver,omitempty"`
	Published    *Result      `json:"published,omitempty"`
	Subscribed   *Result      `json:"subscribed,omitempty"`
	Unsubscribed *Result      `json:"unsubscribed,omitempty"`
	Disconnected *byte        `json:"disconnected,omitempty"`
	Word         string       `json:"-"`
}

// Decoded is the answer of a decode. State and Consumed are not looked at where a case has none.
type Decoded struct {
	State    *Bytes    `json:"state,omitempty"`
	Consumed *int      `json:"consumed,omitempty"`
	Requests []Request `json:"requests,omitempty"`
	Output   Bytes     `json:"output,omitempty"`
	Close    *string   `json:"close,omitempty"`
}

// Encoded is the answer of an encode. State is not looked at where a case has none.
type Encoded struct {
	State  *Bytes `json:"state,omitempty"`
	Output Bytes  `json:"output,omitempty"`
	Wait   bool   `json:"wait,omitempty"`
}

// MarshalJSON writes a word, or an object with one field.
func (r Request) MarshalJSON() ([]byte, error) {
	type fields Request
	return oneOf(r.Word, fields(r))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Request) UnmarshalJSON(text []byte) error {
	type fields Request
	return readOne(text, &r.Word, (*fields)(r), "ping", "disconnect")
}

// MarshalJSON writes a word, or an object with one field.
func (e Event) MarshalJSON() ([]byte, error) {
	type fields Event
	return oneOf(e.Word, fields(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Event) UnmarshalJSON(text []byte) error {
	type fields Event
	return readOne(text, &e.Word, (*fields)(e), "pong")
}

func oneOf(word string, fields any) ([]byte, error) {
	if word != "" {
		return plain(word)
	}
	return plain(fields)
}

// readOne reads one of the words, or an object with one field.
func readOne(text []byte, word *string, fields any, words ...string) error {
	if json.Unmarshal(text, word) == nil {
		for _, w := range words {
			if w == *word {
				return nil
			}
		}
		return fmt.Errorf("no case %q; words are %q", *word, words)
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(text, &named); err != nil || len(named) != 1 {
		return errors.New(`one case, as in {"publish": {…}}, or a word`)
	}
	return strictly(text, fields)
}

// unasked takes out of the answer of a codec what a case does not look at.
func unasked(function string, got, want any) {
	g, _ := got.(map[string]any)
	w, ok := want.(map[string]any)
	if !ok || function != "decode" && function != "encode" {
		return
	}
	for _, field := range []string{"state", "consumed"} {
		if _, has := w[field]; !has {
			delete(g, field)
		}
	}
}
