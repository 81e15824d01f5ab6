package policy

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Errors and answers in the words of the contract.
var errFail = errors.New("told to fail")

// Configure answers the error that configure fails with, or nil.
func Configure(config string) error {
	if strings.Contains(config, `"fail"`) {
		return errFail
	}
	return nil
}

// Actions are those of authorizer.action, in their order.
const (
	Publish = iota
	Subscribe
	Will
	Deliver
)

// Scopes of an answer.
const (
	once = iota
	topic
	action
)

const (
	allow         = 0
	next          = 1
	notAuthorized = 0x87
	quotaExceeded = 0x97
)

// Question is what the functions are asked; authorize looks at no Payload, the others at no Action.
type Question struct {
	ClientID, Username, Topic string
	Payload                   []byte
	Action                    uint32
	QoS                       byte
	Retain                    bool
}

// Message is one of an answer.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
}

// Outcome is the answer of upstream and downstream.
type Outcome struct {
	// Kind is Keep, Drop or Replace.
	Kind     int
	Messages []Message
}

// Equal says whether a and b are the same answer, byte for byte.
func (a Outcome) Equal(b Outcome) bool {
	return a.Kind == b.Kind && slices.EqualFunc(a.Messages, b.Messages, func(a, b Message) bool {
		return a.Topic == b.Topic && a.QoS == b.QoS && a.Retain == b.Retain &&
			bytes.Equal(a.Payload, b.Payload)
	})
}

// String is for people.
func (a Outcome) String() string {
	words := []string{"keep", "drop", "replace"}
	if a.Kind < 0 || a.Kind >= len(words) {
		return fmt.Sprintf("outcome %d", a.Kind)
	}
	s := words[a.Kind]
	for _, m := range a.Messages {
		s += fmt.Sprintf(" %q=%q qos %d retain %t", m.Topic, m.Payload, m.QoS, m.Retain)
	}
	return s
}

// The cases of transformer.outcome.
const (
	Keep = iota
	Drop
	Replace
)

// Verdict packs the answer of authorize.
func Verdict(decision, scope, seconds uint32) uint32 {
	return decision | scope<<8 | seconds<<10
}

// Authorize is the rules of authorize, in their order.
func Authorize(q Question) uint32 {
	own := strings.HasPrefix(q.Topic, "devices/"+q.ClientID+"/")
	devices := strings.HasPrefix(q.Topic, "devices/")
	level, _, _ := strings.Cut(q.Topic, "/")
	publishes := q.Action == Publish || q.Action == Will
	subscribes := q.Action == Subscribe
	switch {
	case q.Username == "admin":
		return Verdict(allow, action, 300)
	case strings.HasPrefix(q.Topic, "$"):
		return Verdict(notAuthorized, once, 0)
	case q.ClientID == "" || strings.ContainsAny(q.ClientID, "/+#"):
		return Verdict(notAuthorized, action, 0)
	case q.Action == Will && q.QoS == 2:
		return Verdict(quotaExceeded, once, 0)
	case publishes && own:
		return Verdict(allow, topic, 60)
	case publishes && devices:
		return Verdict(notAuthorized, topic, 60)
	case subscribes && (level == "#" || level == "+"):
		return Verdict(notAuthorized, topic, 0)
	case subscribes && (own || strings.HasPrefix(q.Topic, "public/")):
		return Verdict(allow, topic, 60)
	case subscribes && devices:
		return Verdict(notAuthorized, topic, 60)
	case q.Action == Deliver:
		return Verdict(allow, action, 0)
	}
	return Verdict(next, once, 0)
}

