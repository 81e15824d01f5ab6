package conversion

import (
	"testing"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// past has one payload of one topic.
type past struct{ topic, payload string }

func (p past) Last(topic string) ([]byte, bool) {
	return []byte(p.payload), topic == p.topic
}

func TestTheFunctionsSeeTheMessageAndItsContext(t *testing.T) {
	who := &guest.Identity{ClientID: "c", Username: "u", Tenant: "t", Listener: "l", Address: "a"}
	m := &guest.Message{Topic: "a/b", Payload: []byte("now"), QoS: guest.ExactlyOnce, Retain: true}
	up := func(topic string, payload, previous []byte, c *Context) Result {
		if topic != "a/b" || string(payload) != "now" || string(previous) != "then" {
			t.Errorf("asked about %s %s after %s", topic, payload, previous)
		}
		if c.ClientID != "c" || c.Username != "u" || c.Tenant != "t" || c.Listener != "l" {
			t.Errorf("the context is %+v", c)
		}
		if _, ok := c.Last("x"); ok {
			t.Error("a topic that nothing was delivered under has a last payload")
		}
		return Change(Message{Payload: []byte("1")}, Message{Topic: "x", Payload: []byte("2")})
	}
	h := Conversion{Upstream: up, History: past{"a/b", "then"}}.Transformer()
	var out []guest.Message
	if got := h.Upstream(who, m, &out); got != transformer.Replace || len(out) != 2 {
		t.Fatalf("got %v, %+v", got, out)
	}
	for i, want := range []guest.Message{
		{Topic: "a/b", Payload: []byte("1")}, {Topic: "x", Payload: []byte("2")},
	} {
		got := out[i]
		if got.Topic != want.Topic || string(got.Payload) != string(want.Payload) ||
			got.QoS != m.QoS || !got.Retain {
			t.Errorf("message %d is %+v, want %+v", i, got, want)
		}
	}
	if got := h.Downstream(who, m, &out); got != transformer.Keep {
		t.Errorf("without a function, got %v", got)
	}
}

func TestKeepAndDrop(t *testing.T) {
	answer := Keep()
	f := func(string, []byte, []byte, *Context) Result { return answer }
	h := Conversion{Upstream: f, Downstream: f, History: guesttest.NewHost()}.Transformer()
	var out []guest.Message
	for want, r := range map[transformer.Outcome]Result{
		transformer.Keep: Keep(), transformer.Drop: Drop(), transformer.Replace: Change(),
	} {
		answer = r
		if got := h.Downstream(&guest.Identity{}, &guest.Message{}, &out); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestTheInterestIsWhatTheFunctionsAreFor(t *testing.T) {
	f := func(string, []byte, []byte, *Context) Result { return Keep() }
	for name, c := range map[string]struct {
		Conversion
		inbound, outbound string
	}{
		"all":      {Conversion{Upstream: f, Downstream: f}, "#", "#"},
		"one way":  {Conversion{Upstream: f}, "#", ""},
		"filtered": {Conversion{Downstream: f, DownstreamTopics: []string{"a/#"}}, "", "a/#"},
	} {
		in, err := c.Transformer().Configure("{}")
		if err != nil {
			t.Fatal(err)
		}
		if got := first(in.Inbound); got != c.inbound {
			t.Errorf("%s: inbound %q, want %q", name, got, c.inbound)
		}
		if got := first(in.Outbound); got != c.outbound {
			t.Errorf("%s: outbound %q, want %q", name, got, c.outbound)
		}
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
