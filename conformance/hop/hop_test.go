package hop

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/lite/broker"
)

var (
	table = flag.Bool("table", false, "print what each way costs")
	each  = flag.Duration("each", 300*time.Millisecond, "how long each way is measured")
	rows  = flag.String("rows", "", "measure only those with this in their names")
)

// usual has a topic of 32 bytes and a payload of 256.
func usual() *question {
	payload := `{"temperature":21.5,"humidity":48,"unit":"celsius","seq":44121,"text":"`
	payload += strings.Repeat("x", 254-len(payload)) + `"}`
	return &question{
		ClientID: "dev1", Username: "alice", Password: []byte("secret"),
		Topic: "devices/dev1/kitchen/temperature", Payload: []byte(payload),
	}
}

// form is one way that a guest of a role was made.
type form struct{ name, folder, suffix string }

// formsOf are those of hop.c, and of Rust where it is there. The plain one allocates each argument,
// as what other toolchains make does.
func formsOf(r link.Role) []form {
	forms := []form{
		{"core", "testdata/", ".wasm"}, {"component", "testdata/components/", ".wasm"},
		{"plain component", "testdata/plain/", ".wasm"},
	}
	if r == link.RoleAuthorizer || r == link.RoleTransformer {
		forms = append(forms, form{"core in Rust", "testdata/rust/", ".core.wasm"},
			form{"component in Rust", "testdata/rust/", ".wasm"})
	}
	return forms
}

func (f form) ref(t testing.TB, r link.Role) link.Ref {
	t.Helper()
	return ref(t, f.folder+r.String()+f.suffix)
}

func engineName(interpreter bool) string {
	if interpreter {
		return "interpreter"
	}
	return "compiler"
}

// TestEveryWayAnswersAlike: what is compared by time must be the same work.
func TestEveryWayAnswersAlike(t *testing.T) {
	q := usual()
	questions := []*question{q, q, {ClientID: "dev1", Topic: "devices/dev10/alarm"},
		{ClientID: "dev1", Username: "alice", Topic: "$SYS", Payload: []byte("aZ{")}, q}
	hook := newHook(t)
	for _, interpreter := range []bool{false, true} {
		l := openLinker(t, openEngine(t, interpreter))
		for _, r := range roles {
			for _, form := range formsOf(r) {
				linkTo(t, l, r, form.ref(t, r)).alike(hook, questions)
				noFaults(t, l)
			}
		}
	}
}

// alike compares the component and the webhook with the Go function. The hash that a deduplicator
// keeps is not the same in all: the webhook's is of the run before.
func (in *linked) alike(hook *hook, questions []*question) {
	var plain native
	for i, q := range questions {
		want := string(plain.ask(in.role.String(), q))
		if got := string(in.answer(q)); got != want {
			in.t.Errorf("%s, question %d: %q, want %q", in.role, i, got, want)
		}
		got := string(hook.ask(in.role.String(), q))
		if got != want && in.role != link.RoleDeduplicator {
			in.t.Errorf("webhook as %s, question %d: %q, want %q", in.role, i, got, want)
		}
	}
}

// TestWhatAGuestKeepsStaysAsItCame: one in Rust owns its arguments, those in the block too.
func TestWhatAGuestKeepsStaysAsItCame(t *testing.T) {
	l := openLinker(t, openEngine(t, false))
	in := linkTo(t, l, link.RoleTransformer, ref(t, "testdata/rust/keeper.wasm"))
	payload := func(i int) []byte {
		return bytes.Repeat([]byte{'a' + byte(i%26)}, i*i*37%10_000)
	}
	for i := range 100 {
		q := usual()
		q.Topic, q.Payload = fmt.Sprint("topic/", i), payload(i)
		in.set(q)
		v := in.ask()
		if i < 3 {
			continue
		}
		if v != broker.Replace || string(in.out[0].Topic) != fmt.Sprint("topic/", i-3) ||
			!bytes.Equal(in.out[0].Payload, payload(i-3)) {
			t.Fatalf("question %d: %v, %.80v", i, v, in.out)
		}
	}
	noFaults(t, l)
}

func noFaults(t *testing.T, l *link.Linker) {
	t.Helper()
	for _, shown := range l.Show() {
		for _, c := range shown.Components {
			if c.Faults != 0 {
				t.Errorf("%s: %s", c.Name, c.LastFault)
			}
		}
	}
}

