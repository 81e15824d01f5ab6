package history

import (
	"sync"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Name is the interface as a guest imports it.
const Name = "hpmq:broker/history@0.1.0"

// Env is what the environment of a guest must answer.
type Env interface {
	// Listener names the listener whose past the guest sees.
	Listener() string
}

// Witness may be an Env, too, of a guest that is asked beside another what that was asked before:
// it is to be told the same.
type Witness interface {
	// Recall answers for the store, if ok. The topic is borrowed until return, the payload until
	// the guest is asked something else.
	Recall(topic []byte) (payload []byte, known, ok bool)
	// Told hears what the store tells the guest. All of it is borrowed until return.
	Told(topic, payload []byte, known bool)
}

// Module is the interface for the engine; more are the functions that others serve of it.
func (s *Store) Module(more ...wasm.HostFunc) wasm.HostModule {
	h := &host{store: s}
	h.scratch.New = func() any { return new([]byte) }
	return wasm.HostModule{Name: Name, Funcs: append([]wasm.HostFunc{{
		Name: "last", Params: []wasm.ValueType{wasm.I32, wasm.I32, wasm.I32}, Call: h.last,
		Type: "(topic: string) -> option<list<u8>>",
	}}, more...)}
}

type host struct {
	store *Store
	// scratch holds a payload on its way: no lock may be held while the guest allocates.
	scratch sync.Pool
}

// last: func(topic: string) -> option<list<u8>>
func (h *host) last(g *wasm.Guest, stack []uint64) {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("history is not served here")
	}
	topic := abi.Text(g, stack[0], stack[1])
	w, _ := env.(Witness)
	if w != nil {
		if payload, known, ok := w.Recall(topic); ok {
			abi.PutOption(g, stack[2], payload, known)
			return
		}
	}
	buf := h.scratch.Get().(*[]byte)
	defer h.scratch.Put(buf)
	*buf, ok = h.store.AppendLast((*buf)[:0], env.Listener(), topic)
	if w != nil {
		w.Told(topic, *buf, ok)
	}
	abi.PutOption(g, stack[2], *buf, ok)
}
