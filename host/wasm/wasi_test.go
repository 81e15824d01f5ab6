package wasm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// logged is an env that keeps lines.
type logged struct{ lines []string }

func (l *logged) GuestLog(level, text string) { l.lines = append(l.lines, level+": "+text) }

// wasiCaller imports one function of WASI and exports it as f.
func wasiCaller(name string, params []byte, results []byte) *asm.Module {
	m := asm.New()
	m.Memory(1, 1)
	call := m.Import(wasiName, name, params, results)
	var body []byte
	for i := range params {
		body = append(body, asm.LocalGet(uint32(i))...)
	}
	m.ExportFunc("f", m.Func(params, results, none, body, asm.Call(call)))
	return m
}

// wasiGuest has a clock that stands still, unless moved.
func wasiGuest(t *testing.T, name string, env any, params ...byte) (*Guest, *Func, *time.Time) {
	e := open(t, Default())
	now := time.Unix(1000, 5)
	e.now, e.epoch = func() time.Time { return now }, time.Unix(990, 0)
	g := guest(t, compile(t, e, wasiCaller(name, params, i32)), env, small)
	return g, function(t, g, "f"), &now
}

// ask returns the error number.
func ask(t *testing.T, g *Guest, f *Func, args ...uint64) uint64 {
	t.Helper()
	stack := append(args, 0)
	if err := g.Call(f, stack); err != nil {
		t.Fatal(err)
	}
	return stack[0]
}

func write(g *Guest, at uint32, text string) {
	g.Memory().WriteString(at, text)
	g.Memory().PutUint32(0, at)
	g.Memory().PutUint32(4, uint32(len(text)))
}

func TestWrittenLinesAreLogged(t *testing.T) {
	env := &logged{}
	g, f, now := wasiGuest(t, "fd_write", env, asm.I32, asm.I32, asm.I32, asm.I32)
	say := func(fd uint64, text string) {
		write(g, 100, text)
		if n := ask(t, g, f, fd, 0, 1, 8); n != wasiOK {
			t.Fatalf("fd_write answers %d", n)
		}
		if n, _ := g.Memory().Uint32(8); n != uint32(len(text)) {
			t.Fatalf("%d of %d bytes written", n, len(text))
		}
	}
	say(1, "half a ")
	say(2, "panic: oh\r\n\n")
	say(1, "line\nbad \xff byte\n")
	say(1, strings.Repeat("x", lineBytesMax+1)+"\n")
	want := []string{"warn: panic: oh", "info: half a line", "info: bad � byte",
		"info: " + strings.Repeat("x", lineBytesMax), "info: x"}
	if got := fmt.Sprint(env.lines); got != fmt.Sprint(want) {
		t.Errorf("got %s", got)
	}
	if n := ask(t, g, f, 3, 0, 1, 8); n != wasiBadF {
		t.Errorf("writing to 3 answers %d", n)
	}
	env.lines = nil
	say(1, strings.Repeat("spam\n", 100))
	most := int(Default().LogLinesMax)
	if len(env.lines) != most-len(want) {
		t.Errorf("%d lines in a second of %d", len(env.lines)+len(want), most)
	}
	*now = now.Add(time.Second)
	say(1, "again\n")
	last := strings.Join(env.lines[len(env.lines)-2:], "; ")
	if want := "warn: 85 lines dropped: too many a second; info: again"; last != want {
		t.Errorf("%s", last)
	}
}

func TestClocksAndChance(t *testing.T) {
	g, f, _ := wasiGuest(t, "clock_time_get", nil, asm.I32, asm.I64, asm.I32)
	if n := ask(t, g, f, 0, 0, 8); n != wasiOK {
		t.Errorf("%d", n)
	}
	if v, _ := g.Memory().Uint64(8); v != 1_000_000_000_005 {
		t.Errorf("realtime %d", v)
	}
	ask(t, g, f, 1, 0, 8)
	if v, _ := g.Memory().Uint64(8); v != 10_000_000_005 {
		t.Errorf("monotonic %d", v)
	}
	if n := ask(t, g, f, 9, 0, 8); n != wasiInval {
		t.Errorf("clock 9 answers %d", n)
	}
	g, f, _ = wasiGuest(t, "random_get", nil, asm.I32, asm.I32)
	ask(t, g, f, 64, 32)
	if b, _ := g.Memory().Read(64, 40); string(b[:32]) == string(make([]byte, 32)) ||
		string(b[32:]) != string(make([]byte, 8)) {
		t.Errorf("random %x", b)
	}
}

func TestThereIsNothingToOpen(t *testing.T) {
	g, f, _ := wasiGuest(t, "fd_prestat_get", nil, asm.I32, asm.I32)
	if n := ask(t, g, f, 3, 8); n != wasiBadF {
		t.Errorf("fd_prestat_get answers %d", n)
	}
	g, f, _ = wasiGuest(t, "environ_sizes_get", nil, asm.I32, asm.I32)
	g.Memory().PutUint64(8, 1<<63)
	if n := ask(t, g, f, 8, 12); n != wasiOK {
		t.Errorf("environ_sizes_get answers %d", n)
	}
	if v, _ := g.Memory().Uint64(8); v != 0 {
		t.Errorf("environment %x", v)
	}
	g, f, _ = wasiGuest(t, "fd_seek", nil, asm.I32, asm.I64, asm.I32, asm.I32)
	if a, b := ask(t, g, f, 1, 0, 0, 0), ask(t, g, f, 7, 0, 0, 0); a != wasiSPipe || b != wasiBadF {
		t.Errorf("fd_seek answers %d and %d", a, b)
	}
	g, f, _ = wasiGuest(t, "fd_fdstat_get", nil, asm.I32, asm.I32)
	if a, b := ask(t, g, f, 2, 64), ask(t, g, f, 3, 64); a != wasiOK || b != wasiBadF {
		t.Errorf("fd_fdstat_get answers %d and %d", a, b)
	}
}

