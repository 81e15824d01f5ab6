package link

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm"
)

// FailureKind says in a word what went wrong.
type FailureKind string

// The kinds of failures.
const (
	FailureTrap    FailureKind = "trap"
	FailureFuel    FailureKind = "fuel"
	FailureDepth   FailureKind = "depth"
	FailureMemory  FailureKind = "memory"  // it trapped after it was given no more memory
	FailureGarbage FailureKind = "garbage" // its answer breaks the contract
	// FailureTooLarge is a message that is not shown to components.
	FailureTooLarge FailureKind = "too large"
	// FailureStart is a guest that could not be made in the place of a dead one.
	FailureStart FailureKind = "start"
	// FailureNoGuest is a question while none was ready.
	FailureNoGuest FailureKind = "no guest"
	FailureOther   FailureKind = "other"
)

// Failure is what went wrong with one component, again and again the same.
type Failure struct {
	Listener string
	Role     Role
	// Linked says that the component stands in the link now, at Position; Canary that it answers
	// for some, beside what stands there; Shadow that it answered in a shadow, without effect.
	Linked, Canary, Shadow bool

	Position      int
	Name, Version string
	Digest        string
	OnFault       FaultPolicy
	Kind          FailureKind
	// Count is how often, between First and Last. What follows is of the last time.
	Count       uint64
	First, Last time.Time
	// Function is the export that was called, empty if none was.
	Function string
	// Text is what happened, in a line. Said are the first lines that the guest wrote to its
	// standard output and error in that call, where a panic says why, and the last, at most saidMax
	// each; between them stands how many are left out.
	Text string
	Said []string
	// Fuel is what the call had spent of FuelMax; of a trap it may be less than it had.
	Fuel, FuelMax uint64
	// Client is who was asked for, Topic what about; empty if there was none.
	Client, Topic string
	// Redacted says that Client, Topic, Said and some of Text are left out as configured.
	Redacted bool
	// Backtrace has the innermost functions, first the innermost.
	Backtrace []string

	entry uint64
}

// Bounds of the record. Together they hold a listener below half a megabyte.
const (
	failuresMax         = 32 // of a listener
	failuresOfOneMax    = 8  // of a component
	failureTextBytesMax = 512
	saidMax             = 4
)

// about is what a guest was asked about; the topic is borrowed.
type about struct {
	client string
	topic  []byte
}

// failure is the record of err, without what only the guest knows.
func (e *entry) failure(err error, a about) *Failure {
	now := e.linker.time()
	f := &Failure{
		Listener: e.listener, Role: e.role, Name: e.name, Version: e.version, Digest: e.digest,
		OnFault: e.onFault, Kind: failureKinds[kindOf(err)], Count: 1, First: now, Last: now,
		Text: err.Error(), Redacted: e.linker.cfg.RedactFailures, entry: e.id,
		Shadow: e.scratch != nil,
	}
	var trap *wasm.TrapError
	switch {
	case errors.As(err, &trap):
		f.Function, f.Text, f.Backtrace = trap.Export, trap.Text, trap.Backtrace
	case f.Redacted && kindOf(err) == faultGarbage:
		f.Text = ErrGarbage.Error()
	case f.Redacted && kindOf(err) == faultOther:
		f.Text = "the reason is redacted"
	}
	f.Text = clip(f.Text)
	if !f.Redacted {
		f.Client, f.Topic = clip(a.client), clip(string(a.topic[:min(len(a.topic), clipBytes)]))
	}
	return f
}

var failureKinds = [faultKinds]FailureKind{
	FailureTrap, FailureFuel, FailureDepth, FailureGarbage, FailureTooLarge, FailureNoGuest,
	FailureOther,
}

// by adds what the guest knows that failed; it is not killed yet.
func (f *Failure) by(in *instance) {
	f.Fuel, f.FuelMax = in.guest.Fuel(), in.guest.Budget()
	f.Fuel = min(f.Fuel, f.FuelMax)
	if f.Function == "" && in.fn != nil {
		f.Function = in.fn.Name()
	}
	if f.Kind == FailureTrap && in.guest.Starved() {
		f.Kind = FailureMemory
		f.Text = clip("it asked for more than the " + sizeText(in.entry.memory()) +
			" of memory that it may have: " + f.Text)
	}
	if f.Redacted {
		return
	}
	for i := 0; i < in.lines; i++ {
		if left := in.lines - 2*saidMax; i == saidMax && left > 0 {
			f.Said = append(f.Said, "… "+strconv.Itoa(left)+" lines …")
			i += left
		}
		f.Said = append(f.Said, clip(in.said[saidAt(i)]))
	}
}

// refusedFor records what in failed of when e was to take the place of another, in a call that may
// spend most. A refusal that no guest is to blame for is not recorded.
func (e *entry) refusedFor(in *instance, err error, most uint64) {
	var trap *wasm.TrapError
	var own *ownError
	if !errors.As(err, &trap) && !errors.As(err, &own) && !errors.Is(err, ErrGarbage) {
		return
	}
	f := e.failure(err, about{})
	f.by(in)
	f.Fuel, f.FuelMax = min(in.guest.Fuel(), most), most
	f.entry = 0 // of all that never served: tried again, they fold
	e.ward.note(f)
}

// failedStart records why a guest could not be made in the place of a dead one.
func (e *entry) failedStart(err error) {
	f := e.failure(err, about{})
	f.Kind = FailureStart
	var own *ownError
	if errors.As(err, &own) && f.Redacted {
		f.Text = "the component does not take its configuration; what it says is redacted"
	}
	e.ward.note(f)
}

// clipBytes is what may become failureTextBytesMax of text.
const clipBytes = 2 * failureTextBytesMax

// clip makes s a line of valid text, and bounds it.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsGraphic(r):
			return r
		case r == '\t':
			return ' '
		}
		return '\uFFFD'
	}, s[:min(len(s), clipBytes)])
	if len(s) <= failureTextBytesMax {
		return s
	}
	s = s[:failureTextBytesMax]
	for !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) && len(s) > 0 {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// same says whether other is the failure once more.
func (f *Failure) same(other *Failure) bool {
	return f.entry == other.entry && f.Digest == other.Digest &&
		f.Kind == other.Kind && f.Function == other.Function &&
		slices.Equal(f.Backtrace, other.Backtrace) && alike(f.Text, other.Text)
}

// alike says whether a and b differ in numbers alone.
func alike(a, b string) bool {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	return a == b || bare(a) == bare(b)
}

// note keeps f, folded into its like. What has no room is what is longest ago: of the component, if
// that has many, so that none pushes those of others out.
func (w *ward) note(f *Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	oldest, oldestOwn, own := -1, -1, 0
	for i, old := range w.failures {
		if old.same(f) {
			f.First, f.Count = old.First, old.Count+1
			if f.Said == nil {
				f.Said = old.Said // a guest may write so many lines a second
			}
			w.failures[i] = f
			return
		}
		if oldest < 0 || old.Last.Before(w.failures[oldest].Last) {
			oldest = i
		}
		if old.entry == f.entry && (f.entry != 0 || old.Digest == f.Digest) {
			if own++; oldestOwn < 0 || old.Last.Before(w.failures[oldestOwn].Last) {
				oldestOwn = i
			}
		}
	}
	switch {
	case own >= failuresOfOneMax:
		w.failures[oldestOwn] = f
	case len(w.failures) >= failuresMax:
		w.failures[oldest] = f
	default:
		w.failures = append(w.failures, f)
	}
}