// Upstream is the rules of upstream, in their order.
func Upstream(q Question) Outcome {
	switch {
	case strings.HasSuffix(q.Topic, "/secret"):
		return Outcome{Kind: Drop}
	case strings.HasSuffix(q.Topic, "/raw"):
		name := strings.TrimSuffix(q.Topic, "/raw") + "/json"
		return replace(Message{name, pairs(q.Payload), q.QoS, q.Retain})
	case strings.HasSuffix(q.Topic, "/batch") && len(q.Topic) > len("/batch"):
		return batch(q)
	}
	if at := temp(q.Payload); at >= 0 {
		p := bytes.Join([][]byte{q.Payload[:at], q.Payload[at+len("temp"):]}, []byte("temperature"))
		return replace(Message{q.Topic, p, q.QoS, q.Retain})
	}
	return Outcome{}
}

// Downstream is the rule of downstream.
func Downstream(q Question) Outcome {
	if !object(q.Payload) {
		return Outcome{}
	}
	first, last := bytes.IndexByte(q.Payload, '{'), bytes.LastIndexByte(q.Payload, '}')
	p := bytes.Clone(q.Payload[:last])
	if len(trim(p[first+1:])) > 0 {
		p = append(p, ',')
	}
	p = append(p, `"to":"`...)
	p = append(escape(p, []byte(q.ClientID)), '"')
	p = append(p, q.Payload[last:]...)
	return replace(Message{q.Topic, p, q.QoS, q.Retain})
}

func replace(list ...Message) Outcome { return Outcome{Kind: Replace, Messages: list} }

func trim(b []byte) []byte { return bytes.Trim(b, " \t\n\r") }

func object(b []byte) bool {
	b = trim(b)
	return len(b) >= 2 && b[0] == '{' && b[len(b)-1] == '}'
}

// number is the grammar of RFC 8259, section 6.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z`)

// pairs is the payload of "/raw" as a JSON object.
func pairs(payload []byte) []byte {
	out := []byte{'{'}
	for part := range bytes.SplitSeq(payload, []byte(";")) {
		if len(part) == 0 {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		key, value, _ := bytes.Cut(part, []byte("="))
		out = append(escape(append(out, '"'), key), `":`...)
		if number.Match(value) {
			out = append(out, value...)
			continue
		}
		out = append(escape(append(out, '"'), value), '"')
	}
	return append(out, '}')
}

func escape(out, s []byte) []byte {
	const digits = "0123456789abcdef"
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return out
}

// end is the index of the quote that ends the string which begins at from, or -1.
func end(b []byte, from int) int {
	for i := from + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// batch is rule 3.
func batch(q Question) Outcome {
	p := trim(q.Payload)
	if len(p) < 2 || p[0] != '[' || p[len(p)-1] != ']' {
		return Outcome{}
	}
	p = p[1 : len(p)-1]
	if len(trim(p)) == 0 {
		return Outcome{Kind: Drop}
	}
	parts, ok := split(p)
	if !ok {
		return Outcome{}
	}
	name := strings.TrimSuffix(q.Topic, "/batch")
	list := make([]Message, len(parts))
	for i, part := range parts {
		list[i] = Message{Topic: name, Payload: part, QoS: q.QoS}
	}
	return replace(list...)
}

// split cuts p at its commas, false if it is malformed.
func split(p []byte) (parts [][]byte, ok bool) {
	depth, from := 0, 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '"':
			if i = end(p, i); i < 0 {
				return nil, false
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return nil, false
			}
		case ',':
			if depth == 0 {
				parts = append(parts, trim(p[from:i]))
				from = i + 1
			}
		}
	}
	parts = append(parts, trim(p[from:]))
	for _, part := range parts {
		ok = len(part) > 0
		if !ok {
			break
		}
	}
	return parts, ok && depth == 0
}

// temp is the index of the key's first letter in p, or -1.
func temp(p []byte) int {
	if !object(p) {
		return -1
	}
	depth := 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			last := end(p, i)
			if last < 0 {
				return -1
			}
			after := bytes.TrimLeft(p[last+1:], " \t\n\r")
			key := string(p[i+1:last]) == "temp" && bytes.HasPrefix(after, []byte(":"))
			if depth == 1 && key {
				return i + 1
			}
			i = last
		}
	}
	return -1
}
