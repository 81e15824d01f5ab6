package route

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/router"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
	"github.com/hpmq/hpmq/sdk/guest/go/template"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Configure reads the rules.
func (t *Routes) Configure(config string) (guest.Interest, error) {
	*t = Routes{}
	var in guest.Interest
	o := settings.Parse(config)
	o.Known("rules", "shares")
	for _, line := range o.Objects("rules") {
		r := readRule(line)
		t.rules = append(t.rules, r)
		in.Inbound = append(in.Inbound, r.filter)
	}
	for _, line := range o.Objects("shares") {
		t.shares = append(t.shares, readShare(line))
	}
	if o.Err() != nil {
		return guest.Interest{}, o.Err()
	}
	return in, nil
}

func readRule(o *settings.Object) rule {
	o.Known("filter", "clients", "drop", "redirect", "copies", "reach")
	r := rule{
		filter:  o.Text("filter", "#"),
		clients: o.Texts("clients"),
		drop:    o.Bool("drop", false),
	}
	if !topic.ValidFilter([]byte(r.filter)) {
		o.Fail("filter", r.filter+" is not a topic filter")
	}
	if o.Has("clients") && len(r.clients) == 0 {
		o.Fail("clients", "the list is empty; leave the key out to mean any")
	}
	if o.Has("redirect") {
		r.redirect = readTemplate(o, "redirect", o.Text("redirect", ""))
	}
	for _, s := range o.Texts("copies") {
		r.copies = append(r.copies, readTemplate(o, "copies", s))
	}
	switch o.OneOf("reach", "region", "local", "region", "global") {
	case "local":
		r.reach = router.Local
	case "region":
		r.reach = router.Region
	case "global":
		r.reach = router.Global
	}
	goes := o.Has("redirect") || o.Has("copies") || o.Has("reach")
	if r.drop == goes {
		o.Fail("", "want either drop or some of redirect, copies, reach")
	}
	return r
}

func readTemplate(o *settings.Object, key, text string) template.Template {
	made, wrong := template.Parse(text)
	if wrong == "" && made.UsesValues() {
		wrong = "has a field: a router does not see payloads"
	}
	if wrong != "" {
		o.Fail(key, wrong)
	}
	return made
}

func readShare(o *settings.Object) share {
	o.Known("group", "filter", "strategy")
	s := share{group: o.Text("group", "*"), filter: o.Text("filter", "*")}
	switch o.OneOf("strategy", "", "round-robin", "random", "sticky", "topic-hash") {
	case "random":
		s.strategy = router.Random
	case "sticky":
		s.strategy = router.Sticky
	case "topic-hash":
		s.strategy = router.TopicHash
	}
	return s
}
