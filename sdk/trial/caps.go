package trial

import (
	"context"

	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// passing is a host module that passes its calls on to another of the same shape, which may change
// between calls.
type passing struct{ to wasm.HostModule }

func (p *passing) module() wasm.HostModule {
	m := wasm.HostModule{Name: p.to.Name, Funcs: append([]wasm.HostFunc(nil), p.to.Funcs...)}
	for i := range m.Funcs {
		m.Funcs[i].Call = func(g *wasm.Guest, stack []uint64) { p.to.Funcs[i].Call(g, stack) }
	}
	return m
}

// outlet takes the messages out of a queue when it is asked to.
type outlet struct {
	queue *publish.Queue
	taken []*broker.Message
	// enough ends a Run.
	enough context.CancelFunc
	first  bool // a Run is to end with the first message
}

// mark is what ends the queue while it is emptied; no guest has a component of that name.
type mark struct{}

func (mark) Component() string { return "" }
func (mark) Listener() string  { return "" }

// take empties the queue.
func (o *outlet) take() []*broker.Message {
	o.taken = nil
	for o.queue.Put(mark{}, broker.Message{Topic: []byte("mark")}) != nil { // it is full
		o.run(true)
	}
	o.run(false)
	return o.taken
}

func (o *outlet) run(first bool) {
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	o.enough, o.first = enough, first
	o.queue.Run(ctx, o)
}

// Publish is publish.Outlet.
func (o *outlet) Publish(_ string, m *broker.Message) {
	if m.From == publish.From("") {
		o.enough()
		return
	}
	o.taken = append(o.taken, m)
	if o.first {
		o.enough()
	}
}
