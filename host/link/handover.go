package link

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
)

// errLate says that the loops would have stood still for too long.
var errLate = errors.New("it takes longer than there is for it")

// heir is an entry that comes in place of another of the same component, and gets the state that
// the guests of that export, seat by seat.
type heir struct {
	from, to *entry
	stays    bool // to comes beside from, in a canary
}

// heirs are those that hand over when s is.
func heirs(s turnover) (all []heir) {
	for r := Role(0); r < roleCount; r++ {
		for _, x := range successors(s.old, s.next, r) {
			if x.from.speaks.state != nil && x.to.speaks.state != nil {
				x.stays = s.trial
				all = append(all, x)
			}
		}
	}
	return all
}

// successors are the entries of a role that stand in next alone, with those of the same component
// that stand in old alone, each at most once.
func successors(old, next *table, r Role) (all []heir) {
	had, _ := old.chainOf(r)
	have, _ := next.chainOf(r)
	left := without(had, have)
	for _, to := range without(have, had) {
		i := slices.IndexFunc(left, func(from *entry) bool { return from.isSame(to) })
		if i >= 0 {
			all = append(all, heir{from: left[i], to: to})
			left = slices.Delete(left, i, i+1)
		}
	}
	return all
}

// without are the entries of had that do not stand in have.
func without(had, have []*entry) []*entry {
	return slices.DeleteFunc(slices.Clone(had), func(e *entry) bool {
		return slices.Contains(have, e)
	})
}

// refuseState is the refusal of an entry whose state could not be handed over to it.
func (e *entry) refuseState(err error) error {
	do := "ask its author; to go without that state, link another component in its place first"
	switch {
	case errors.Is(err, errInCall):
		do = "try it again when it has less to do"
	case errors.Is(err, errLate):
		do = "try it again when there is less to do, or ask its author for less state"
	}
	return &StepError{Step: StepState, Listener: e.listener, Role: e.role, Use: e.name, Do: do,
		Err: err}
}

// handover is what all seats hand over.
type handover struct{ passes []handing }

// seatsOf is how many seats those have that have most.
func seatsOf(all []heir) (n int) {
	for _, x := range all {
		n = max(n, len(x.to.seats))
	}
	return n
}

// run hands over in all seats, whom nobody asks until then. On an error it must be undone.
func (h *handover) run(l *Linker, all []heir, until time.Time) (err error) {
	if len(all) == 0 {
		return nil
	}
	var running sync.WaitGroup
	for i := range h.passes {
		p := &h.passes[i]
		p.linker, p.at, p.until = l, i, until
		running.Go(func() { p.err = p.run(all) })
	}
	running.Wait()
	for i := range h.passes {
		if err == nil {
			err = h.passes[i].err
		}
	}
	return err
}

func (h *handover) bytes() (n int) {
	for i := range h.passes {
		n += h.passes[i].bytes
	}
	return n
}

// undo has all guests as they were.
func (h *handover) undo() {
	for i := range h.passes {
		for _, a := range h.passes[i].asked {
			a.guest.Back(a.mark)
		}
	}
}

// handing is what is handed over in the seats of one number: of a loop, and of those beside.
type handing struct {
	linker *Linker
	at     int
	until  time.Time
	bytes  int
	err    error
	// asked are the guests that were asked, as they were.
	asked []asked
}

type asked struct {
	guest *wasm.Guest
	mark  *wasm.Mark
}

func (h *handing) run(all []heir) error {
	for _, x := range all {
		if h.at >= len(x.to.seats) {
			continue
		}
		if err := h.pass(x); err != nil {
			return x.to.refuseState(err)
		}
	}
	return nil
}

// pass has one component hand over. A seat whose guest is dead has nothing any more.
func (h *handing) pass(x heir) error {
	from, to := h.seat(x.from), h.seat(x.to)
	if from == nil {
		return nil
	}
	if to == nil {
		return errNoGuest
	}
	state, err := from.export()
	if err != nil {
		x.from.refusedFor(from, err, h.linker.cfg.StateFuel)
		return fmt.Errorf("version %s does not give its state: %w", x.from.called(), err)
	}
	if err := h.late(); err != nil {
		return err
	}
	if err := to.take(x.from.schema, state); err != nil {
		x.to.refusedFor(to, err, h.linker.cfg.StateFuel)
		return fmt.Errorf("it does not take the state of version %s: %w", x.from.called(), err)
	}
	h.bytes += len(state)
	return h.late()
}

// late is an error when it takes too long.
func (h *handing) late() error {
	if time.Now().After(h.until) {
		return fmt.Errorf("%w: %s", errLate, h.linker.cfg.HandOverTimeout)
	}
	return nil
}

// seat is the guest of e on that loop, noted as it is; nil if there is none.
func (h *handing) seat(e *entry) *instance {
	now := h.linker.ports.Now()
	g, err := e.seats[h.at].pool.Guest(time.UnixMilli(int64(now)))
	if err != nil {
		return nil
	}
	h.asked = append(h.asked, asked{g, g.Mark()})
	in := g.Env().(*instance)
	in.loop = e.seats[h.at].loop
	return in
}

// called is how a version is named to people.
func (e *entry) called() string {
	if e.version != "" {
		return e.version
	}
	return e.digest[:12]
}

// The functions of wit/state.wit, as in contract01.
const fnExport, fnImport = 0, 1

// lasting begins a call of a function of an optional interface, with the fuel that such calls have.
func (in *instance) lasting(f *face, fn int) error {
	x, err := in.guest.Func(f.exports[fn].name)
	if err != nil {
		return err
	}
	in.use(x)
	in.guest.Allow(in.entry.linker.cfg.StateFuel)
	return nil
}

// export calls export-state and answers a copy.
func (in *instance) export() (state []byte, err error) {
	if err := in.lasting(in.entry.speaks.state, fnExport); err != nil {
		return nil, err
	}
	err = in.outcome(12, func(ok []byte) error {
		view, err := in.bytes(ok)
		if most := in.entry.linker.cfg.StateBytesMax; err == nil && len(view) > most {
			err = fmt.Errorf("it has %d bytes, at most %d are taken", len(view), most)
		}
		state = append([]byte(nil), view...)
		return err
	})
	return state, err
}

// take calls import-state.
func (in *instance) take(schema uint32, state []byte) error {
	if err := in.lasting(in.entry.speaks.state, fnImport); err != nil {
		return err
	}
	in.num(uint64(schema))
	in.data(state)
	return in.outcome(12, nil)
}

// outcome calls and lifts a result of that size, whose error is a string.
func (in *instance) outcome(size uint32, ok func([]byte) error) error {
	ptr, err := in.call()
	if err != nil {
		return err
	}
	area, err := in.area(ptr, size, 4)
	if err != nil {
		return err
	}
	switch {
	case area[0] > 1:
		return garbage("outcome %d", area[0])
	case area[0] == 1:
		text, err := in.text(area[4:], 1<<20)
		if err != nil {
			return err
		}
		return &ownError{string(text[:min(len(text), ownErrorMax)])}
	case ok != nil:
		if err := ok(area[4:]); err != nil {
			return err
		}
	}
	return in.post(ptr)
}
