package wasi_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/wasi/probe"
	"github.com/hpmq/hpmq/host/wasm"
)

// engine serves WASI in a world; each engine of the pair must answer alike.
func engine(t *testing.T, w *world, interpreter bool) *wasm.Engine {
	t.Helper()
	cfg := w.config()
	cfg.Interpreter = interpreter
	e, err := wasm.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	for _, m := range w.modules() {
		if err := e.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func instance(t *testing.T, e *wasm.Engine, file string) *probe.Guest {
	t.Helper()
	code, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Compile(t.Context(), code)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	g := &probe.Guest{}
	if g.Guest, err = m.Instantiate(t.Context(), g, wasm.Limits{}); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	t.Cleanup(g.Close)
	return g
}

// A component may import all there is, by the first version of 0.2 and by the newest.
func TestEverythingMayBeImported(t *testing.T) {
	e := engine(t, newWorld(), true)
	for _, version := range []string{"0.2.0", "0.2.12"} {
		instance(t, e, "imports-"+version+".wasm")
	}
}

// libc is what testdata/libc.c says, in the world of the test.
const libc = `info: PLACE=here
info: wall clock: 1700000000123
info: monotonic clock: 1
info: sleep answers 0
info: monotonic clock: 3600001
info: entropy answers 0
info: two random bytes: 513
info: bytes of standard input: 0
info: a file: 0
warn: this is standard error
`

func TestAComponentWithACLibrary(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		t.Run(fmt.Sprint("interpreter=", interpreter), func(t *testing.T) {
			w := newWorld()
			testLibc(t, instance(t, engine(t, w, interpreter), "libc.wasm"))
			if w.slept != 0 {
				t.Errorf("slept %v", w.slept)
			}
		})
	}
}

func testLibc(t *testing.T, g *probe.Guest) {
	g.State.Environment = [][2]string{{"PLACE", "here"}}
	fn, err := g.Func("test:wasi/run@0.1.0#run")
	if err != nil {
		t.Fatal(err)
	}
	run := func(code uint64) error { return g.Call(fn, []uint64{code}) }
	if err := run(0); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.Lines, "\n") + "\n"; got != libc {
		t.Errorf("%s\nshould be\n%s", got, libc)
	}
	held, _ := g.State.Objects()
	for range 100 {
		if err := run(0); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := g.State.Objects(); n != held {
		t.Errorf("%d resources after one call, %d after 100 more", held, n)
	}
	if err := run(3); err == nil || !strings.Contains(err.Error(), "is not a program") {
		t.Errorf("exit: %v", err)
	}
	g.Close()
	if n, _ := g.State.Objects(); n != 0 {
		t.Errorf("%d resources are left", n)
	}
}
