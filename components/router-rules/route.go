// Package route is what the component router-rules decides by: rules that say where the messages of
// a filter go, and strategies for shared subscriptions. The first rule that fits wins. It does not
// know how a question reaches it (package router of the guest SDK).
package route

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/filter"
	"github.com/hpmq/hpmq/sdk/guest/go/router"
	"github.com/hpmq/hpmq/sdk/guest/go/template"
	"github.com/tidwall/match"
)

// Routes is the router; one is used by one caller at a time.
type Routes struct {
	rules  []rule
	shares []share
	// text holds the topics made for the message at hand, one behind the other.
	text []byte
}

type rule struct {
	filter   string
	clients  []string
	drop     bool
	redirect template.Template
	copies   []template.Template
	reach    router.Reach
}

// share is the strategy of the shared subscriptions that its globs fit.
type share struct {
	group, filter string
	strategy      router.Strategy
}

// Route finds the first rule that fits.
func (t *Routes) Route(who *guest.Identity, m *guest.Message, r *router.Route) router.Outcome {
	for i := range t.rules {
		rule := &t.rules[i]
		if !anyMatch(rule.clients, who.ClientID) || !filter.Match(rule.filter, m.Topic) {
			continue
		}
		if rule.drop {
			return router.Drop
		}
		t.send(rule, m.Topic, r)
		return router.Send
	}
	return router.Deliver
}

// send fills r. A topic that cannot be made, since the message's own has too few levels, is left
// out: the message still goes where it was published to.
func (t *Routes) send(rule *rule, name string, r *router.Route) {
	t.text = t.text[:0]
	r.Reach = rule.reach
	if len(rule.redirect) > 0 {
		r.Redirect, _ = t.make(rule.redirect, name)
	}
	for _, c := range rule.copies {
		if made, ok := t.make(c, name); ok {
			r.Copies = append(r.Copies, made)
		}
	}
}

func (t *Routes) make(tmpl template.Template, name string) (string, bool) {
	start := len(t.text)
	text, ok := tmpl.Append(t.text, name, nil)
	if !ok {
		return "", false
	}
	t.text = text
	made := text[start:]
	return unsafe.String(unsafe.SliceData(made), len(made)), true
}

// Share finds the first strategy that fits.
func (t *Routes) Share(group, filter string) router.Strategy {
	for _, s := range t.shares {
		if match.Match(group, s.group) && match.Match(filter, s.filter) {
			return s.strategy
		}
	}
	return router.RoundRobin
}

func anyMatch(globs []string, s string) bool {
	for _, g := range globs {
		if match.Match(s, g) {
			return true
		}
	}
	return len(globs) == 0
}
