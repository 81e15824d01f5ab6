// Package lookback serves look-back of hpmq:broker/history: pages of the message log for guests
// that do not run on an event loop. It bounds what one call is given and makes it pay for what was
// read. It does not know how the log is kept, nor the other functions of the interface: programs
// without a message log have those alone.
package lookback

import (
	"encoding/binary"
	"errors"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Bounds of one call.
const (
	// MessagesMax and BytesMax bound a page; the last message may go beyond BytesMax.
	MessagesMax = 256
	BytesMax    = 256 << 10
	// ScanBytesMax bounds what a Log reads for a page, but for one block.
	ScanBytesMax = 4 << 20
)

// callFuel is what a call costs whatever it reads: files are opened.
const callFuel = 100_000

// Errors of a Log, in the order of the WIT enum but for the first, which this package sees itself.
var (
	ErrNotLogged     = errors.New("lookback: the listener is not logged")
	ErrInvalidFilter = errors.New("lookback: no topic filter")
	ErrBusy          = errors.New("lookback: too many look at once")
)

// The cases of look-error.
const (
	notHere uint8 = iota
	notLogged
	invalidFilter
	busy
	unavailable
)

// Question is what a guest asks of a listener.
type Question struct {
	Listener, Filter string
	// Since is in milliseconds since 1970, 0 for no bound.
	Since int64
	// Cursor is 0 or the Next of an answer.
	Cursor uint64
	Newest bool
	// Max is from 1 to MessagesMax.
	Max int
}

// Message is one of the log; Fate is the case of the WIT enum. Its bytes are the callee's.
type Message struct {
	ID          uint64
	Time        int64
	Client      string
	Topic       string
	Payload     []byte
	PayloadSize uint64
	Fate        uint8
}

// Page is an answer.
type Page struct {
	Messages []Message
	Next     uint64
	More     bool
	// Read is how many bytes were read and restored for it.
	Read int64
}

// Log answers questions; it may wait for a disk. An error that is none of this package's is that
// the log cannot be read. Pages are within the bounds.
type Log interface {
	LookBack(q Question) (Page, error)
}

// Env is what the environment of a guest must answer.
type Env interface {
	// Listener names the listener whose past the guest sees.
	Listener() string
	// Loop is the event loop that the guest is asked on, below 0 for one beside the loops.
	Loop() int
}

// Func is the function, to be served beside the others of the interface.
func Func(l Log) wasm.HostFunc {
	h := host{l}
	return wasm.HostFunc{
		Name: "look-back", Params: abi.Types("iiIIiii"), Call: h.lookBack, Type: shape,
	}
}

// shape is the type of look-back.
const shape = "(filter: string, since: u64, cursor: u64, newest: bool, max: u32) -> " +
	"result<record{messages: list<record{id: u64, time: u64, client-id: string, topic: string, " +
	"payload: list<u8>, payload-size: u64, " +
	"fate: enum{delivered, suppressed, dropped, denied}}>, " +
	"next: u64, more: bool}, enum{not-here, not-logged, invalid-filter, busy, unavailable}>"

type host struct{ log Log }

// lookBack: func(filter: string, since: u64, cursor: u64, newest: bool, max: u32)
// -> result<page, look-error>
func (h host) lookBack(g *wasm.Guest, stack []uint64) {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("history is not served here")
	}
	ret := stack[6]
	if env.Loop() >= 0 {
		fail(g, ret, notHere)
		return
	}
	g.Charge(callFuel)
	page, err := h.log.LookBack(Question{
		Listener: env.Listener(), Filter: string(abi.Text(g, stack[0], stack[1])),
		Since: int64(min(stack[2], 1<<62)), Cursor: stack[3], Newest: uint32(stack[4]) != 0,
		Max: int(min(max(uint32(stack[5]), 1), MessagesMax)),
	})
	g.Charge(uint64(max(page.Read, 0)))
	switch {
	case errors.Is(err, ErrNotLogged):
		fail(g, ret, notLogged)
	case errors.Is(err, ErrInvalidFilter):
		fail(g, ret, invalidFilter)
	case errors.Is(err, ErrBusy):
		fail(g, ret, busy)
	case err != nil:
		fail(g, ret, unavailable)
	default:
		put(g, ret, &page)
	}
}

// How a page lies in memory: a result of 32 bytes, and messages of 56.
const (
	resultBytes  = 32
	payloadAt    = 8
	messageBytes = 56
)

func fail(g *wasm.Guest, ret uint64, code uint8) {
	area := abi.Area(g, ret, resultBytes, 8)
	area[0], area[payloadAt] = 1, code
}

// put leaves p at ret. The guest runs in it.
func put(g *wasm.Guest, ret uint64, p *Page) {
	abi.Area(g, ret, resultBytes, 8)
	list := make([]byte, 0, messageBytes*len(p.Messages))
	for i := range p.Messages {
		m := &p.Messages[i]
		list = binary.LittleEndian.AppendUint64(list, m.ID)
		list = binary.LittleEndian.AppendUint64(list, uint64(m.Time))
		list = abi.AppendText(g, list, m.Client)
		list = abi.AppendText(g, list, m.Topic)
		list = abi.AppendList(g, list, m.Payload)
		list = binary.LittleEndian.AppendUint64(list, m.PayloadSize)
		list = binary.LittleEndian.AppendUint64(list, uint64(m.Fate))
	}
	of := abi.Layout{Size: messageBytes, Align: 8}
	abi.PutElements(g, uint64(uint32(ret)+payloadAt), list, of)
	area := abi.Area(g, ret, resultBytes, 8)
	area[0] = 0
	abi.PutUint64(area[payloadAt+8:], p.Next)
	area[payloadAt+16] = byte(abi.Bool(p.More))
}