// TestAHopDoesNotAllocate but that of an authenticator, which a worker asks.
func TestAHopDoesNotAllocate(t *testing.T) {
	l := openLinker(t, openEngine(t, false))
	for _, r := range roles[:4] {
		for _, form := range formsOf(r) {
			in := linkTo(t, l, r, form.ref(t, r))
			in.set(usual())
			if n := testing.AllocsPerRun(200, func() { in.ask() }); n != 0 {
				t.Errorf("%s %s: %v allocations", form.name, r, n)
			}
		}
	}
}

// best is what one call takes in the best of many short runs: others on the machine only add.
func best(ask func()) time.Duration {
	n := 1
	for ; n < 1<<20; n *= 2 {
		if run(ask, n) > 500*time.Microsecond {
			break
		}
	}
	least := time.Hour
	for end := time.Now().Add(*each); time.Now().Before(end); {
		least = min(least, run(ask, n)*1000/time.Duration(n))
	}
	return least // in picoseconds
}

func run(ask func(), n int) time.Duration {
	begin := time.Now()
	for range n {
		ask()
	}
	return time.Since(begin)
}

// sheet is the table as it is written.
type sheet struct {
	out   *tabwriter.Writer
	plain float64 // what the role takes as Go
}

// row measures one way.
func (s *sheet) row(name string, ask func(), fuel string) {
	if !strings.Contains(name, *rows) {
		return
	}
	ask()
	ns := float64(best(ask)) / 1000
	if s.plain == 0 {
		s.plain = ns
	}
	allocs := testing.AllocsPerRun(100, ask)
	fmt.Fprintf(s.out, "%s\t%.0f\t%s\t%.0f\t%.1f×\t\n", name, ns, fuel, allocs, ns/s.plain)
}

// TestTheTable measures; make bench-wasm runs it. Nothing in it passes or fails by time.
func TestTheTable(t *testing.T) {
	if !*table {
		t.Log("go test -table prints what each way costs")
		return
	}
	fmt.Printf("%s/%s, %d processors; topic of 32 bytes, payload of 256; fuel, depth and memory "+
		"limits on; best of runs of 0.5 ms for %v\n\n", runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), *each)
	s := &sheet{out: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)}
	fmt.Fprint(s.out, "role, how it is asked\tns per call\tfuel\tallocations\tto Go\t\n")
	hook, plain, q := newHook(t), &native{}, usual()
	for _, r := range roles {
		s.plain = 0
		s.row(r.String()+" as a Go function", func() { plain.ask(r.String(), q) }, "")
		for _, interpreter := range []bool{false, true} {
			s.linked(t, r, interpreter)
		}
		s.row(r.String()+" as a webhook on loopback", func() { hook.ask(r.String(), q) }, "")
	}
	s.languages(t)
	if err := s.out.Flush(); err != nil {
		t.Fatal(err)
	}
}

// linked measures the role in both forms, through a link and without.
func (s *sheet) linked(t *testing.T, r link.Role, interpreter bool) {
	e := openEngine(t, interpreter)
	l := openLinker(t, e)
	for _, form := range formsOf(r) {
		rf := form.ref(t, r)
		in := linkTo(t, l, r, rf)
		in.set(usual())
		name := fmt.Sprintf("%s, %s, %s", r, form.name, engineName(interpreter))
		fuel := fmt.Sprint(in.fuel())
		s.row(name, func() { in.ask() }, fuel)
		if r == link.RoleTransformer {
			s.row(name+", that keeps the message", func() { in.keep() }, "")
		}
		if faces[r] != "" && !interpreter {
			b, q := openBare(t, e, r, rf.Code), usual()
			b.ask(r, q)
			s.row(name+", host/wasm alone", func() { b.ask(r, q) }, fmt.Sprint(b.guest.Fuel()))
		}
	}
}

// languages measures the policy of conformance/guests in the two languages that are to be fast, as
// their bindings generators make it: each argument is allocated and freed. A probe asks, for a link
// remembers what its authorizer answers.
func (s *sheet) languages(t *testing.T) {
	l := openLinker(t, openEngine(t, false))
	for _, lang := range []string{"c", "rust"} {
		for _, file := range []string{"policy.core.wasm", "policy.wasm"} {
			path := "../guests/policy/" + lang + "/" + file
			for _, r := range roles[:2] {
				in := linkTo(t, l, r, ref(t, path))
				in.set(usual())
				name := fmt.Sprintf("policy in %s, %s, %s", lang, file, functions[r])
				s.plain = 0
				s.row(name, in.tell, fmt.Sprint(in.fuel()))
			}
		}
	}
}
