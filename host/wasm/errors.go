package wasm

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// Why a guest died, to be asked for by errors.Is.
var (
	// ErrFuel: it used up the budget of the call.
	ErrFuel = errors.New("out of fuel")
	// ErrDepth: it called too deep.
	ErrDepth = errors.New("calls nested too deep")
	// ErrTrap: it did something else that a guest must not do.
	ErrTrap = errors.New("trap")
	// ErrKilled: its owner ended it, see Guest.Kill.
	ErrKilled = errors.New("killed")
	// ErrDead: it died in an earlier call.
	ErrDead = errors.New("guest is dead")
	// ErrStartMemory: a module that begins with more memory than its guests may have: its data, its
	// heap and its stack.
	ErrStartMemory = errors.New("the module starts with more memory than it may have")
)

// TrapError is how a guest died: the error of the call it died in. It wraps ErrFuel, ErrDepth,
// ErrTrap or ErrKilled.
type TrapError struct {
	Cause  error
	Export string // the export that was called, empty if it was killed
	Text   string // what happened, one line
	// Backtrace has the innermost functions, first the innermost, by the names that the module has
	// for them, else by "$" and their index; at most backtraceMax.
	Backtrace []string
}

// backtraceMax is how many functions are kept: the machinery of a panic takes up to ten of them.
// shownMax is how many fit into a line.
const (
	backtraceMax = 24
	shownMax     = 8
)

// Error is one line.
func (e *TrapError) Error() string {
	s := fmt.Sprintf("wasm: call %s: %v", e.Export, e.Cause)
	if e.Export == "" {
		s = "wasm: " + e.Cause.Error()
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	if shown := e.Backtrace[:min(len(e.Backtrace), shownMax)]; len(shown) > 0 {
		s += " [" + strings.Join(shown, " < ") + "]"
	}
	return s
}

// Unwrap gives the cause.
func (e *TrapError) Unwrap() error { return e.Cause }

// guestFault is what a host function panics with to trap its guest: see Guest.Trap.
type guestFault struct{ text string }

func (f *guestFault) Error() string { return f.text }

// newTrap takes the engine's error apart: a message, then a stack trace with a function a line, and
// a Go stack after an empty line if it was a bug of a host function.
func newTrap(export string, cause, err error) *TrapError {
	message, trace, _ := strings.Cut(err.Error(), "wasm stack trace:\n\t")
	trace, _, _ = strings.Cut(trace, "\n\n")
	message = strings.TrimSpace(message)
	t := &TrapError{Cause: cause, Export: export}
	var fault *guestFault
	switch {
	case errors.As(err, &fault):
		t.Text = fault.text
	case cause == ErrTrap:
		t.Text = strings.TrimPrefix(message, "wasm error: ")
	}
	for line := range strings.Lines(trace) {
		if len(t.Backtrace) == backtraceMax {
			break
		}
		name := frameName(strings.TrimSpace(line))
		if name != "" && !strings.Contains(name, fuel.FrameName) {
			t.Backtrace = append(t.Backtrace, name)
		}
	}
	return t
}

// frameName is the name in a line of the trace, which is "MODULE.NAME(PARAMETERS) RESULTS": what is
// in parentheses may stand in a name too, as in "(*T).method" or "operator()(int)". Modules have no
// names here.
func frameName(line string) string {
	if cut := strings.LastIndex(line, ") "); cut >= 0 && isTypes(line[cut+2:]) {
		line = line[:cut+1]
	}
	if cut := strings.LastIndexByte(line, '('); cut >= 0 && strings.HasSuffix(line, ")") {
		line = line[:cut]
	}
	name := strings.TrimPrefix(line, ".")
	if end := len(name) - len(rustHash); end > 0 && isRustHash(name[end:]) {
		name = name[:end]
	}
	return name
}

// isTypes says whether s is the results of a function.
func isTypes(s string) bool {
	for _, one := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(s, "("), ")"), ",") {
		switch one {
		case "i32", "i64", "f32", "f64", "v128", "funcref", "externref":
		default:
			return false
		}
	}
	return true
}

// rustHash is what Rust puts behind the name of a function, for linkers.
const rustHash = "::h0123456789abcdef"

func isRustHash(s string) bool {
	const hex = "0123456789abcdef"
	return strings.HasPrefix(s, "::h") && strings.Trim(s[3:], hex) == ""
}
