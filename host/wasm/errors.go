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
	// Backtrace has the innermost functions, first the innermost; at most backtraceMax.
	Backtrace []string
}

const backtraceMax = 8

// Error is one line.
func (e *TrapError) Error() string {
	s := fmt.Sprintf("wasm: call %s: %v", e.Export, e.Cause)
	if e.Export == "" {
		s = "wasm: " + e.Cause.Error()
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	if len(e.Backtrace) > 0 {
		s += " [" + strings.Join(e.Backtrace, " < ") + "]"
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
		name, _, _ := strings.Cut(strings.TrimSpace(line), "(")
		if name != "" && !strings.Contains(name, fuel.FrameName) {
			t.Backtrace = append(t.Backtrace, name)
		}
	}
	return t
}
