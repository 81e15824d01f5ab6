package link

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A component with a C library finds its variables, writes to the log, and sleeps for an hour on
// the loop that asks it: which takes no time.
func TestAComponentWithACLibrary(t *testing.T) {
	h := newHouse(t, nil)
	ref := wrapped(t, "libc", "")
	ref.Env = map[string]string{"PLACE": "Zürich"}
	p := h.one(RoleDeduplicator, ref)
	began := time.Now()
	if p.Fresh(h.clock.now(), &device, message("a", "x")) {
		t.Error("its answer is not taken")
	}
	if d := time.Since(began); d > 30*time.Minute {
		t.Errorf("it slept for %v", d)
	}
	if v := h.seen(RoleDeduplicator, 0); v.Faults != 0 {
		t.Errorf("%d faults: %s", v.Faults, v.LastFault)
	}
	for _, want := range []string{"I am in Zürich", "slept well", "component=libc"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("%q is not in the log: %s", want, h.log)
		}
	}
}

func TestAComponentMissesItsVariable(t *testing.T) {
	h := newHouse(t, nil)
	err := h.linker.Link(t.Context(), "main", Spec{RoleDeduplicator: {wrapped(t, "libc", "")}})
	var step *StepError
	if !errors.As(err, &step) || step.Step != StepConfigure ||
		!strings.Contains(err.Error(), "PLACE is not set") {
		t.Error(err)
	}
}
