package configs

import (
	"fmt"
	"strings"
	"time"
)

// LogFiltersMax bounds the filters of one message log.
const LogFiltersMax = 64

// What MessageLog.Payload can be.
const (
	PayloadFull     = "full"
	PayloadNone     = "none"
	PayloadRedacted = "redacted" // what a component makes of it
)

// MessageLog says what is logged of the messages that arrive at a listener, in DataDir/log.
type MessageLog struct {
	// Filters name the topics.
	Filters []string `yaml:"filters"`
	// Payload is full, none or redacted.
	Payload string `yaml:"payload"`
	// Redact is the component, of the role of a transformer, that is asked about each record when
	// Payload is redacted.
	Redact *Component `yaml:"redact,omitempty"`
	// PayloadBytesMax bounds what is kept of one payload.
	PayloadBytesMax Size `yaml:"payload_bytes_max"`
	// AgeMax and BytesMax bound what is kept, compressed; the oldest goes first.
	AgeMax   Duration `yaml:"age_max"`
	BytesMax Size     `yaml:"bytes_max"`
}

// DefaultMessageLog is of a listener that says log: {}.
func DefaultMessageLog() MessageLog {
	return MessageLog{
		Filters: []string{"#"}, Payload: PayloadFull, PayloadBytesMax: 64 * KiB,
		AgeMax:   Duration(7 * day),
		BytesMax: 256 * MiB, // some ten million small messages
	}
}

func (m *MessageLog) validate(ps *Problems, at string) {
	if len(m.Filters) == 0 || len(m.Filters) > LogFiltersMax {
		ps.add(at+".filters", "must be 1 to %d; write [\"#\"] for every topic", LogFiltersMax)
	}
	for i, f := range m.Filters {
		if !filterLike(f) {
			ps.add(fmt.Sprintf("%s.filters[%d]", at, i), "%q is no topic filter; write plant/+/#",
				clip(f))
		}
	}
	oneOf(ps, at+".payload", m.Payload, []string{PayloadFull, PayloadNone, PayloadRedacted})
	switch {
	case m.Payload == PayloadRedacted && m.Redact == nil:
		ps.add(at+".redact", "is missing; name the component that makes of a payload what may be "+
			"kept: redact: {use: transformer-json}")
	case m.Payload != PayloadRedacted && m.Redact != nil:
		ps.add(at+".redact", "is for payload: redacted; leave it out, or write that")
	case m.Redact != nil:
		m.Redact.validate(ps, at+".redact", Transformer)
		if m.Redact.InRegistry() {
			ps.add(at+".redact.use", "is a bundle in a registry; name a default component or a "+
				".wasm file")
		}
		if m.Redact.OnFault == "open" {
			ps.add(at+".redact.on_fault", "is always closed: what cannot be redacted is not kept")
		}
	}
	ps.note(at+".payload_bytes_max", within(m.PayloadBytesMax, 0, 1*MiB))
	ps.note(at+".age_max", within(m.AgeMax, Duration(time.Minute), Duration(3650*day)))
	ps.note(at+".bytes_max", within(m.BytesMax, 1*MiB, 1<<40))
}

// filterLike is true for a topic filter; sdk/topic has the rules.
func filterLike(f string) bool {
	if f == "" || len(f) > 65535 || strings.ContainsRune(f, 0) {
		return false
	}
	levels := strings.Split(f, "/")
	for i, l := range levels {
		last := i == len(levels)-1
		if strings.ContainsAny(l, "+#") && l != "+" && (l != "#" || !last) {
			return false
		}
	}
	return true
}
