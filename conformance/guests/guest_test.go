package guests

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

// env is what a guest is instantiated with.
type env struct {
	host   *guesttest.Host
	config string
	wasi   state.State
	lent   []byte
}

// Payload is what the guest is lent.
func (e *env) Payload() []byte { return e.lent }

// instance is one guest and what is needed to ask it.
type instance struct {
	t     testing.TB
	guest *wasm.Guest
	env   *env
	funcs map[string]*wasm.Func
	// block is the argument block, 0 when the guest has none, of size bytes.
	block, size, used uint32
	stack             [16]uint64
	slots             int
}

// blockBytes is small, so that the cases see both ways of arguments.
const blockBytes = 256

func newEngine(t testing.TB) *wasm.Engine {
	t.Helper()
	return newEngineOf(t, false)
}

func newEngineOf(t testing.TB, interpreter bool) *wasm.Engine {
	t.Helper()
	cfg := wasm.Default()
	cfg.Interpreter = interpreter
	cfg.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
	cfg.Random = func(b []byte) { clear(b) }
	cfg.FuelMax = 5_000_000_000 // a slow hash
	engine, err := wasm.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, m := range capabilities() {
		if err := engine.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	return engine
}

func compile(t testing.TB, e *wasm.Engine, code []byte) *wasm.Module {
	t.Helper()
	mod, err := e.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

func open(t testing.TB, mod *wasm.Module, h *guesttest.Host) *instance {
	t.Helper()
	e := &env{host: h}
	g, err := mod.Instantiate(t.Context(), e, wasm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return &instance{t: t, guest: g, env: e, size: blockBytes, funcs: map[string]*wasm.Func{}}
}

// call runs an export with what was passed; the answer is its flat result.
func (in *instance) call(face, name string) (uint32, error) {
	f, err := in.function(face, name)
	if err != nil {
		return 0, err
	}
	err = in.guest.Call(f, in.stack[:])
	in.slots, in.used = 0, 0
	return uint32(in.stack[0]), err
}

func (in *instance) function(face, name string) (*wasm.Func, error) {
	f := in.funcs[name]
	if f == nil {
		var err error
		if f, err = in.guest.Func("hpmq:broker/" + face + "@0.1.0#" + name); err != nil {
			return nil, err
		}
		in.funcs[name] = f
	}
	return f, nil
}

// Configure is lifecycle.configure. After it the guest is asked for its argument block.
func (in *instance) Configure(config string) (guest.Interest, error) {
	in.env.config = config
	at, err := in.call("lifecycle", "configure")
	if err != nil {
		return guest.Interest{}, err
	}
	if in.byte(at) != 0 {
		return guest.Interest{}, errors.New(in.text(at + 4))
	}
	interest := guest.Interest{Inbound: in.texts(at + 4), Outbound: in.texts(at + 12)}
	f, err := in.guest.Func("hpmq_arguments")
	if err != nil {
		return interest, err
	}
	in.stack[0] = uint64(in.size)
	err = in.guest.Call(f, in.stack[:])
	in.block = uint32(in.stack[0])
	return interest, err
}

// num passes a flat number.
func (in *instance) num(v uint64) {
	in.stack[in.slots] = v
	in.slots++
}

// pass passes a string or a list<u8>.
func (in *instance) pass(s string) {
	in.num(uint64(in.place(s)))
	in.num(uint64(len(s)))
}

// place copies s into the guest: to the block while there is room, else where cabi_realloc says.
func (in *instance) place(s string) uint32 {
	if len(s) == 0 {
		return 1
	}
	at := in.block + in.used
	if in.block != 0 && in.used+uint32(len(s)) <= in.size {
		in.used += uint32(len(s))
	} else {
		var err error
		if at, err = in.guest.Alloc(uint32(len(s)), 1); err != nil {
			in.t.Fatal(err)
		}
	}
	if !in.guest.Memory().WriteString(at, s) {
		in.t.Fatalf("no room for an argument at %#x", at)
	}
	return at
}

func (in *instance) byte(at uint32) uint32 {
	b, ok := in.guest.Memory().Byte(at)
	if !ok {
		in.t.Fatalf("no byte at %#x", at)
	}
	return uint32(b)
}

func (in *instance) word(at uint32) uint32 {
	w, ok := in.guest.Memory().Uint32(at)
	if !ok || at%4 != 0 {
		in.t.Fatalf("no word at %#x", at)
	}
	return w
}

// text lifts the string whose two words are at.
func (in *instance) text(at uint32) string {
	b, ok := in.guest.Memory().Read(in.word(at), in.word(at+4))
	if !ok {
		in.t.Fatalf("no text at %#x", at)
	}
	return string(b)
}

// texts lifts the list<string> whose two words are at.
func (in *instance) texts(at uint32) []string {
	list := make([]string, in.word(at+4))
	for i := range list {
		list[i] = in.text(in.word(at) + 8*uint32(i))
	}
	return list
}

var errFunction = fmt.Errorf("no role has such a function")
