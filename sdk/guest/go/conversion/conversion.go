// Package conversion makes a component of two functions: upstream changes what a device says into
// what the cloud expects, downstream the other way. It knows how the two are asked as a transformer
// and where the previous payload comes from; what a vendor's bytes mean, the functions know.
package conversion

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// Func converts one message. previous is the last payload that was delivered under topic on this
// listener, nil if there was none. All that it is given is borrowed until it returns; what it
// answers must hold until it is called again.
type Func func(topic string, payload, previous []byte, c *Context) Result

// Context is whose message it is: upstream the sender's, downstream the receiver's.
type Context struct {
	ClientID string
	// Username is empty when the client gave none.
	Username string
	// Tenant is empty unless an authenticator set one.
	Tenant string
	// Listener is the name of the listener the client came in by.
	Listener string

	history History
}

// Last is the last payload that was delivered under any topic on this listener: of use where the
// conversion gives a message another topic than it came with.
func (c *Context) Last(topic string) ([]byte, bool) { return c.history.Last(topic) }

// Message is one that goes on. QoS and retain are those of the message it stands for.
type Message struct {
	// Topic is empty for the one the message came with.
	Topic   string
	Payload []byte
}

// Result is what becomes of a message.
type Result struct {
	outcome  transformer.Outcome
	messages []Message
}

// Keep lets it go on unchanged.
func Keep() Result { return Result{outcome: transformer.Keep} }

// Drop ends its way; a publisher still gets its acknowledgement.
func Drop() Result { return Result{outcome: transformer.Drop} }

// Change sends messages in its place.
func Change(messages ...Message) Result {
	return Result{outcome: transformer.Replace, messages: messages}
}

// History is what went by before: history.Log in a guest, guesttest.Host in a test.
type History interface {
	Last(topic string) ([]byte, bool)
}

// Conversion is the component. A function that is nil keeps all messages and costs none a call.
type Conversion struct {
	Upstream, Downstream Func
	// UpstreamTopics and DownstreamTopics are the topic filters the functions are asked about; none
	// are all.
	UpstreamTopics, DownstreamTopics []string
	// History is set by Serve.
	History History
}

// Transformer is c as the role that a broker asks.
func (c Conversion) Transformer() transformer.Handler { return &handler{Conversion: c} }

type handler struct {
	Conversion
	context Context
}

func (h *handler) Configure(string) (guest.Interest, error) {
	return guest.Interest{
		Inbound:  topics(h.Conversion.Upstream, h.UpstreamTopics),
		Outbound: topics(h.Conversion.Downstream, h.DownstreamTopics),
	}, nil
}

func topics(f Func, filters []string) []string {
	switch {
	case f == nil:
		return nil
	case len(filters) == 0:
		return []string{"#"}
	}
	return filters
}

func (h *handler) Upstream(
	who *guest.Identity, m *guest.Message, out *[]guest.Message,
) transformer.Outcome {
	return h.ask(h.Conversion.Upstream, who, m, out)
}

func (h *handler) Downstream(
	who *guest.Identity, m *guest.Message, out *[]guest.Message,
) transformer.Outcome {
	return h.ask(h.Conversion.Downstream, who, m, out)
}

func (h *handler) ask(
	f Func, who *guest.Identity, m *guest.Message, out *[]guest.Message,
) transformer.Outcome {
	if f == nil {
		return transformer.Keep
	}
	h.context = Context{
		ClientID: who.ClientID, Username: who.Username, Tenant: who.Tenant, Listener: who.Listener,
		history: h.History,
	}
	previous, _ := h.History.Last(m.Topic)
	r := f(m.Topic, m.Payload, previous, &h.context)
	for _, made := range r.messages {
		if made.Topic == "" {
			made.Topic = m.Topic
		}
		*out = append(*out, guest.Message{
			Topic: made.Topic, Payload: made.Payload, QoS: m.QoS, Retain: m.Retain,
		})
	}
	return r.outcome
}
