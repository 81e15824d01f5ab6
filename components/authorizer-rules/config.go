package rules

import (
	"net/netip"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
)

// builtIn is the configuration of an authorizer that was given none: everything but what would let
// a client speak as the broker.
const builtIn = `{"rules":[{"effect":"deny","actions":["publish","will"],"topics":["$SYS/#"]}]}`

// usual are the actions of a rule that names none. Deliver is asked for by name only, since it
// costs a question for each receiver.
const usual = 1<<authorizer.Publish | 1<<authorizer.Subscribe | 1<<authorizer.Will

// Configure reads the rules.
func (r *Rules) Configure(config string) (guest.Interest, error) {
	*r = Rules{}
	o := settings.Parse(config)
	if o.Err() == nil && len(o.Names()) == 0 {
		o = settings.Parse(builtIn)
	}
	o.Known("rules", "default")
	switch o.OneOf("default", "allow", "allow", "deny", "next") {
	case "allow":
		r.fallback = authorizer.Allow
	case "deny":
		r.fallback = authorizer.Deny(authorizer.NotAuthorized)
	case "next":
		r.fallback = authorizer.Next
	}
	for _, line := range o.Objects("rules") {
		r.rules = append(r.rules, readRule(line))
	}
	if o.Err() != nil {
		return guest.Interest{}, o.Err()
	}
	return r.interest(), nil
}

func readRule(o *settings.Object) rule {
	o.Known("effect", "actions", "clients", "users", "tenants", "addresses", "topics")
	r := rule{
		answer:  authorizer.Allow,
		actions: readActions(o),
		clients: o.Texts("clients"),
		users:   o.Texts("users"),
		tenants: o.Texts("tenants"),
	}
	if o.OneOf("effect", "", "allow", "deny") == "deny" {
		r.answer = authorizer.Deny(authorizer.NotAuthorized)
	}
	for _, s := range o.Texts("addresses") {
		p, err := readPrefix(s)
		if err != nil {
			o.Fail("addresses", s+" is neither an address nor a prefix as 10.0.0.0/8")
		}
		r.addresses = append(r.addresses, p)
	}
	for _, s := range o.Texts("topics") {
		f, wrong := parseFilter(s)
		if wrong != "" {
			o.Fail("topics", "filter "+s+" "+wrong)
		}
		r.topics = append(r.topics, f)
	}
	for _, key := range []string{"actions", "clients", "users", "tenants", "addresses", "topics"} {
		// An empty list would read as "nobody" to a person and as "anybody" here.
		if raw := o.Raw(key); raw != "" && len(o.Texts(key)) == 0 {
			o.Fail(key, "the list is empty; leave the key out to mean any")
		}
	}
	return r
}

func readActions(o *settings.Object) uint8 {
	list := o.Texts("actions")
	if list == nil {
		return usual
	}
	var bits uint8
	for _, s := range list {
		switch s {
		case "publish":
			bits |= 1 << authorizer.Publish
		case "subscribe":
			bits |= 1 << authorizer.Subscribe
		case "will":
			bits |= 1 << authorizer.Will
		case "deliver":
			bits |= 1 << authorizer.Deliver
		default:
			o.Fail("actions", s+" is not one of publish, subscribe, will, deliver")
		}
	}
	return bits
}

func readPrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// interest is what must be asked: where the fallback allows, only what some rule denies.
func (r *Rules) interest() guest.Interest {
	var in guest.Interest
	if r.fallback != authorizer.Allow {
		in.Inbound = []string{"#"}
	}
	for i := range r.rules {
		rule := &r.rules[i]
		if rule.answer == authorizer.Allow {
			continue
		}
		if rule.actions&usual != 0 {
			in.Inbound = rule.addTo(in.Inbound)
		}
		if rule.actions&(1<<authorizer.Deliver) != 0 {
			in.Outbound = rule.addTo(in.Outbound)
		}
	}
	return in
}

func (r *rule) addTo(list []string) []string {
	if len(r.topics) == 0 {
		return add(list, "#")
	}
	for i := range r.topics {
		list = add(list, r.topics[i].mqtt())
	}
	return list
}

// add keeps the list without doubles, and with "#" nothing else.
func add(list []string, s string) []string {
	if len(list) == 1 && list[0] == "#" {
		return list
	}
	if s == "#" {
		return []string{"#"}
	}
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
