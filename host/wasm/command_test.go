package wasm

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// command is a program of one function.
func command(body func(m *asm.Module) []byte) []byte {
	m := asm.New()
	code := body(m)
	m.Memory(1, 1)
	m.ExportFunc("_start", m.Func(none, none, none, code))
	return m.Bytes()
}

func exits(code int32) []byte {
	return command(func(m *asm.Module) []byte {
		exit := m.Import(wasiName, "proc_exit", i32, none)
		return asm.Code(asm.I32Const(code), asm.Call(exit))
	})
}

func TestACommandEndsWithItsCode(t *testing.T) {
	if err := RunCommand(t.Context(), exits(0), Command{Name: "x"}); err != nil {
		t.Error(err)
	}
	var exit *ExitError
	err := RunCommand(t.Context(), exits(3), Command{Name: "x", CacheDir: t.TempDir()})
	if !errors.As(err, &exit) || exit.Code != 3 || !strings.Contains(err.Error(), "x ended") {
		t.Errorf("got %v", err)
	}
}

// TestACommandReadsAndWrites: it opens a file below the root by path_open, which needs fd 3, copies
// it to standard output.
func TestACommandReadsAndWrites(t *testing.T) {
	const iov, count, opened, path, buffer = 0, 8, 12, 16, 64
	code := command(func(m *asm.Module) []byte {
		i64, three := asm.I64, []byte{asm.I32, asm.I32, asm.I32, asm.I32}
		open := m.Import(wasiName, "path_open", asm.Types(asm.I32, asm.I32, asm.I32, asm.I32,
			asm.I32, i64, i64, asm.I32, asm.I32), i32)
		read := m.Import(wasiName, "fd_read", three, i32)
		write := m.Import(wasiName, "fd_write", three, i32)
		m.Data(path, []byte("a.txt"))
		m.Data(iov, []byte{buffer, 0, 0, 0, 32, 0, 0, 0})
		return asm.Code(
			asm.I32Const(3), asm.I32Const(0), asm.I32Const(path), asm.I32Const(5),
			asm.I32Const(0), asm.I64Const(2), asm.I64Const(2), asm.I32Const(0),
			asm.I32Const(opened), asm.Call(open), asm.Op(asm.Drop),
			asm.I32Const(opened), asm.I32Load(0), asm.I32Const(iov), asm.I32Const(1),
			asm.I32Const(count), asm.Call(read), asm.Op(asm.Drop),
			asm.I32Const(4), asm.I32Const(count), asm.I32Load(0), asm.I32Store(0),
			asm.I32Const(1), asm.I32Const(iov), asm.I32Const(1), asm.I32Const(count),
			asm.Call(write), asm.Op(asm.Drop))
	})
	var out bytes.Buffer
	err := RunCommand(t.Context(), code, Command{
		Name: "cat", Stdout: &out, Files: fstest.MapFS{"a.txt": {Data: []byte("what it says")}},
	})
	if err != nil || out.String() != "what it says" {
		t.Errorf("%v: %q", err, out.String())
	}
}

func TestACommandIsEndedByItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	loop := command(func(*asm.Module) []byte { return asm.Loop(asm.Empty, asm.Br(0)) })
	err := RunCommand(ctx, loop, Command{Name: "x"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoCommandIsAnError(t *testing.T) {
	trap := command(func(*asm.Module) []byte { return asm.Op(asm.Unreachable) })
	for name, code := range map[string][]byte{"garbage": []byte("x"), "trap": trap} {
		var exit *ExitError
		err := RunCommand(t.Context(), code, Command{Name: "x"})
		if err == nil || errors.As(err, &exit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
