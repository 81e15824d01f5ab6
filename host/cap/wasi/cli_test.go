package wasi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi/probe"
)

// The layouts of results: where the error's case stands, and what it is.
const (
	okCase  = "\x00"
	errCase = "\x01"
)

func write(g *probe.Guest, stream uint64, text string) (result string) {
	ptr, n := g.Put(4096, text)
	g.Do("io/streams#[method]output-stream.blocking-write-and-flush", stream, ptr, n, 0)
	return g.Bytes(0, 1)
}

func TestOutputBecomesLinesOfTheLog(t *testing.T) {
	g, _ := newGuest(t)
	out, err := g.Do("cli/stdout#get-stdout"), g.Do("cli/stderr#get-stderr")
	again := g.Do("cli/stdout#get-stdout")
	for _, step := range []struct {
		stream uint64
		text   string
	}{{out, "half a "}, {err, "oh\n"}, {again, "line\nand"}, {out, " more\n"}} {
		if write(g, step.stream, step.text) != okCase {
			t.Errorf("%q is not taken", step.text)
		}
	}
	if got := strings.Join(g.Lines, "; "); got != "warn: oh; info: half a line; info: and more" {
		t.Error(got)
	}
	g.Do("io/streams#[method]output-stream.check-write", out, 0)
	if g.Bytes(0, 1) != okCase || g.Uint64(8) != 64<<10 {
		t.Errorf("check-write allows %d", g.Uint64(8))
	}
	for _, name := range []string{"flush", "blocking-flush"} {
		g.Do("io/streams#[method]output-stream."+name, out, 0)
		if g.Bytes(0, 1) != okCase {
			t.Errorf("%s fails", name)
		}
	}
}

func TestTheLogIsLimitedInRate(t *testing.T) {
	g, w := newGuest(t)
	out := g.Do("cli/stdout#get-stdout")
	for range 100 {
		write(g, out, "x\n")
	}
	if n := len(g.Lines); n != 20 {
		t.Errorf("%d lines in a second", n)
	}
	w.now = w.now.Add(time.Second)
	write(g, out, "y\n")
	if got := strings.Join(g.Lines[20:], "; "); !strings.Contains(got, "80 lines dropped") ||
		!strings.HasSuffix(got, "info: y") {
		t.Error(got)
	}
}

func TestWritingZeroes(t *testing.T) {
	g, _ := newGuest(t)
	out := g.Do("cli/stdout#get-stdout")
	for _, name := range []string{"write-zeroes", "blocking-write-zeroes-and-flush"} {
		g.Lines = nil
		g.Do("io/streams#[method]output-stream."+name, out, 2, 0)
		if write(g, out, "\n"); len(g.Lines) != 1 || g.Lines[0] != "info: \x00\x00" {
			t.Errorf("%s: %q", name, g.Lines)
		}
	}
}

func TestWhoWritesMoreThanAllowedTraps(t *testing.T) {
	for _, name := range []string{"write", "blocking-write-and-flush"} {
		g, _ := newGuest(t)
		out := g.Do("cli/stdout#get-stdout")
		fn := "io/streams#[method]output-stream." + name
		g.Do(fn, out, 4096, 64<<10, 0)
		_, err := g.Try(fn, out, 4096, 64<<10+1, 0)
		if err == nil || !strings.Contains(err.Error(), "check-write allows 65536") {
			t.Errorf("%s: %v", name, err)
		}
	}
	g, _ := newGuest(t)
	out := g.Do("cli/stdout#get-stdout")
	_, err := g.Try("io/streams#[method]output-stream.write-zeroes", out, 1<<63, 0)
	if err == nil || !strings.Contains(err.Error(), "check-write allows 65536") {
		t.Error(err)
	}
}

