package witness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/host/zstd"
	"github.com/hpmq/hpmq/lite/broker"
)

// Errors of a Witness.
var (
	ErrUnknown = errors.New("witness: nothing was ever logged of that listener")
	ErrBusy    = errors.New("witness: too many look into the message log at once")
	ErrClosed  = errors.New("witness: closed")
)

// segmentBytesMax is for a log with room for 32 of them; a smaller one has smaller ones.
const segmentBytesMax = 8 << 20

// Witness is the message log of a node. Safe for concurrent use.
type Witness struct {
	cfg   Config
	codec *zstd.Blocks
	loops []*loop
	asks  chan struct{} // a place for each question
	tails chan struct{} // and for each that goes on
	wake  chan struct{}
	stop  chan struct{}
	ended chan struct{}

	mu     sync.Mutex
	books  map[string]*book
	calls  []func()      // to be called between two turns
	grown  chan struct{} // closed when there are more records
	runs   bool          // the goroutine
	closed bool

	// Of the goroutine.
	turns    [][2]*turn // by loop, this one and the one before
	spare    []page
	rest     []late
	redacted []broker.Message
	next     uint64
	flushed  time.Time
}

// book is the log of a listener; its settings change.
type book struct {
	name   string
	log    *msglog.Log
	missed atomic.Uint64
}

// ledger is a book with the settings by which something is put into it. It never changes.
type ledger struct {
	book       *book
	filters    *filters
	payload    Payload
	payloadMax int
	redactor   Redactor
}

// Open opens the logs in cfg.Dir, also those of listeners that are no more: they can be asked until
// a start finds them too old. Nothing runs before the first Tap.
func Open(cfg Config) (*Witness, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	codec, err := msglog.NewCodec(cfg.QueriesMax)
	if err != nil {
		return nil, err
	}
	w := &Witness{
		cfg: cfg, codec: codec, books: make(map[string]*book), grown: make(chan struct{}),
		asks: make(chan struct{}, cfg.QueriesMax), tails: make(chan struct{}, cfg.FollowersMax),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	for i := range cfg.Loops {
		l := &loop{number: uint64(i), max: cfg.LoopBytesMax, wake: w.wake}
		l.page.first = 1
		w.loops = append(w.loops, l)
		w.turns = append(w.turns, [2]*turn{{}, {}})
	}
	w.spare = make([]page, cfg.Loops)
	if err := w.openBooks(); err != nil {
		return nil, errors.Join(err, w.closeBooks())
	}
	return w, nil
}

func (w *Witness) openBooks() error {
	entries, err := os.ReadDir(w.cfg.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("witness: open: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		// Until a listener says how much may be kept.
		if _, err := w.bookLocked(e.Name(), 1<<40, msglog.Default().Age); err != nil {
			return err
		}
	}
	for _, b := range w.books {
		w.next = max(w.next, b.log.Last())
	}
	return nil
}

// bookLocked answers the book of a listener, opened if need be, with these limits.
func (w *Witness) bookLocked(name string, bytesMax int64, age time.Duration) (*book, error) {
	if b := w.books[name]; b != nil {
		b.log.Limit(bytesMax, age)
		return b, nil
	}
	cfg := msglog.Default()
	cfg.Dir, cfg.Listener = filepath.Join(w.cfg.Dir, name), name
	cfg.SegmentBytesMax = min(segmentBytesMax, max(bytesMax/32, 64<<10))
	cfg.BytesMax, cfg.Age = max(bytesMax, 2*cfg.SegmentBytesMax), age
	cfg.FreeBytesMin, cfg.Free = w.cfg.FreeBytesMin, w.cfg.Free
	cfg.Now = func() int64 { return int64(w.cfg.Now()) }
	if w.cfg.Trouble != nil {
		cfg.Trouble = func(err error) { w.cfg.Trouble(name, err) }
	}
	l, rep, err := msglog.Open(cfg, w.codec)
	if w.cfg.Found != nil && (rep.CutBytes > 0 || rep.Damaged > 0 || len(rep.Aside) > 0) {
		w.cfg.Found(name, rep)
	}
	if err != nil {
		return nil, fmt.Errorf("witness: listener %s: %w", name, err)
	}
	b := &book{name: name, log: l}
	w.books[name] = b
	return b, nil
}

// Tap answers, for each loop, a Policy that asks the one inside of it and logs what that makes of
// messages. It opens files.
func (w *Witness) Tap(
	listener string, s Settings, inside func(loop int) broker.Policy,
) (func(loop int) broker.Policy, error) {
	f, err := newFilters(s.Filters)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, ErrClosed
	}
	b, err := w.bookLocked(listener, s.BytesMax, s.AgeMax)
	if err != nil {
		return nil, err
	}
	g := &ledger{
		book: b, filters: f, payload: s.Payload, payloadMax: s.PayloadBytesMax,
		redactor: s.Redactor,
	}
	if !w.runs {
		w.runs = true
		go w.run()
	}
	return func(loop int) broker.Policy {
		t := &tap{Policy: inside(loop), ledger: g, loop: w.loops[loop]}
		t.why, _ = t.Policy.(reasoner)
		return t
	}, nil
}

// Trace is broker.Kernel.OnTrace of a loop.
func (w *Witness) Trace(loop int) func(broker.Traced) { return w.loops[loop].went }

// Quiesce calls done, on the goroutine of the Witness or at once, when no Redactor is at work that
// was before. It is for those who change one.
func (w *Witness) Quiesce(done func()) {
	w.mu.Lock()
	if w.runs && !w.closed {
		w.calls = append(w.calls, done)
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	done()
}

// Halt calls f when no Redactor is at work, and none is before f returns. If one is at work for
// longer than a time, f is not called. stood is how long f took.
func (w *Witness) Halt(within time.Duration, f func()) (stood time.Duration, err error) {
	run := func() {
		began := time.Now()
		f()
		stood = time.Since(began)
	}
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return 0, ErrClosed
	case !w.runs: // it is begun under the lock
		defer w.mu.Unlock()
		run()
		return stood, nil
	}
	came, goOn := make(chan struct{}), make(chan struct{})
	defer close(goOn)
	w.calls = append(w.calls, func() { close(came); <-goOn })
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-came:
	case <-w.ended:
		return 0, ErrClosed
	case <-late.C:
		return 0, fmt.Errorf("witness: halt: a redactor was at work for %s", within)
	}
	run()
	return stood, nil
}

