package guesttest

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
	"github.com/hpmq/hpmq/sdk/guest/go/router"
)

// The functions of this file put answers into the form of Call.Answer: the words of the contract. A
// number that the contract has no word for becomes "?".

// word is the i-th of words.
func word(i uint32, words ...string) string {
	if int(i) < len(words) {
		return words[i]
	}
	return "?"
}

// AuthorizeAnswer is as {"decision": "allow"|"next"|reason code, "scope": …, "seconds": n}.
func AuthorizeAnswer(v uint32) any {
	a := authorizer.Answer(v)
	m := map[string]any{
		"decision": int(a.Decision()),
		"scope":    word(uint32(a.Scope()), "once", "topic", "action"),
	}
	switch a.Decision() {
	case 0:
		m["decision"] = "allow"
	case 1:
		m["decision"] = "next"
	}
	if s := v >> 10; s != 0 {
		m["seconds"] = s
	}
	return m
}

// TransformAnswer is "keep", "drop" or the list of messages; of those, qos 0 and retain false are
// left out.
func TransformAnswer(outcome uint32, list []guest.Message) any {
	if outcome != 2 {
		return word(outcome, "keep", "drop")
	}
	out := []any{}
	for _, m := range list {
		e := map[string]any{"topic": m.Topic, "payload": string(m.Payload)}
		if m.QoS != 0 {
			e["qos"] = m.QoS
		}
		if m.Retain {
			e["retain"] = true
		}
		out = append(out, e)
	}
	return out
}

// CheckAnswer is the freshness.
func CheckAnswer(v uint32) any { return word(v, "news", "repeated", "unchanged") }

// ShareAnswer is the strategy.
func ShareAnswer(v uint32) any { return word(v, "round-robin", "random", "sticky", "topic-hash") }

// RouteAnswer is "deliver", "drop" or {"redirect", "copies", "reach"}, without what is empty.
func RouteAnswer(outcome uint32, r *router.Route) any {
	if outcome != 2 {
		return word(outcome, "deliver", "drop")
	}
	m := map[string]any{"reach": word(uint32(r.Reach), "local", "region", "global")}
	if len(r.Copies) > 0 {
		m["copies"] = r.Copies
	}
	if r.Redirect != "" {
		m["redirect"] = r.Redirect
	}
	return m
}

// AuthenticateAnswer is "next", {"allow": …}, {"deny": reason code, "text": …} or {"challenge":
// data}.
func AuthenticateAnswer(a *authenticator.Answer) any {
	switch a.Kind {
	case authenticator.KindAllow:
		g := map[string]any{}
		if a.Grant.Username != "" {
			g["username"] = a.Grant.Username
		}
		if a.Grant.Tenant != "" {
			g["tenant"] = a.Grant.Tenant
		}
		if a.Grant.ExpiresIn != 0 {
			g["expires-in"] = a.Grant.ExpiresIn
		}
		if len(a.Grant.Data) > 0 {
			g["data"] = string(a.Grant.Data)
		}
		return map[string]any{"allow": g}
	case authenticator.KindDeny:
		return map[string]any{"deny": a.Reason, "text": a.Text}
	case authenticator.KindChallenge:
		return map[string]any{"challenge": string(a.Data)}
	}
	return word(uint32(a.Kind), "?", "?", "?", "next")
}
