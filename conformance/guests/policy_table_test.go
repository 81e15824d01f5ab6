package guests

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/lite/broker"
)

var table = flag.Bool("guests.table", false, "print the table of guests, minutes")

// measured is a row of the table.
type measured struct {
	language, form string
	bytes          int
	compile        time.Duration
	memory         uint32
	// authorize and keep leave things as they are, rename changes the message. On the compiler,
	// then on the interpreter.
	authorize, keep, rename [2]time.Duration
}

// TestTheTableOfGuests measures the policy in each language as the broker asks it: through the
// linker, with all limits on. What is too large to be committed is measured if it was built.
func TestTheTableOfGuests(t *testing.T) {
	if !*table {
		t.Log("only measures; make guests-bench prints the table")
		return
	}
	all := languages(t)
	built, err := filepath.Glob("../../.tools/guests/*/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range built {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = code
	}
	fmt.Println("| language | form | KB | compile ms | memory KiB | authorize ns | keep ns " +
		"| change ns | interpreted: authorize µs | keep µs | change µs |")
	fmt.Println("|" + strings.Repeat("---|", 11))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m := measure(t, name, all[name])
		fmt.Printf("| %s | %s | %.0f | %d | %d | %d | %d | %d | %s | %s | %s |\n",
			m.language, m.form, float64(m.bytes)/1000, m.compile.Milliseconds(), m.memory>>10,
			m.authorize[0].Nanoseconds(), m.keep[0].Nanoseconds(), m.rename[0].Nanoseconds(),
			micros(m.authorize[1]), micros(m.keep[1]), micros(m.rename[1]))
	}
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Nanoseconds())/1000) }

func measure(t *testing.T, name string, code []byte) measured {
	t.Helper()
	m := measured{language: strings.Split(name, "/")[0], form: "component", bytes: len(code)}
	if strings.Contains(name, ".core.") {
		m.form = "core"
	}
	for i := range 2 {
		e := policyEngine(t, i == 1)
		begin := time.Now()
		mod := compile(t, e, code)
		if i == 0 {
			m.compile = time.Since(begin)
			in := openPolicy(t, mod)
			in.configurePolicy("{}")
			m.memory = in.guest.Memory().Size()
		}
		l := policyLinker(t, e)
		ref := link.Ref{
			Use: name, Code: code, Config: json.RawMessage("{}"), OnFault: link.FaultClosed,
			Grants: []string{"kv", "history", "publish"}, // an engine inside imports all there is
			Limits: link.Limits{Fuel: generous, MemoryBytesMax: memoryMax},
		}
		spec := link.Spec{link.RoleAuthorizer: {ref}, link.RoleTransformer: {ref}}
		if err := l.Link(t.Context(), "main", spec); err != nil {
			t.Fatal(err)
		}
		m.ask(l.Policy("main", 0), i)
		noFaults(t, l)
	}
	return m
}

// ask measures with a topic of 32 bytes and a payload of 256.
func (m *measured) ask(p broker.Policy, engine int) {
	who := &broker.Identity{
		ClientID: "device-7", Username: "alice", Address: "192.0.2.1", Listener: "main",
	}
	object := func(key string) *broker.Message {
		text := `{"id":"0x0015BC001A","status":{"ok":true,"code":[0,1]},"` + key + `":21.5,"pad":"`
		return &broker.Message{
			Topic:   []byte("site/berlin/floor-4/sensor-7/up1"),
			Payload: []byte(text + strings.Repeat("x", 256-2-len(text)) + `"}`),
		}
	}
	kept, changed := object("humi"), object("temp")
	var out []broker.Message
	m.authorize[engine] = perCall(func() {
		p.Authorize(0, who, broker.ActionPublish, kept.Topic, 1) // next, once: never remembered
	})
	m.keep[engine] = perCall(func() {
		out = out[:0]
		p.Transform(0, broker.Upstream, who, kept, &out)
	})
	m.rename[engine] = perCall(func() {
		out = out[:0]
		p.Transform(0, broker.Upstream, who, changed, &out)
	})
}

// perCall is the best of many short rounds: each fits between two turns of other processes.
func perCall(f func()) time.Duration {
	const round, all = 200 * time.Microsecond, time.Second
	n := 1
	for spent := rounds(1, f); spent < round && n < 1<<10; spent = rounds(n, f) {
		n *= 2
	}
	best := time.Hour
	for begin := time.Now(); time.Since(begin) < all; {
		best = min(best, rounds(n, f)/time.Duration(n))
	}
	return best
}

func rounds(n int, f func()) time.Duration {
	begin := time.Now()
	for range n {
		f()
	}
	return time.Since(begin)
}
