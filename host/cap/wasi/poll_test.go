package wasi_test

import (
	"math"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/probe"
	"github.com/hpmq/hpmq/host/wasm"
)

// poll writes a list of handles and answers the indices that poll gives.
func poll(t *testing.T, g *probe.Guest, handles ...uint64) []uint32 {
	t.Helper()
	for i, h := range handles {
		g.Memory().PutUint32(uint32(100+4*i), uint32(h))
	}
	g.Do("io/poll#poll", 100, uint64(len(handles)), 0)
	list := g.List(0)[:0]
	for i := range g.Uint32(4) {
		list += string(rune(g.Uint32(uint64(g.Uint32(0) + 4*i))))
	}
	var out []uint32
	for _, r := range list {
		out = append(out, uint32(r))
	}
	return out
}

// begins is what the clock shows at first: never 0, which Go's runtime takes for no clock.
const begins = uint64(time.Millisecond)

func instant(g *probe.Guest) uint64 { return g.Do("clocks/monotonic-clock#now") }

func TestATimerIsReadyWhenItsTimeHasCome(t *testing.T) {
	g, w := newGuest(t)
	p := g.Do("clocks/monotonic-clock#subscribe-duration", uint64(time.Second))
	if g.Do("io/poll#[method]pollable.ready", p) != 0 {
		t.Error("ready at once")
	}
	w.now = w.now.Add(time.Second - 1)
	if g.Do("io/poll#[method]pollable.ready", p) != 0 {
		t.Error("ready too early")
	}
	w.now = w.now.Add(1)
	if g.Do("io/poll#[method]pollable.ready", p) != 1 {
		t.Error("not ready in time")
	}
	at := g.Do("clocks/monotonic-clock#subscribe-instant", instant(g)+5)
	if g.Do("io/poll#[method]pollable.ready", at) != 0 {
		t.Error("an instant to come is ready")
	}
}

// On a loop nobody waits: the clock of the guest jumps, so that it finds its time has come.
func TestWaitingOnALoopMovesTheGuestsClock(t *testing.T) {
	g, w := newGuest(t)
	g.Do("io/poll#[method]pollable.block",
		g.Do("clocks/monotonic-clock#subscribe-duration", uint64(time.Hour)))
	if w.slept != 0 {
		t.Errorf("slept %v", w.slept)
	}
	if now := instant(g); now != begins+uint64(time.Hour) {
		t.Errorf("the clock shows %v", time.Duration(now))
	}
	w.now = w.now.Add(time.Second)
	if now := instant(g); now != begins+uint64(time.Hour+time.Second) {
		t.Errorf("then the clock shows %v", time.Duration(now))
	}
	forever := g.Do("clocks/monotonic-clock#subscribe-duration", math.MaxUint64)
	g.Do("io/poll#[method]pollable.block", forever)
	ready := g.Do("io/poll#[method]pollable.ready", forever)
	if now := instant(g); now != math.MaxUint64 || ready != 1 {
		t.Errorf("the end of time overflows: %x", now)
	}
	w.now = w.now.Add(-time.Hour)
	if instant(g) < math.MaxUint64-uint64(time.Hour) {
		t.Error("a clock of the host that goes back is seen")
	}
}

func TestAWorkerWaitsAndPaysForIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		fuel  uint64
		sleep time.Duration
		slept time.Duration
		spent uint64
	}{
		{"a millisecond", 10_000_000_000, time.Millisecond, time.Millisecond, 2_500_000},
		{"a minute", 10_000_000_000, time.Minute, time.Second, 2_500_000_000},
		{"with little fuel", 10_000_000, time.Minute, 1999 * time.Microsecond, 4_997_500},
		{"with hardly any", 5_000, time.Minute, 0, 0},
	} {
		w := newWorld()
		g := w.house(t).Guest(t, wasm.Limits{Fuel: c.fuel})
		g.State.WaitMax = time.Second
		p := g.Do("clocks/monotonic-clock#subscribe-duration", uint64(c.sleep))
		g.Do("io/poll#[method]pollable.block", p)
		if w.slept != c.slept {
			t.Errorf("%s: slept %v", c.name, w.slept)
		}
		if spent := g.Fuel(); spent < c.spent || spent > c.spent+1_000 {
			t.Errorf("%s: costs %d", c.name, spent)
		}
		if now := time.Duration(instant(g) - begins); now != c.sleep {
			t.Errorf("%s: the clock shows %v", c.name, now)
		}
	}
}

