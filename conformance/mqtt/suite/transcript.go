package suite

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What a transcript keeps of a run: enough for a person, bounded whatever a server sends.
const (
	linesMax = 400
	hexMax   = 256 // bytes of one packet
)

// transcript is what went over the wire, with the notes between.
type transcript struct {
	start time.Time
	lines []string
	lost  int
}

func (l *transcript) note(text string) { l.add("   ", text) }

func (l *transcript) add(mark, text string) {
	if len(l.lines) >= linesMax {
		l.lost++
		return
	}
	ms := time.Since(l.start).Milliseconds()
	l.lines = append(l.lines, fmt.Sprintf("%6d ms %s %s", ms, mark, text))
}

// text is the whole transcript.
func (l *transcript) text() []string {
	if l.lost > 0 {
		return append(l.lines, fmt.Sprintf("… %d more lines", l.lost))
	}
	return l.lines
}

// sent notes what a client sends, and what has to be cleaned up because of it.
func (t *T) sent(c *Client, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.traces.saw(&c.trail, b)
	t.log.add(fmt.Sprintf("%d→", c.id), dump(c.version, t.masked(b)))
}

// assigned notes a session whose client identifier the server chose.
func (t *T) assigned(c *Client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.traces.keeps(&c.trail, c.ID)
}

// masked is b without the password of Options: transcripts are kept and passed on.
func (t *T) masked(b []byte) []byte {
	secret := []byte(t.run.opts.Password)
	if len(secret) == 0 {
		return b
	}
	return bytes.ReplaceAll(b, secret, bytes.Repeat([]byte("*"), len(secret)))
}

func (t *T) received(c *Client, frame []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log.add(fmt.Sprintf("%d←", c.id), dump(c.version, frame))
}

// dump is a packet in words and in hex.
func dump(v mqtt.Version, b []byte) string {
	more := ""
	if len(b) > hexMax {
		more = fmt.Sprintf(" … %d bytes", len(b))
	}
	return describe(v, b) + "  [" + hex.EncodeToString(b[:min(len(b), hexMax)]) + more + "]"
}

// describe is a packet in words; what is no packet is called so.
func describe(v mqtt.Version, b []byte) string {
	n, err := mqtt.Frame(b, frameBytesMax)
	if err != nil || n == 0 || n != len(b) {
		return fmt.Sprintf("%d bytes", len(b))
	}
	t := mqtt.TypeOf(b)
	switch t {
	case mqtt.PUBLISH:
		var p mqtt.Publish
		if p.Decode(v, b) == nil {
			return fmt.Sprintf("PUBLISH %d %q QoS %d retain %t dup %t, %d bytes", p.PacketID,
				p.Topic, p.QoS, p.Retain, p.Dup, len(p.Payload))
		}
	case mqtt.CONNACK:
		var p mqtt.Connack
		if p.Decode(v, b) == nil {
			return fmt.Sprintf("CONNACK %s session present %t", reasonText(p.Reason),
				p.SessionPresent)
		}
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP:
		var p mqtt.Ack
		if p.Decode(v, b) == nil {
			return fmt.Sprintf("%s %d %s", t, p.PacketID, reasonText(p.Reason))
		}
	case mqtt.SUBACK:
		var p mqtt.Suback
		if p.Decode(v, b) == nil {
			return fmt.Sprintf("SUBACK %d %s", p.PacketID, strings.ToLower(fmt.Sprint(p.Reasons)))
		}
	case mqtt.DISCONNECT:
		var p mqtt.Disconnect
		if p.Decode(v, b) == nil {
			return "DISCONNECT " + reasonText(p.Reason)
		}
	}
	return t.String()
}

func reasonText(r mqtt.ReasonCode) string { return fmt.Sprintf("0x%02X %s", byte(r), r) }

func clip(b []byte) []byte { return b[:min(len(b), 64)] }