func TestPollAnswersAtOnce(t *testing.T) {
	g, f, _ := wasiGuest(t, "poll_oneoff", nil, asm.I32, asm.I32, asm.I32, asm.I32)
	g.Memory().PutUint64(0, 77)  // a clock
	g.Memory().PutUint64(48, 78) // a descriptor
	g.Memory().PutByte(48+8, 1)
	if n := ask(t, g, f, 0, 200, 2, 400); n != wasiOK {
		t.Errorf("%d", n)
	}
	first, _ := g.Memory().Uint64(200)
	failed, _ := g.Memory().Uint16(232 + 8)
	count, _ := g.Memory().Uint32(400)
	if first != 77 || failed != wasiBadF || count != 2 {
		t.Errorf("%d, %d, %d", first, failed, count)
	}
}

func TestHostileUseOfWASI(t *testing.T) {
	for name, c := range map[string]struct {
		function string
		params   []byte
		args     []uint64
		cause    error
	}{
		"address outside": {
			"clock_time_get", []byte{asm.I32, asm.I64, asm.I32}, []uint64{0, 0, 65_533}, ErrTrap,
		},
		"much randomness":  {"random_get", four[:2], []uint64{0, 65_537}, ErrTrap},
		"vectors outside":  {"fd_write", four, []uint64{1, 65_535, 1, 0}, ErrTrap},
		"many events":      {"poll_oneoff", four, []uint64{0, 0, 1<<32 - 1, 0}, ErrFuel},
		"events outside":   {"poll_oneoff", four, []uint64{0, 65_536, 1, 0}, ErrTrap},
		"sizes outside":    {"args_sizes_get", four[:2], []uint64{1<<32 - 1, 0}, ErrTrap},
		"around the world": {"random_get", four[:2], []uint64{1<<32 - 1, 1<<32 - 1}, ErrTrap},
	} {
		g, f, _ := wasiGuest(t, c.function, nil, c.params...)
		if err := g.Call(f, append(c.args, 0)); !errors.Is(err, c.cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExitIsATrap(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		g, f := one(t, cfg, wasiCaller("proc_exit", i32, none), small)
		err := g.Call(f, []uint64{3})
		if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "proc_exit(3)") {
			t.Errorf("%v", err)
		}
	})
}

// TestPreview1IsReplacedByItsOwnFunctionsAlone: what is provided under its name stands in the place
// of what the engine has, for guests that allocate too; anything else is a mistake.
func TestPreview1IsReplacedByItsOwnFunctionsAlone(t *testing.T) {
	answer := func(name, params string) HostModule {
		return HostModule{Name: wasiName, Funcs: []HostFunc{
			wasi(name, params, func(*Guest, []uint64) uint32 { return 42 }),
		}}
	}
	e := open(t, Default())
	for _, m := range []HostModule{
		answer("clock_time_got", "iIi"), answer("clock_time_get", "iii"),
	} {
		if err := e.Provide(m); err == nil {
			t.Errorf("%s is no function of preview 1", m.Funcs[0].Name)
		}
	}
	if err := e.Provide(answer("clock_time_get", "iIi")); err != nil {
		t.Fatal(err)
	}
	if f := e.provided[Track(wasiName)].functions["clock_time_get"]; !f.leaf {
		t.Error("it cannot be called while a guest allocates")
	}
	m := wasiCaller("clock_time_get", []byte{asm.I32, asm.I64, asm.I32}, i32)
	g := guest(t, compile(t, e, m), nil, small)
	if n := ask(t, g, function(t, g, "f"), 0, 0, 8); n != 42 {
		t.Errorf("clock_time_get answers %d", n)
	}
}

// TestTheMonotonicClockIsNeverZero: Go's runtime ends where it is.
func TestTheMonotonicClockIsNeverZero(t *testing.T) {
	now := time.Unix(1000, 0)
	cfg := Default()
	cfg.Now = func() time.Time { return now }
	m := wasiCaller("clock_time_get", []byte{asm.I32, asm.I64, asm.I32}, i32)
	g := guest(t, compile(t, open(t, cfg), m), nil, small)
	f := function(t, g, "f")
	for _, c := range []struct {
		by   time.Duration
		want time.Duration
	}{{0, firstInstant}, {5, firstInstant + 5}, {-time.Hour, firstInstant}} {
		now = now.Add(c.by)
		ask(t, g, f, 1, 0, 8)
		if v, _ := g.Memory().Uint64(8); time.Duration(v) != c.want || g.Monotonic() != c.want {
			t.Errorf("moved by %v: it shows %v", c.by, time.Duration(v))
		}
	}
}
