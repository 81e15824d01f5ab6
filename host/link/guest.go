package link

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/sdk/topic"
)

// errConfigure is wrapped by errors of lifecycle.configure, garbage and traps among them.
var errConfigure = errors.New("configure")

// ownError is an error that the guest itself answered to configure: a text for the operator.
type ownError struct{ text string }

func (e *ownError) Error() string { return "the component says: " + e.text }

// ownErrorMax is how much of such a text is kept.
const ownErrorMax = 1024

// instance is one guest with the functions of its role looked up; it is the guest's own env. One
// goroutine at a time uses it.
type instance struct {
	entry *entry
	guest *wasm.Guest
	loop  int // below 0 until it is asked, and beside the loops
	fns   [4]*wasm.Func
	// lentFns are those that get payloads by handle, nil for none; lent is what the call at hand
	// sees so, borrowed until it returns.
	lentFns [2]*wasm.Func
	lent    []byte
	wasi    state.State
	wants   [2]interest // by broker.Direction, as configure answered
	block   block
	// fn is the function at hand, with how it has strings; texts are those that were decoded.
	fn       *wasm.Func
	encoding component.Encoding
	texts    arena
	// stack holds the flat parameters on the way in and the result on the way out.
	stack [slotRecord]uint64
	used  int
	err   error
	// lifted are the bytes that were taken of the answer at hand, owed what that costs, in parts
	// of fuel: bytesPerFuel of them are a unit.
	lifted int
	owed   uint64
	// What has no place yet, with the room it is to get; the record that is passed in memory.
	waiting [waitingMax]waiting
	rooms   [waitingMax]wasm.Room
	waits   int
	record  [credentialsSize]byte
	// said are the first lines that it wrote in the call at hand, then the last in a ring; lines is
	// how many those were.
	said  [2 * saidMax]string
	lines int
	// past is what history tells it in the call at hand: what it is told is noted there, of one
	// that is apart it is what it is told. nil where nobody wants to know.
	past *past
	// warm says that it was asked before: the first answer may take longer.
	warm bool
	// bootFuel and setUpFuel are what starting spent and what configuring did.
	bootFuel, setUpFuel uint64
}

// Component is the name that kv, log and publish know the guest by.
func (in *instance) Component() string { return in.entry.name }

// Loop is the event loop that the guest is asked on, below 0 for one beside the loops.
func (in *instance) Loop() int { return in.loop }

// Listener is the name of the listener the guest is linked to.
func (in *instance) Listener() string { return in.entry.listener }

// Apart says that what the guest does is to have no effect.
func (in *instance) Apart() bool { return in.entry.scratch != nil }

// Scratch is what the guest's kv is instead of the component's, nil for none.
func (in *instance) Scratch() *kv.Store { return in.entry.scratch }

// ConfigJSON is what config.json answers.
func (in *instance) ConfigJSON() []byte { return in.entry.config }

// WASI is what the interfaces of WASI keep for the guest.
func (in *instance) WASI() *state.State { return &in.wasi }

// GuestLog takes a line that the guest wrote to its standard output or error.
func (in *instance) GuestLog(level, text string) {
	in.said[saidAt(in.lines)] = text
	in.lines++
	line := in.entry.linker.ports.Line
	if line == nil {
		return
	}
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	line(in.entry.name, in.entry.listener, l, []byte(text))
}

// saidAt is where line i has its place.
func saidAt(i int) int {
	if i < saidMax {
		return i
	}
	return saidMax + i%saidMax
}

// builder makes the guests of e.
func (e *entry) builder() wasm.Builder {
	return wasm.Builder{
		Module: e.module.Module,
		Env: func() any {
			return &instance{entry: e, loop: noLoop, wasi: state.State{Settings: e.wasi}}
		},
		Setup:  func(g *wasm.Guest) error { return g.Env().(*instance).setUp(g) },
		Failed: e.failedStart,
	}
}

// setUp looks the functions of the role up and configures the guest.
func (in *instance) setUp(g *wasm.Guest) error {
	in.guest, in.bootFuel = g, g.Fuel()
	var err error
	for i, x := range in.entry.speaks.role.exports {
		if in.fns[i], err = g.Func(x.name); err != nil {
			return err
		}
	}
	if err := in.lookUpLent(); err != nil {
		return err
	}
	if err := in.openBlock(); err != nil {
		return err
	}
	most := in.entry.linker.cfg.InterestMax
	if err := in.entry.speaks.lifecycle.ask.configure(in, most); err != nil {
		return fmt.Errorf("%w: %w", errConfigure, err)
	}
	in.setUpFuel = g.Fuel()
	if in.entry.own.Fuel == 0 {
		// Now and then a language's runtime cleans up in the middle of a call, all that the
		// configuration left; measured with TinyGo, for up to 3/4 of what reading it took.
		g.AddFuel(min(in.setUpFuel, in.entry.linker.cfg.FuelGrowthMax))
	}
	return nil
}

// configure calls lifecycle.configure and lifts result<interest, string>.
func (in *instance) configure(interestMax int) error {
	fn, err := in.guest.Func(in.entry.speaks.lifecycle.exports[0].name)
	if err != nil {
		return err
	}
	in.use(fn)
	ptr, err := in.call()
	if err != nil {
		return err
	}
	const resultSize = 20 // discriminant; inbound, outbound or the error
	area, err := in.area(ptr, resultSize, 4)
	if err != nil {
		return err
	}
	switch area[0] {
	case 0:
		for d := range in.wants { // inbound, outbound
			if in.wants[d], err = in.interest(area[4+8*d:], interestMax); err != nil {
				return err
			}
		}
	case 1:
		text, err := in.text(area[4:], 1<<20)
		if err != nil {
			return err
		}
		return &ownError{string(text[:min(len(text), ownErrorMax)])}
	default:
		return garbage("configure outcome %d", area[0])
	}
	return in.post(ptr)
}

// interest lifts list<string> and checks it.
func (in *instance) interest(b []byte, most int) (interest, error) {
	list, err := in.list(b, textSize, 4)
	if err != nil {
		return interest{}, err
	}
	if n := len(list) / textSize; n > most {
		return interest{}, tooMuchInterest(n, most)
	}
	var filters []string
	for ; len(list) > 0; list = list[textSize:] {
		f, err := in.text(list, topic.BytesMax)
		if err != nil {
			return interest{}, err
		}
		filters = append(filters, string(f))
	}
	return newInterest(filters, most)
}
