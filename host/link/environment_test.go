package link

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestVariablesReachTheGuest(t *testing.T) {
	h := newHouse(t, nil)
	env := map[string]string{"B": "2", "A": "1", "C": ""}
	spec := Spec{RoleDeduplicator: {{Use: "deduplicator", Env: env}}}
	err := h.linker.Link(t.Context(), "main", spec)
	if err != nil {
		t.Fatal(err)
	}
	want := [][2]string{{"A", "1"}, {"B", "2"}, {"C", ""}}
	s := h.settings(RoleDeduplicator)
	if !reflect.DeepEqual(s.Environment, want) || s.WaitMax != 0 {
		t.Errorf("%+v", s)
	}
	swap := func(env map[string]string) {
		t.Helper()
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleDeduplicator, Ref: Ref{Use: "deduplicator", Env: env},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if swap(nil); !reflect.DeepEqual(h.settings(RoleDeduplicator).Environment, want) {
		t.Error("a swap that says nothing of variables changes them")
	}
	if swap(map[string]string{}); h.settings(RoleDeduplicator).Environment != nil {
		t.Error("a swap cannot take variables away")
	}
}

// settings are those of the guests of the first component of a role.
func (h *house) settings(role Role) (s struct {
	Environment [][2]string
	WaitMax     time.Duration
}) {
	h.t.Helper()
	ls, err := h.linker.find("main")
	if err != nil {
		h.t.Fatal(err)
	}
	entries, _ := ls.table.Load().chainOf(role)
	in := entries[0].seats[0].take(h.clock.now())
	s.Environment, s.WaitMax = in.WASI().Environment, in.WASI().WaitMax
	return s
}

func TestWhoRunsBesideTheLoopsMayWait(t *testing.T) {
	h := newHouse(t, nil)
	err := h.linker.Link(t.Context(), "main", Spec{
		RoleAuthenticator: {{Use: "authenticator"}}, RoleRouter: {{Use: "router"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := h.settings(RoleAuthenticator); s.WaitMax != time.Second {
		t.Errorf("an authenticator: %v", s.WaitMax)
	}
	if s := h.settings(RoleRouter); s.WaitMax != 0 {
		t.Errorf("a router: %v", s.WaitMax)
	}
	if RoleWorker.waitMax() != time.Second {
		t.Error("a worker may not wait")
	}
}

func TestBadVariablesAreRefused(t *testing.T) {
	h := newHouse(t, nil)
	many := map[string]string{}
	for i := range EnvMax + 1 {
		many[strings.Repeat("x", i+1)] = ""
	}
	for name, env := range map[string]map[string]string{
		"no name": {"": "x"}, "an equals sign": {"a=b": "x"}, "a zero in a name": {"a\x00": "x"},
		"a zero in a value": {"a": "\x00"}, "too many": many,
		"too much": {"a": strings.Repeat("x", EnvBytesMax)},
	} {
		err := h.linker.Link(t.Context(), "main", Spec{
			RoleDeduplicator: {{Use: "deduplicator", Env: env}},
		})
		var step *StepError
		if !errors.As(err, &step) || step.Step != StepRequest || !strings.Contains(step.Do, "env") {
			t.Errorf("%s: %v", name, err)
		}
	}
	most := map[string]string{"a": strings.Repeat("x", EnvBytesMax-1)}
	if err := checkEnv(most); err != nil {
		t.Error(err)
	}
}
