package wasi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/wasm"
)

// FuzzCalls lets a guest call what it likes with what it likes. Each call takes a byte for the
// function and then, for each argument, a byte: a small number, or above 0x80 a large one.
// Memory is filled with the same bytes. A trap is good, a bug of the host is not.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05"))
	f.Add([]byte(strings.Repeat("\xb2\x01", 40)))
	h := newWorld().house(f)
	var names []string
	params := map[string]int{}
	for _, in := range contract.All() {
		for _, fn := range in.Functions {
			name := strings.TrimPrefix(in.Name, "wasi:") + "#" + fn.Name
			names, params[name] = append(names, name), len(fn.Params)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		g := h.Guest(t, wasm.Limits{Fuel: 1_000_000})
		defer g.Close()
		for at := uint32(0); len(in) > 0 && at < 4<<10; at += uint32(len(in)) {
			g.Memory().Write(at, in)
		}
		for len(in) > 0 {
			name := names[int(in[0])%len(names)]
			in = in[1:]
			args := make([]uint64, params[name])
			for i := range args {
				if len(in) == 0 {
					break
				}
				args[i] = uint64(in[0])
				if in[0] >= 0x80 {
					args[i] = ^uint64(0) >> (in[0] & 63)
				}
				in = in[1:]
			}
			if _, err := g.Try(name, args...); err != nil {
				judge(t, name, err)
				return
			}
		}
	})
}

// judge knows a bug by the words of a panic.
func judge(t *testing.T, name string, err error) {
	t.Helper()
	var trap *wasm.TrapError
	if !errors.As(err, &trap) {
		t.Fatalf("%s: %v", name, err)
	}
	for _, word := range []string{"runtime error", "nobody made", "interface conversion"} {
		if strings.Contains(err.Error(), word) {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
