package policy

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed cases.json
var casesText []byte

// Case is one golden case.
type Case struct {
	About string
	// Call is "configure", "authorize", "upstream" or "downstream".
	Call   string
	Config string
	Question
	// Error is what configure must fail with, "" if it must not.
	Error string
	// Verdict is the packed answer of authorize.
	Verdict uint32
	// Outcome is the answer of upstream and downstream.
	Outcome Outcome
}

// Cases are the golden cases of cases.json.
func Cases() ([]Case, error) {
	d := json.NewDecoder(bytes.NewReader(casesText))
	d.DisallowUnknownFields()
	var list []written
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("policy: read the cases: %w", err)
	}
	out := make([]Case, len(list))
	for i := range list {
		var err error
		if out[i], err = list[i].read(); err != nil {
			return nil, fmt.Errorf("policy: read case %q: %w", list[i].About, err)
		}
	}
	return out, nil
}

// written is a case as it stands in the file.
type written struct {
	About    string          `json:"about"`
	Call     string          `json:"call"`
	Config   text            `json:"config"`
	ClientID string          `json:"client-id"`
	Username string          `json:"username"`
	Action   string          `json:"action"`
	Topic    text            `json:"topic"`
	Payload  text            `json:"payload"`
	QoS      byte            `json:"qos"`
	Retain   bool            `json:"retain"`
	Answer   json.RawMessage `json:"answer"`
}

// word is what a word of the file stands for, an error if it is none of the words.
func word(w string, words map[string]uint32) (uint32, error) {
	v, ok := words[w]
	if !ok {
		return 0, fmt.Errorf("%s is not a word here", w)
	}
	return v, nil
}

func actionOf(w string) (uint32, error) {
	return word(w, map[string]uint32{
		"publish": Publish, "subscribe": Subscribe, "will": Will, "deliver": Deliver,
	})
}

func (w *written) read() (c Case, err error) {
	c = Case{About: w.About, Call: w.Call, Config: string(w.Config), Question: Question{
		ClientID: w.ClientID, Username: w.Username, Topic: string(w.Topic), Payload: w.Payload,
		QoS: w.QoS, Retain: w.Retain,
	}}
	switch w.Call {
	case "configure":
		if err = json.Unmarshal(w.Answer, &c.Error); c.Error == "ok" {
			c.Error = ""
		}
	case "authorize":
		if c.Action, err = actionOf(w.Action); err != nil {
			return c, err
		}
		c.Verdict, err = verdict(w.Answer)
	case "upstream", "downstream":
		c.Outcome, err = outcome(w.Answer)
	default:
		err = fmt.Errorf("no call %q", w.Call)
	}
	return c, err
}

func verdict(answer []byte) (uint32, error) {
	var parts [3]json.RawMessage
	if err := json.Unmarshal(answer, &parts); err != nil {
		return 0, err
	}
	decision, err := word(string(parts[0]), map[string]uint32{
		`"allow"`: allow, `"next"`: next, "135": notAuthorized, "151": quotaExceeded,
	})
	if err != nil {
		return 0, err
	}
	scope, err := word(string(parts[1]), map[string]uint32{
		`"once"`: once, `"topic"`: topic, `"action"`: action,
	})
	if err != nil {
		return 0, err
	}
	var seconds uint32
	err = json.Unmarshal(parts[2], &seconds)
	return Verdict(decision, scope, seconds), err
}

func outcome(answer []byte) (Outcome, error) {
	switch string(answer) {
	case `"keep"`:
		return Outcome{}, nil
	case `"drop"`:
		return Outcome{Kind: Drop}, nil
	}
	var list []struct {
		Topic   text `json:"topic"`
		Payload text `json:"payload"`
		QoS     byte `json:"qos"`
		Retain  bool `json:"retain"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return Outcome{}, err
	}
	var out []Message
	for _, m := range list {
		out = append(out, Message{string(m.Topic), m.Payload, m.QoS, m.Retain})
	}
	return replace(out...), nil
}

// text is bytes as the file writes them: a string, a part, or a list of those.
type text []byte

// UnmarshalJSON reads them.
func (t *text) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		var s string
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	case '[':
		var list []text
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		*t = bytes.Join(plain(list), nil)
		return nil
	}
	var part struct {
		Hex    string `json:"hex"`
		Repeat text   `json:"repeat"`
		Times  int    `json:"times"`
	}
	if err := json.Unmarshal(b, &part); err != nil {
		return err
	}
	raw, err := hex.DecodeString(part.Hex)
	*t = append(raw, strings.Repeat(string(part.Repeat), part.Times)...)
	return err
}

func plain(list []text) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}
