package link

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// DifferencesMax is how many differences a Comparison has: the last ones.
const DifferencesMax = 16

// Comparison is what a shadow has found.
type Comparison struct {
	// For is how long it has compared.
	For time.Duration
	// Matched, Differed and Failed are the questions that were compared: those with the same
	// answer, those with another, and those that the candidate could not answer. What the active
	// version did not want to be asked is among them, with what becomes of it.
	Matched, Differed, Failed uint64
	// LeftOut are copies that found no room.
	LeftOut uint64
	// Active and Candidate are the fuel that the compared answers took, without failed ones and
	// those that only one of them was asked for.
	Active, Candidate uint64
	// Places are what the candidate did place by place, in the order of the changes, with latency
	// and fuel of each answer, failed ones too, but for the first one of each guest. What the
	// active version did is in Health.
	Places []Vitals
	// Differences are the last ones, the latest at the end.
	Differences []Difference
}

// Difference is a question with two answers, for people; long ones are cut. Client, topics and
// payloads are left out where failures are redacted.
type Difference struct {
	Listener          string
	Role              Role
	Position          int
	Client, Topic     string
	Active, Candidate string
}

// MatchRate is the share of the questions that the candidate answered alike, 0 to 1.
func (c *Comparison) MatchRate() float64 {
	return share(c.Matched, c.Matched+c.Differed+c.Failed)
}

// Comparison may be asked at any time; it is zero before the first Shadow.
func (p *Plan) Comparison() Comparison {
	p.mu.Lock()
	g := p.shadowing
	p.mu.Unlock()
	if g == nil {
		return Comparison{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.sum
	c.For, c.LeftOut = time.Since(g.began), g.left.Load()
	c.Differences, c.Places = slices.Clone(c.Differences), slices.Clone(c.Places)
	return c
}

// count adds one answer.
func (g *shadowing) count(c *copied, r *reply, took time.Duration, err error) {
	alike := err == nil && c.reply.like(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &g.sum
	v := &s.Places[c.to.n]
	beside := !c.reply.untimed // what both were asked: only that can be held against each other
	if beside && !r.untimed {
		v.Latency.counts[bucketOf(int64(took))]++
		v.Fuel += r.fuel
	}
	if beside && err == nil {
		s.Active, s.Candidate = s.Active+c.reply.fuel, s.Candidate+r.fuel
	}
	if !errors.Is(err, errNoGuest) && !errors.Is(err, errTooLarge) {
		v.Calls++
	}
	switch {
	case alike:
		s.Matched++
		return
	case err != nil:
		s.Failed++
		v.failed(err)
	default:
		s.Differed++
	}
	if len(s.Differences) == DifferencesMax {
		s.Differences = slices.Delete(s.Differences, 0, 1)
	}
	s.Differences = append(s.Differences, c.difference(r, err))
}

// failed counts a question without an answer.
func (v *Vitals) failed(err error) {
	kind := kindOf(err)
	if errors.Is(err, errNoGuest) {
		kind = faultAbsent
	}
	*v.Faults.of(kind)++
}

func (c *copied) difference(r *reply, err error) Difference {
	at, bare := c.to.at, c.to.of.linker.cfg.RedactFailures
	d := Difference{
		Listener: at.Listener, Role: at.Role, Position: at.Position,
		Active: c.reply.text(at.Role, bare), Candidate: r.text(at.Role, bare),
	}
	if err != nil {
		d.Candidate = "failed: " + string(failureKinds[kindOf(err)])
	}
	if bare {
		return d
	}
	d.Client = cut(c.who.ClientID)
	name := c.question.topic
	if c.message != nil {
		name = c.message.Topic
	}
	d.Topic = cut(string(name))
	if err != nil {
		d.Candidate = "failed: " + cut(err.Error())
	}
	return d
}

// like says whether two answers are the same in what they mean: of messages topic, quality of
// service, retain and payload, where JSON may be written another way.
func (r *reply) like(other *reply) bool {
	return r.code == other.code && slices.EqualFunc(r.messages, other.messages,
		func(a, b broker.Message) bool {
			return a.QoS == b.QoS && a.Retain == b.Retain && bytes.Equal(a.Topic, b.Topic) &&
				samePayload(a.Payload, b.Payload)
		})
}

func samePayload(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var va, vb any
	return decode(a, &va) && decode(b, &vb) && reflect.DeepEqual(va, vb)
}

// decode reads JSON without making its numbers less exact.
func decode(b []byte, v *any) bool {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v) == nil && !d.More()
}

// cutMax is how much of a text a Difference has.
const cutMax = 256

func cut(s string) string {
	if len(s) > cutMax {
		return s[:cutMax] + "…"
	}
	return s
}

// text is the answer for people; bare is without what messages say.
func (r *reply) text(role Role, bare bool) string {
	names := map[Role][]string{
		RoleAuthorizer: {"allow", "next"}, RoleDeduplicator: {"news", "repeated", "unchanged"},
		RoleRouter: {"deliver", "drop", "send"},
	}[role]
	out := ""
	if n := int(r.code & 0xff); n < len(names) {
		out = names[n]
	} else if names != nil {
		out = fmt.Sprintf("deny %#x", r.code)
	} else if len(r.messages) == 0 {
		out = "drop"
	}
	if reach := r.code >> 8; reach > 0 {
		out += fmt.Sprintf(", reach %d", reach)
	}
	for i := range r.messages {
		m := &r.messages[i]
		if bare {
			out += fmt.Sprintf(" QoS %d, %d bytes", m.QoS, len(m.Payload))
			continue
		}
		out += fmt.Sprintf(" %s (QoS %d) %q", m.Topic, m.QoS, cut(string(m.Payload)))
	}
	return cut(strings.TrimSpace(out))
}