// Close puts together and writes what waits. No kernel may call any more.
func (w *Witness) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	runs := w.runs
	w.mu.Unlock()
	close(w.stop)
	if runs {
		<-w.ended
	}
	err := w.closeBooks()
	for range w.cfg.QueriesMax {
		w.asks <- struct{}{} // the questions under way have ended
	}
	w.codec.Close()
	return err
}

func (w *Witness) closeBooks() error {
	var errs []error
	for _, b := range w.books {
		errs = append(errs, b.log.Close())
	}
	return errors.Join(errs...)
}

// run is the one goroutine that appends.
func (w *Witness) run() {
	defer close(w.ended)
	t := time.NewTicker(w.cfg.Interval)
	defer t.Stop()
	for {
		w.await()
		select {
		case <-w.wake:
		case <-t.C:
		case <-w.stop:
			w.turn()
			w.turn()
			w.between()
			return
		}
		w.turn()
		w.between()
	}
}

// await waits for what other loops say of the messages of this turn, so that the next turn has it.
func (w *Witness) await() {
	if w.cfg.Settle == nil || !w.waits() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		_ = w.cfg.Settle(ctx) // closed loops say nothing more
	}()
	select {
	case <-settled:
	case <-w.stop:
	}
	cancel()
	<-settled
}

// waits is true if there are records that are not finished.
func (w *Witness) waits() bool {
	return slices.ContainsFunc(w.turns, func(t [2]*turn) bool { return len(t[0].records) > 0 })
}

// turn takes the pages of all loops, then finishes the records of the turn before.
func (w *Witness) turn() {
	w.rest = w.rest[:0]
	for i, l := range w.loops {
		now, before := w.turns[i][1], w.turns[i][0]
		now.page = l.take(w.spare[i])
		now.before = before
		w.rest = now.read(w.rest)
		w.turns[i] = [2]*turn{now, before}
	}
	for i := range w.rest {
		w.settle(&w.rest[i])
	}
	grown := false
	for i := range w.turns {
		now, before := w.turns[i][0], w.turns[i][1]
		for j := range before.records {
			w.finish(&before.records[j])
			grown = true
		}
		before.reset()
		w.spare[i], before.page, now.before = before.page, page{}, nil
	}
	if grown {
		w.announce()
	}
}

// settle does what a step says about a message of another loop.
func (w *Witness) settle(l *late) {
	loop := l.trace & (1<<loopBits - 1)
	if loop >= uint64(len(w.turns)) {
		return
	}
	for _, t := range w.turns[loop] {
		if p := t.part(l.trace); p != nil {
			l.to(p)
			return
		}
	}
}

func (w *Witness) finish(r *pending) {
	if r.Outcome == 0 {
		r.Outcome = msglog.Delivered
	}
	for i := range r.Became {
		if p := &r.Became[i]; p.Outcome == 0 {
			p.Outcome = msglog.Delivered
		}
	}
	r.Settle()
	if r.ledger.payload == Redacted {
		w.redact(r)
	}
	w.next++
	r.ID = w.next
	r.ledger.book.log.Append(&r.Record)
}

// announce wakes those who wait for more.
func (w *Witness) announce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.grown)
	w.grown = make(chan struct{})
}

// between sees to what has time.
func (w *Witness) between() {
	w.mu.Lock()
	calls := w.calls
	w.calls = nil
	books := slices.Collect(maps.Values(w.books))
	w.mu.Unlock()
	for _, done := range calls {
		done()
	}
	due := time.Since(w.flushed) >= time.Second
	if due {
		w.flushed = time.Now()
	}
	for _, b := range books {
		if n := b.missed.Swap(0); n > 0 {
			b.log.Missed(n)
		}
		if due {
			b.log.Flush(w.cfg.FlushAge)
		}
	}
}
