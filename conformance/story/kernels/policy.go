package kernels

import (
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/conformance/story"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// policy is the broker.Policy of a story: rules in the order the script gave them, the first that
// fits.
type policy struct {
	rules  []rule
	shares map[string]broker.Strategy
}

// rule is one "policy …" line.
type rule struct {
	what   string // deny, rewrite, drop, split, repeat, route
	when   string // the action or direction; "" for any
	filter string
	client string
	reason mqtt.ReasonCode
	topics []string
	body   *string
	copied bool
}

func (p *policy) find(what, when string, who *broker.Identity, name []byte) *rule {
	for i := range p.rules {
		r := &p.rules[i]
		fits := r.what == what && (r.when == "" || r.when == when)
		if r.client != "" && (who == nil || who.ClientID != r.client) {
			continue
		}
		if fits && (r.filter == string(name) || topic.Match(r.filter, name)) {
			return r
		}
	}
	return nil
}

func (p *policy) Authorize(_ broker.Time, who *broker.Identity, a broker.Action, name []byte,
	_ mqtt.QoS) mqtt.ReasonCode {
	action := [...]string{"publish", "subscribe", "will", "deliver"}[a]
	if r := p.find("deny", action, who, name); r != nil {
		return r.reason
	}
	return mqtt.Success
}

func (p *policy) Transform(
	_ broker.Time, d broker.Direction, who *broker.Identity, m *broker.Message,
	out *[]broker.Message,
) broker.Verdict {
	way := [...]string{"up", "down"}[d]
	if p.find("drop", way, who, m.Topic) != nil {
		return broker.Drop
	}
	r := p.find("rewrite", way, who, m.Topic)
	if r == nil {
		return broker.Keep
	}
	for _, t := range r.topics {
		c := *m
		c.Topic = []byte(t)
		if r.body != nil {
			c.Payload = []byte(*r.body)
		}
		*out = append(*out, c)
	}
	return broker.Replace
}

func (p *policy) Fresh(_ broker.Time, who *broker.Identity, m *broker.Message) bool {
	return p.find("repeat", "", who, m.Topic) == nil
}

func (p *policy) Route(_ broker.Time, who *broker.Identity, m *broker.Message,
	out *[]broker.Message) broker.Verdict {
	r := p.find("route", "", who, m.Topic)
	if r == nil {
		return broker.Keep
	}
	if r.copied {
		*out = append(*out, *m)
	}
	for _, t := range r.topics {
		c := *m
		c.Topic = []byte(t)
		*out = append(*out, c)
	}
	return broker.Replace
}

func (p *policy) Share(group, _ string) broker.Strategy { return p.shares[group] }

// doPolicy adds a rule:
//
//	policy deny publish|subscribe|will|deliver FILTER REASON client=ID
//	policy rewrite up|down FILTER TOPIC… payload=TEXT
//	policy drop up|down FILTER
//	policy repeat FILTER
//	policy route FILTER TOPIC… copy=true
//	policy share GROUP round-robin|random|sticky|topic-hash
//	policy clear
func (w *World) doPolicy(c *story.Command) error {
	if w.policy == nil {
		w.policy = &policy{shares: map[string]broker.Strategy{}}
		w.lis.Policy = w.policy
	}
	what, err := c.Pos(0)
	if err != nil {
		return err
	}
	switch what {
	case "clear":
		w.policy.rules = nil
		return nil
	case "share":
		return w.policy.share(c)
	}
	r := rule{what: what}
	r.client, _ = c.Get("client")
	v, _ := c.Get("copy")
	r.copied = v == "true"
	if body, ok := c.Get("payload"); ok {
		r.body = &body
	}
	at := 1
	if what == "deny" || what == "rewrite" || what == "drop" {
		if r.when, err = c.Pos(at); err != nil {
			return err
		}
		at++
	}
	if r.filter, err = c.Pos(at); err != nil {
		return err
	}
	at++
	if what == "deny" {
		if r.reason, err = reason(c, at); err != nil {
			return err
		}
	}
	for ; what != "deny"; at++ {
		t, err := c.Pos(at)
		if err != nil {
			break
		}
		r.topics = append(r.topics, t)
	}
	w.policy.rules = append(w.policy.rules, r)
	return nil
}

func (p *policy) share(c *story.Command) error {
	group, err1 := c.Pos(1)
	name, err2 := c.Pos(2)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for i, s := range []string{"round-robin", "random", "sticky", "topic-hash"} {
		if s == name {
			p.shares[group] = broker.Strategy(i)
			return nil
		}
	}
	return fmt.Errorf("no strategy %q", name)
}