func TestPollAnswersThoseThatAreReady(t *testing.T) {
	g, _ := newGuest(t)
	timer := func(d time.Duration) uint64 {
		return g.Do("clocks/monotonic-clock#subscribe-duration", uint64(d))
	}
	out := g.Do("cli/stdout#get-stdout")
	now := g.Do("io/streams#[method]output-stream.subscribe", out)
	late, soon, same := timer(3), timer(2), timer(2)
	for _, c := range []struct {
		name string
		in   []uint64
		want []uint32
	}{
		{"one is ready", []uint64{late, now, soon}, []uint32{1}},
		{"the soonest come", []uint64{late, soon, same}, []uint32{1, 2}},
		{"twice the same", []uint64{soon, now, soon}, []uint32{0, 1, 2}},
		{"the last comes", []uint64{late}, []uint32{0}},
	} {
		got := poll(t, g, c.in...)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", c.name, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v", c.name, got)
			}
		}
	}
}

func TestPollRefuses(t *testing.T) {
	traps(t, "empty list", "io/poll#poll", 100, 0, 0)
	traps(t, "may poll 1024", "io/poll#poll", 100, 1025, 0)
	traps(t, "outside the memory", "io/poll#poll", 100, math.MaxUint32, 0)
	traps(t, "aligned", "io/poll#poll", 101, 1, 0)
	traps(t, "", "io/poll#[method]pollable.block", 7)
}

func TestTheClocks(t *testing.T) {
	g, w := newGuest(t)
	if now := instant(g); now != begins {
		t.Errorf("the guest's clock begins at %d", now)
	}
	w.now = w.now.Add(42)
	if now := instant(g); now != begins+42 {
		t.Errorf("then it shows %d", now)
	}
	w.now = w.now.Add(-time.Hour)
	if now := instant(g); now != begins {
		t.Errorf("a clock of the host that goes back: it shows %d", now)
	}
	w.now = w.now.Add(time.Hour)
	if r := g.Do("clocks/monotonic-clock#resolution"); r == 0 || r > 1_000_000 {
		t.Errorf("a resolution of %d ns", r)
	}
	g.Do("clocks/wall-clock#now", 64)
	if s, n := g.Uint64(64), g.Uint32(72); s != 1_700_000_000 || n != 123_456_831 {
		t.Errorf("wall: %d s %d ns", s, n)
	}
	w.now = time.Unix(-5, 0)
	if g.Do("clocks/wall-clock#now", 64); g.Uint64(64) != 0 {
		t.Error("before 1970")
	}
	g.Do("clocks/wall-clock#resolution", 64)
	if s, n := g.Uint64(64), g.Uint32(72); s != 0 || n == 0 {
		t.Errorf("resolution: %d s %d ns", s, n)
	}
	g.Put(64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	g.Do("clocks/timezone#display", 1, 2, 64)
	if g.Uint32(64) != 0 || g.List(68) != "UTC" || g.Bytes(76, 1) != "\x00" {
		t.Error("the time zone is not UTC")
	}
	if g.Do("clocks/timezone#utc-offset", 1, 2) != 0 {
		t.Error("an offset from UTC")
	}
}

func TestRandom(t *testing.T) {
	g, w := newGuest(t)
	for i, name := range []string{
		"random/random#get-random-bytes", "random/insecure#get-insecure-random-bytes",
	} {
		w.next = byte(10 * i)
		g.Do(name, 3, 0)
		if got, want := g.List(0), string([]byte{w.next - 2, w.next - 1, w.next}); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	w.next = 0
	const want = 0x0807060504030201
	if v := g.Do("random/random#get-random-u64"); v != want {
		t.Errorf("%#x", v)
	}
	w.next = 0
	if v := g.Do("random/insecure#get-insecure-random-u64"); v != want {
		t.Errorf("%#x", v)
	}
	w.next = 0
	if g.Do("random/insecure-seed#insecure-seed", 64); g.Uint64(64) != want ||
		g.Uint64(72) != 0x100f0e0d0c0b0a09 {
		t.Error("the seed is not random")
	}
	g.Do("random/random#get-random-bytes", 64<<10, 0)
	if spent := g.Fuel(); spent < 64<<10 {
		t.Errorf("64 KiB cost %d", spent)
	}
	traps(t, "may have 65536", "random/random#get-random-bytes", 64<<10+1, 0)
	traps(t, "may have 65536", "random/random#get-random-bytes", math.MaxUint64, 0)
}
