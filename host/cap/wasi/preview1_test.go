package wasi_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/asm"
)

// older is a guest of preview 1: it exports what it imports.
type older struct {
	t *testing.T
	*wasm.Guest
	state state.State
}

func (o *older) WASI() *state.State { return &o.state }

func olderGuest(t *testing.T, w *world) *older {
	t.Helper()
	e, err := wasm.Open(w.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	for _, m := range w.modules() {
		if err := e.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	m := asm.New()
	m.Memory(1, 1)
	result := []byte{asm.I32}
	imported, params := map[string]uint32{}, map[string][]byte{
		"environ_sizes_get": {asm.I32, asm.I32}, "environ_get": {asm.I32, asm.I32},
		"clock_time_get": {asm.I32, asm.I64, asm.I32},
		"poll_oneoff":    {asm.I32, asm.I32, asm.I32, asm.I32},
	}
	for name, p := range params {
		imported[name] = m.Import("wasi_snapshot_preview1", name, p, result)
	}
	for name, p := range params {
		var body []byte
		for i := range p {
			body = append(body, asm.LocalGet(uint32(i))...)
		}
		m.ExportFunc(name, m.Func(p, result, nil, body, asm.Call(imported[name])))
	}
	module, err := e.Compile(t.Context(), m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	o := &older{t: t}
	if o.Guest, err = module.Instantiate(t.Context(), o, wasm.Limits{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func (o *older) do(name string, args ...uint64) (uint32, error) {
	o.t.Helper()
	f, err := o.Func(name)
	if err != nil {
		o.t.Fatal(err)
	}
	stack := append(args, 0)
	err = o.Call(f, stack)
	return uint32(stack[0]), err
}

// must is do without an error of either kind.
func (o *older) must(name string, args ...uint64) {
	o.t.Helper()
	if n, err := o.do(name, args...); err != nil || n != 0 {
		o.t.Fatalf("%s: %d, %v", name, n, err)
	}
}

// instant is what its monotonic clock shows.
func (o *older) instant() time.Duration {
	o.t.Helper()
	o.must("clock_time_get", 1, 0, 8)
	v, _ := o.Memory().Uint64(8)
	return time.Duration(v)
}

// until is a subscription to a time of a clock, after to a time from now, descriptor to something
// else.
type (
	until      struct{ clock, t uint64 }
	after      struct{ clock, t uint64 }
	descriptor byte
)

// subscribe writes subscriptions.
func (o *older) subscribe(to ...any) {
	for i, sub := range to {
		b := [48]byte{0: byte(100 + i)}
		switch s := sub.(type) {
		case until:
			b[16], b[40] = byte(s.clock), 1
			binary.LittleEndian.PutUint64(b[24:], s.t)
		case after:
			b[16] = byte(s.clock)
			binary.LittleEndian.PutUint64(b[24:], s.t)
		case descriptor:
			b[8] = byte(s)
		}
		o.Memory().Write(uint32(1000+48*i), b[:])
	}
}

// poll polls n of them: numbers of the events, with the error behind it if there is one.
func (o *older) poll(n uint64) string {
	o.t.Helper()
	o.must("poll_oneoff", 1000, 2000, n, 16)
	count, _ := o.Memory().Uint32(16)
	out := ""
	for i := range count {
		e, _ := o.Memory().Read(2000+32*i, 32)
		out += string(rune('0'+e[0]-100)) + strings.Repeat("!", int(min(e[8], 1)))
	}
	return out
}

func TestPreview1SeesTheVariablesOfItsLink(t *testing.T) {
	o := olderGuest(t, newWorld())
	o.must("environ_sizes_get", 0, 4)
	if n, _ := o.Memory().Uint64(0); n != 0 {
		t.Errorf("variables from nowhere: %x", n)
	}
	o.state.Environment = [][2]string{{"PLACE", "here"}, {"TZ", ""}}
	o.must("environ_sizes_get", 0, 4)
	count, _ := o.Memory().Uint32(0)
	size, _ := o.Memory().Uint32(4)
	o.must("environ_get", 64, 128)
	second, _ := o.Memory().Uint32(68)
	text, _ := o.Memory().Read(128, size+1)
	if count != 2 || second != 139 || string(text) != "PLACE=here\x00TZ=\x00\x00" {
		t.Errorf("%d variables, the second at %d: %q", count, second, text)
	}
	if _, err := o.do("environ_get", 64, 65_530); err == nil {
		t.Error("variables outside of the memory")
	}
}

// TestPreview1WaitsAs02Does: on a loop the guest's clock jumps, beside it the guest waits.
func TestPreview1WaitsAs02Does(t *testing.T) {
	w := newWorld()
	o := olderGuest(t, w)
	if now := o.instant(); now != time.Millisecond {
		t.Errorf("the clock begins at %v", now)
	}
	o.subscribe(after{1, uint64(time.Hour)})
	if got := o.poll(1); got != "0" || w.slept != 0 {
		t.Errorf("events %s, slept %v", got, w.slept)
	}
	if now := o.instant(); now != time.Hour+time.Millisecond {
		t.Errorf("after an hour the clock shows %v", now)
	}
	o.state.WaitMax = time.Second
	o.subscribe(until{1, uint64(o.instant() + time.Microsecond)})
	if got := o.poll(1); got != "0" || w.slept != time.Microsecond {
		t.Errorf("events %s, slept %v", got, w.slept)
	}
}

func TestPreview1TellsWhatHasCome(t *testing.T) {
	w := newWorld()
	day := uint64(w.now.UnixNano())
	const second, minute, end = uint64(time.Second), uint64(time.Minute), 1<<64 - 1
	for name, c := range map[string]struct {
		to   []any
		want string
	}{
		"the soonest":          {[]any{after{1, minute}, after{0, second}, after{1, second}}, "12"},
		"a descriptor at once": {[]any{descriptor(1), after{1, 1}, descriptor(2)}, "0!2!"},
		"no such clock":        {[]any{after{7, 0}, after{1, 1}, after{1, 0}}, "0!2"},
		"times of day":         {[]any{until{0, day - 5}, until{0, day + 5}, until{0, 0}}, "02"},
		"the end of time":      {[]any{after{0, end}, after{1, end}, until{1, end}}, "012"},
	} {
		o := olderGuest(t, w)
		o.subscribe(c.to...)
		if got := o.poll(3); got != c.want {
			t.Errorf("%s: events %s, want %s", name, got, c.want)
		}
	}
}

func TestPreview1RefusesWhatIsOutside(t *testing.T) {
	for name, args := range map[string][]uint64{
		"subscriptions": {65_500, 0, 1, 8}, "events": {0, 65_530, 1, 8},
		"count":                  {0, 100, 1, 65_534},
		"more than there can be": {0, 0, 1<<32 - 1, 8},
	} {
		if _, err := olderGuest(t, newWorld()).do("poll_oneoff", args...); err == nil {
			t.Errorf("%s outside of the memory", name)
		}
	}
	o := olderGuest(t, newWorld())
	if n, err := o.do("poll_oneoff", 0, 0, 0, 8); n != 28 || err != nil {
		t.Errorf("nothing to poll: %d, %v", n, err)
	}
	if n, err := o.do("clock_time_get", 9, 0, 8); n != 28 || err != nil {
		t.Errorf("clock 9: %d, %v", n, err)
	}
}
