//go:build wasip1

package main

import (
	"errors"
	"strings"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// policy answers both roles. Its buffer holds the bytes of the last answer: they must stay until
// the next call, and one buffer for all answers makes no garbage.
type policy struct {
	buffer []byte
}

var one = &policy{}

var _ = authorizer.Serve(one) && transformer.Serve(one)

func (*policy) Configure(config string) (guest.Interest, error) {
	if strings.Contains(config, `"fail"`) {
		return guest.Interest{}, errors.New("told to fail")
	}
	all := []string{"#"}
	return guest.Interest{Inbound: all, Outbound: all}, nil
}

// quotaExceeded is an MQTT 5 reason code.
const quotaExceeded = 0x97

func (*policy) Authorize(
	who *guest.Identity, a authorizer.Action, topic string, q guest.QoS,
) authorizer.Answer {
	switch {
	case who.Username == "admin":
		return authorizer.Allow.For(authorizer.AnyTopic, 300)
	case strings.HasPrefix(topic, "$"):
		return authorizer.Deny(authorizer.NotAuthorized)
	case who.ClientID == "" || strings.ContainsAny(who.ClientID, "/+#"):
		return authorizer.Deny(authorizer.NotAuthorized).For(authorizer.AnyTopic, 0)
	case a == authorizer.Will && q == guest.ExactlyOnce:
		return authorizer.Deny(quotaExceeded)
	case a == authorizer.Deliver:
		return authorizer.Allow.For(authorizer.AnyTopic, 0)
	case a == authorizer.Subscribe:
		return subscribe(who, topic)
	}
	return devices(who, topic)
}

func subscribe(who *guest.Identity, filter string) authorizer.Answer {
	level, _, _ := strings.Cut(filter, "/")
	switch {
	case level == "#" || level == "+":
		return authorizer.Deny(authorizer.NotAuthorized).For(authorizer.Topic, 0)
	case strings.HasPrefix(filter, "public/"):
		return authorizer.Allow.For(authorizer.Topic, 60)
	}
	return devices(who, filter)
}

// devices lets each device use what is below devices/ID/ and nothing else below devices/.
func devices(who *guest.Identity, topic string) authorizer.Answer {
	rest, ok := strings.CutPrefix(topic, "devices/")
	if !ok {
		return authorizer.Next
	}
	if rest, ok = strings.CutPrefix(rest, who.ClientID); ok && strings.HasPrefix(rest, "/") {
		return authorizer.Allow.For(authorizer.Topic, 60)
	}
	return authorizer.Deny(authorizer.NotAuthorized).For(authorizer.Topic, 60)
}

func (p *policy) Upstream(
	_ *guest.Identity, m *guest.Message, out *[]guest.Message,
) transformer.Outcome {
	p.buffer = p.buffer[:0]
	if strings.HasSuffix(m.Topic, "/secret") {
		return transformer.Drop
	}
	if stem, ok := strings.CutSuffix(m.Topic, "/raw"); ok {
		p.buffer = appendPairs(p.buffer, m.Payload)
		payload := len(p.buffer)
		p.buffer = append(append(p.buffer, stem...), "/json"...)
		return replace(out, guest.Message{
			Topic: text(p.buffer[payload:]), Payload: p.buffer[:payload], QoS: m.QoS,
			Retain: m.Retain,
		})
	}
	if stem, ok := strings.CutSuffix(m.Topic, "/batch"); ok && stem != "" {
		return batch(m, stem, out)
	}
	at := temp(m.Payload)
	if at < 0 {
		return transformer.Keep
	}
	p.buffer = append(p.buffer, m.Payload[:at]...)
	p.buffer = append(p.buffer, "temperature"...)
	p.buffer = append(p.buffer, m.Payload[at+len("temp"):]...)
	changed := *m
	changed.Payload = p.buffer
	return replace(out, changed)
}

func (p *policy) Downstream(
	who *guest.Identity, m *guest.Message, out *[]guest.Message,
) transformer.Outcome {
	if !isObject(m.Payload) {
		return transformer.Keep
	}
	s := text(m.Payload)
	first, last := strings.IndexByte(s, '{'), strings.LastIndexByte(s, '}')
	b := append(p.buffer[:0], s[:last]...)
	if len(trim(m.Payload[first+1:last])) > 0 {
		b = append(b, ',')
	}
	b = append(b, `"to":"`...)
	b = appendEscaped(b, who.ClientID)
	b = append(b, '"')
	p.buffer = append(b, s[last:]...)
	changed := *m
	changed.Payload = p.buffer
	return replace(out, changed)
}

func replace(out *[]guest.Message, m guest.Message) transformer.Outcome {
	*out = append(*out, m)
	return transformer.Replace
}
