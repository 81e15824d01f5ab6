package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// ward is a broker whose components are ill.
type ward struct {
	linked   []client.Linked
	failures []client.Failure
	changes  []client.Change
}

func (w *ward) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	var answer any = w.linked
	switch strings.TrimPrefix(r.URL.Path, client.Base) {
	case "/link/failures":
		answer = w.failures
	case "/changes":
		answer = w.changes
	}
	_ = json.NewEncoder(out).Encode(answer)
}

// doctor is what link doctor says of it. Its exit code is that of what it says.
func (w *ward) doctor(t *testing.T, args ...string) string {
	t.Helper()
	text, code := w.examined(t, args...)
	ill := strings.Contains(text, " in trouble") || strings.Contains(text, `"well": false`)
	if want := map[bool]int{true: exitRefused}[ill]; code != want {
		t.Errorf("exit %d, want %d:\n%s", code, want, text)
	}
	return text
}

// examined is what link doctor says, with its exit code.
func (w *ward) examined(t *testing.T, args ...string) (text string, code int) {
	t.Helper()
	h := httptest.NewServer(w)
	defer h.Close()
	var out, errs strings.Builder
	line := append([]string{"--server", h.URL, "link", "doctor"}, args...)
	code = run(t.Context(), line, streams{strings.NewReader(""), &out, &errs})
	if errs.Len() > 0 {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	return strings.ReplaceAll(out.String(), " --server "+h.URL, ""), code
}

// says checks that the words come in text, in that order.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
	rest := text
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("%q is not in its place in:\n%s", w, text)
			continue
		}
		rest = after
	}
}

func healthy(role string) client.Linked {
	return client.Linked{
		Listener: "mqtt", Role: role, Name: role + "-rules", Version: "1.0.0",
		Digest: "aaaaaaaaaaaa", OnFault: "open", Calls: 1000, Breaker: "closed",
		Guests: 4, MemoryBytesMax: 64 << 20,
	}
}

// ill is a ward with one component that fails of that kind.
func ill(kind string) *ward {
	now := time.Now()
	bad := healthy("transformer")
	bad.Name, bad.Digest, bad.Previous = "vendor", "bbbbbbbbbbbb", "cccccccccccc"
	bad.Faults, bad.Absent, bad.Breaker, bad.BreakerOpened = 7, 5, "open", 2
	bad.BreakerSince, bad.Since = now.Add(-3*time.Second), now.Add(-5*time.Hour)
	return &ward{
		linked: []client.Linked{healthy("router"), bad},
		failures: []client.Failure{{
			Listener: "mqtt", Role: "transformer", Standing: client.Serving, Name: "vendor",
			Digest: "bbbbbbbbbbbb", OnFault: "open", Kind: noGuest, Count: 5, First: now, Last: now,
			Text: "no guest is ready",
		}, {
			Listener: "mqtt", Role: "transformer", Standing: client.Serving, Name: "vendor",
			Digest: "bbbbbbbbbbbb", OnFault: "open", Kind: kind, Count: 7,
			First: now.Add(-4 * time.Minute), Last: now, Text: "un\x1breachable",
			Function: "hpmq:broker/transformer@0.1.0#upstream", Topic: "meter/7/up",
			ClientID: "meter-7", Said: []string{"panic: index out of range", "goroutine 1"},
			Fuel: 1234, FuelMax: 5000000, Backtrace: []string{"(*main.T).decode", "main.up"},
		}},
	}
}

