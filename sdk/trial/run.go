package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/cases"
)

// Outcome is how a component did in one case.
type Outcome struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Calls int    `json:"calls"`
	// Failures are empty if it answered all as it must.
	Failures []Failure `json:"failures,omitempty"`
	// FuelMax is what the most expensive call spent; Fuel is all of them together.
	FuelMax uint64 `json:"fuel_max"`
	Fuel    uint64 `json:"fuel"`
}

// Failure is one answer that is not as it must be.
type Failure struct {
	// Call is its number in the case, -1 for configure.
	Call int    `json:"call"`
	What string `json:"what"`
	Got  string `json:"got"`
	Want string `json:"want,omitempty"`
}

// Subject is the component that is on trial.
type Subject struct {
	link.Ref
	// Roles are those that its exports fit.
	Roles []link.Role
}

// Hold holds a component to a case. What the component does wrong is in the outcome; an error is a
// case that cannot be asked of it.
func (t *Trial) Hold(ctx context.Context, s Subject, c *cases.Case) (Outcome, error) {
	t.Reset()
	h := holding{
		t: t, ctx: ctx, subject: s, c: c, probes: map[link.Role]*link.Probe{},
		out: Outcome{Name: c.Name, About: c.About},
	}
	defer h.close()
	err := h.run()
	return h.out, err
}

// holding is one case at work.
type holding struct {
	t       *Trial
	ctx     context.Context
	subject Subject
	c       *cases.Case
	probes  map[link.Role]*link.Probe
	out     Outcome
}

func (h *holding) close() {
	for _, p := range h.probes {
		p.Close()
	}
}

// line is JSON without the spaces of a file, for one line.
func line(text json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return string(text)
	}
	return out.String()
}

func (h *holding) fail(call int, what, got, want string) {
	h.out.Failures = append(h.out.Failures, Failure{call, what, got, want})
}

// errConfigured says that there is nothing to ask: configuring went wrong, as it is in the outcome.
var errConfigured = errors.New("not configured")

func (h *holding) run() error {
	if len(h.c.Calls) == 0 || h.c.Error != "" {
		if len(h.subject.Roles) == 0 {
			return errors.New("trial: the component fits no role")
		}
		if _, err := h.probe(h.subject.Roles[0]); err != nil && !errors.Is(err, errConfigured) {
			return err
		}
		return nil
	}
	for i := range h.c.Calls {
		call := &h.c.Calls[i]
		role, err := link.ParseRole(cases.RoleOf(call.Function))
		if err != nil {
			return err
		}
		p, err := h.probe(role)
		if errors.Is(err, errConfigured) {
			return nil
		}
		if err != nil {
			return err
		}
		if !h.call(p, i, call) {
			return nil
		}
	}
	return nil
}

// probe is the guest that serves a role, configured as the case says.
func (h *holding) probe(role link.Role) (*link.Probe, error) {
	if p := h.probes[role]; p != nil {
		return p, nil
	}
	ref := h.subject.Ref
	if h.c.Config != nil {
		ref.Config = h.c.Config
	}
	p, err := h.t.Probe(h.ctx, role, ref)
	var step *link.StepError
	if errors.As(err, &step) && step.Step == link.StepConfigure {
		h.refused(said(step.Err))
		return nil, errConfigured
	}
	if err != nil {
		return nil, err
	}
	h.probes[role] = p
	if h.c.Error != "" {
		h.fail(-1, "configure", "ok", h.c.Error)
		return nil, errConfigured
	}
	inbound, outbound := p.Interest()
	h.interest("inbound", inbound, h.c.Inbound)
	h.interest("outbound", outbound, h.c.Outbound)
	return p, nil
}

// said is the text of a component's own error, or the whole of another.
func said(err error) string {
	_, text, own := strings.Cut(err.Error(), "the component says: ")
	if own {
		return text
	}
	return err.Error()
}

func (h *holding) refused(text string) {
	if h.c.Error == "" {
		h.fail(-1, "configure", text, "ok")
	} else if text != h.c.Error {
		h.fail(-1, "configure", text, h.c.Error)
	}
}

func (h *holding) interest(what string, got, want []string) {
	if want != nil && !slices.Equal(got, want) {
		h.fail(-1, what, fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
	}
}

// call asks one call; false if there can be no more.
func (h *holding) call(p *link.Probe, i int, call *cases.Call) bool {
	h.out.Calls++
	h.t.Wait(time.Duration(call.WaitMS) * time.Millisecond)
	for topic, payload := range call.Last {
		h.t.Happened(topic, payload)
	}
	if call.Logged != nil {
		h.t.Logged(call.Logged)
	}
	words := []string{
		call.Function, call.Action, string(call.Topic), call.Filter, string(call.Input),
	}
	what := strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
	got, err := h.t.ask(p, call)
	if err != nil {
		h.fail(i, what, err.Error(), line(call.Answer))
		return false
	}
	_, _, spent := p.Fuel()
	h.out.Fuel += spent
	h.out.FuelMax = max(h.out.FuelMax, spent)
	if call.Answer != nil {
		h.agree(Failure{i, what, string(got), line(call.Answer)}, call.Function)
	}
	published := h.t.Published()
	if call.Published == nil {
		return true
	}
	list := make([]cases.Message, 0, len(published))
	for _, m := range published {
		list = append(list, cases.Message{
			Topic: m.Topic, Payload: m.Payload, QoS: byte(m.QoS), Retain: m.Retain,
		})
	}
	text, err := cases.Text(list)
	if err != nil {
		h.fail(i, what+" publishes", err.Error(), line(call.Published))
		return false
	}
	h.agree(Failure{i, what + " publishes", string(text), line(call.Published)}, "publish")
	return true
}

// agree notes what would be a failure, if it is one.
func (h *holding) agree(f Failure, function string) {
	same, err := cases.Agree(function, json.RawMessage(f.Got), json.RawMessage(f.Want))
	if err != nil {
		f.Got = err.Error()
	}
	if !same {
		h.out.Failures = append(h.out.Failures, f)
	}
}