func TestInputIsAtItsEnd(t *testing.T) {
	g, _ := newGuest(t)
	in, out := g.Do("cli/stdin#get-stdin"), g.Do("cli/stdout#get-stdout")
	const input, output = "io/streams#[method]input-stream.", "io/streams#[method]output-stream."
	closed := func(name string, at uint64, args ...uint64) {
		t.Helper()
		g.Put(0, strings.Repeat("\xff", 16))
		g.Do(name, args...)
		if g.Bytes(0, 1) != errCase || g.Bytes(at, 1) != "\x01" {
			t.Errorf("%s is not closed", name)
		}
	}
	closed(input+"read", 4, in, 10, 0)
	closed(input+"blocking-read", 4, in, 10, 0)
	closed(input+"skip", 8, in, 10, 0)
	closed(input+"blocking-skip", 8, in, 10, 0)
	closed(output+"splice", 8, out, in, 10, 0)
	closed(output+"blocking-splice", 8, out, in, 10, 0)
	if p := g.Do(input+"subscribe", in); g.Do("io/poll#[method]pollable.ready", p) != 1 {
		t.Error("a guest would wait for the end for ever")
	}
}

func TestTheEnvironment(t *testing.T) {
	g, _ := newGuest(t)
	g.Do("cli/environment#get-environment", 0)
	if g.Uint32(4) != 0 {
		t.Error("a guest without variables has some")
	}
	g.State.Environment = [][2]string{{"PLACE", "Zürich"}, {"EMPTY", ""}}
	g.Do("cli/environment#get-environment", 0)
	if g.Uint32(4) != 2 {
		t.Fatalf("%d variables", g.Uint32(4))
	}
	at, got := uint64(g.Uint32(0)), []string{}
	for i := range uint64(4) {
		got = append(got, g.List(at+8*i))
	}
	if s := strings.Join(got, ","); s != "PLACE,Zürich,EMPTY," {
		t.Error(s)
	}
	g.Put(0, strings.Repeat("\xff", 16))
	g.Do("cli/environment#get-arguments", 0)
	if g.Uint32(4) != 0 {
		t.Error("there are arguments")
	}
	g.Put(0, strings.Repeat("\xff", 16))
	for _, name := range []string{
		"environment#initial-cwd", "terminal-stdin#get-terminal-stdin",
		"terminal-stdout#get-terminal-stdout", "terminal-stderr#get-terminal-stderr",
	} {
		g.Put(0, "\xff")
		if g.Do("cli/"+name, 0); g.Bytes(0, 1) != "\x00" {
			t.Errorf("%s gives one", name)
		}
	}
}

func TestToExitIsATrap(t *testing.T) {
	traps(t, "exit(ok): a component is not a program", "cli/exit#exit", 0)
	traps(t, "exit(error)", "cli/exit#exit", 1)
	traps(t, "case 2 of 2", "cli/exit#exit", 2)
	traps(t, "exit(17)", "cli/exit#exit-with-code", 17)
}

func TestHandlesAreOfOneKind(t *testing.T) {
	g, _ := newGuest(t)
	in := g.Do("cli/stdin#get-stdin")
	_, err := g.Try("io/streams#[method]output-stream.flush", in, 0)
	if err == nil {
		t.Error("an input-stream is taken for an output-stream")
	}
	g, _ = newGuest(t)
	out := g.Do("cli/stdout#get-stdout")
	g.Do("io/streams#[resource-drop]output-stream", out)
	if n, _ := g.State.Objects(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
	if _, err = g.Try("io/streams#[method]output-stream.flush", out, 0); err == nil {
		t.Error("a dropped handle is taken")
	}
}

func TestObjectsAreLimited(t *testing.T) {
	g, _ := newGuest(t)
	for range 1024 {
		g.Do("cli/stdin#get-stdin")
	}
	if n, _ := g.State.Objects(); n != 1024 {
		t.Errorf("%d objects", n)
	}
	_, err := g.Try("cli/stdin#get-stdin")
	if err == nil || !strings.Contains(err.Error(), "drop those that are done") {
		t.Error(err)
	}
}