func TestTheDoctorSaysThatAllIsWell(t *testing.T) {
	w := &ward{linked: []client.Linked{healthy("router"), healthy("transformer")}}
	says(t, w.doctor(t), "All is well: 2 components answered 2 000 questions, and none has failed.")
	says(t, (&ward{}).doctor(t), "No component is linked.")
	var found findings
	if err := json.Unmarshal([]byte(w.doctor(t, "--json")), &found); err != nil || !found.Well ||
		found.Components != 2 || found.Cases == nil {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestTheDoctorTellsOfATrap(t *testing.T) {
	w := ill("trap")
	got := w.doctor(t)
	says(t, got, "mqtt transformer[0]: vendor 1.0.0 bbbbbbbbbbbb rests\n",
		"7 of 1 005 questions failed, 5 found no instance", "(5 h ago)",
		"its breaker is open since", "(3 s ago), and opened 2 times",
		"on_fault is open: messages go on as they came, untransformed",
		"trap in upstream, 7 times: un\ufffdreachable", "last ", "first ", "(4 min ago)",
		"topic      meter/7/up", "client     meter-7", "it wrote   panic: index out of range",
		"goroutine 1", "fuel       at least 1 234 of 5 000 000", "in         (*main.T).decode",
		"called by  main.up", "no guest, 5 times",
		"1. go back to the version before it, cccccccccccc: "+
			"hpmq-cli link rollback --listener mqtt --role transformer\n",
		"2. send its author what it failed of: hpmq-cli link doctor --listener mqtt --json",
		"1 component in trouble; 2 components linked.")
	if strings.Contains(got, "router") {
		t.Errorf("who is well is shown:\n%s", got)
	}
	var found findings
	if err := json.Unmarshal([]byte(w.doctor(t, "--json")), &found); err != nil || found.Well ||
		len(found.Cases) != 1 || len(found.Cases[0].Failures) != 2 ||
		len(found.Cases[0].ToDo) != 2 || found.Cases[0].Failures[0].Kind != "trap" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestTheDoctorKnowsRemedies(t *testing.T) {
	for kind, want := range map[string]string{
		"fuel":      "write fuel: 10000000 into its entry of link.transformer of listener mqtt",
		"memory":    "write memory: 32MiB, twice what it has, into its entry",
		"depth":     "raise wasm.depth_max",
		"garbage":   "hpmq-cli component check FILE.wasm",
		"too large": "have it take payloads by handle",
		"start":     "look for its lines in the log",
	} {
		says(t, ill(kind).doctor(t), kind+" in upstream", "2. ", want)
	}
}

func TestTheDoctorDoesNotSendInCircles(t *testing.T) {
	w := ill("trap")
	old := w.failures[1]
	old.Digest, old.Standing, old.Kind = "cccccccccccc", client.Gone, "fuel"
	w.failures = append(w.failures, old)
	says(t, w.doctor(t), "the version before it, cccccccccccc, has failed too (fuel); swap in",
		"hpmq-cli link swap --listener mqtt --role transformer --position 0 --use FILE.wasm",
		"mqtt transformer: vendor cccccccccccc is linked no more")
	w = ill("trap")
	w.linked[1].Previous = ""
	says(t, w.doctor(t), "1. there is no version before it to go back to; swap in")
	w.linked[1].Added = true
	says(t, w.doctor(t), "1. take it out again: hpmq-cli link rollback --listener mqtt --role")
}

// TestTheDoctorKnowsTheWayBackOfTheRecords, as it is after a restart: what the configuration links
// may have a name alone.
func TestTheDoctorKnowsTheWayBackOfTheRecords(t *testing.T) {
	w := ill("trap")
	const rollback = ": hpmq-cli link rollback --listener mqtt --role transformer\n"
	w.linked[1].PreviousName = "transformer-json"
	says(t, w.doctor(t), "1. go back to the version before it, transformer-json cccccccccccc"+
		rollback)
	w.linked[1].Previous = ""
	says(t, w.doctor(t), "1. go back to the version before it, transformer-json"+rollback)
}

func TestTheDoctorMissesNames(t *testing.T) {
	w := ill("trap")
	if got := w.doctor(t); strings.Contains(got, "no names") {
		t.Error(got)
	}
	w.failures[1].Backtrace = []string{"$7", "$12"}
	says(t, w.doctor(t), "in         $7", "its functions have no names")
}

func TestTheDoctorTellsWhatIsOver(t *testing.T) {
	w := ill("trap")
	for i := range w.failures {
		w.failures[i].Last = time.Now().Add(-time.Hour)
	}
	w.linked[1].Breaker = "closed"
	says(t, w.doctor(t), "vendor 1.0.0 bbbbbbbbbbbb failed earlier", "All is well now: 2 comp")
	w.linked[1].Breaker = "half-open"
	says(t, w.doctor(t), "is tried again", "1 component in trouble")
}

func TestTheDoctorTellsCanariesApart(t *testing.T) {
	for _, standing := range []string{client.Canary, client.Shadow} {
		w := ill("trap")
		w.linked = w.linked[:1]
		w.failures = w.failures[1:]
		w.failures[0].Standing, w.failures[0].Redacted = standing, true
		place := []client.ChangePlace{{Listener: "mqtt", Role: "transformer"}}
		w.changes = []client.Change{
			{ID: "old", Places: place, Ended: true}, {ID: "vendor-2", Places: place},
		}
		says(t, w.doctor(t), "mqtt transformer[0] ("+standing+"): vendor bbbbbbbbbbbb fails",
			standing, "redacted", "1. end its change, the version that serves is as it was: "+
				"hpmq-cli change cancel vendor-2\n")
	}
}

// The broker refuses link rollback while a change is at work at the listener.
func TestTheDoctorDoesNotAdviseWhatAChangeIsInTheWayOf(t *testing.T) {
	const back = "go back to the version before it, cccccccccccc: hpmq-cli link rollback"
	for name, c := range map[string]struct{ state, listener, role, want string }{
		"its own": {"draining", "mqtt", "transformer", "1. bring the version before it back, " +
			"its change x is watched: hpmq-cli change rollback x\n"},
		"of another role": {"draining", "mqtt", "router", "1. end change x first, nothing else " +
			"is linked at mqtt before: hpmq-cli change promote x --from draining; then " + back},
		"not committed": {"canary", "mqtt", "transformer", "1. end change x first, nothing else " +
			"is linked at mqtt before: hpmq-cli change cancel x; then " + back},
		"elsewhere": {"draining", "other", "transformer", "1. " + back},
	} {
		t.Run(name, func(t *testing.T) {
			w := ill("trap")
			w.changes = []client.Change{{ID: "x", State: c.state,
				Places: []client.ChangePlace{{Listener: c.listener, Role: c.role}}}}
			says(t, w.doctor(t), c.want)
		})
	}
}

func TestTheDoctorLooksAtOneListener(t *testing.T) {
	w := ill("trap")
	w.failures = nil
	says(t, w.doctor(t, "--listener", "other"), "No component is linked.")
}

// TestEveryPolicyHasWords: for each role, both ways.
func TestEveryPolicyHasWords(t *testing.T) {
	for _, role := range strings.Split(strings.ReplaceAll(roles, " or ", ", "), ", ") {
		if policies[role]["open"] == "" || policies[role]["closed"] == "" {
			t.Errorf("%q", role)
		}
	}
}
