package log

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func logTo(cfg Config) (*Log, *bytes.Buffer, *int64) {
	var b bytes.Buffer
	now := new(int64)
	out := slog.New(slog.NewTextHandler(&b, nil))
	return New(cfg, out, func() int64 { return *now }), &b, now
}

func TestLinesBearTheComponent(t *testing.T) {
	l, out, _ := logTo(Default())
	l.Line("rules", "main", slog.LevelWarn, []byte("odd\nline"))
	for _, want := range []string{
		"level=WARN", `msg="odd\nline"`, "component=rules", "listener=main",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
	l.Line("rules", "main", slog.LevelDebug, []byte("quiet"))
	if strings.Contains(out.String(), "quiet") {
		t.Error("a level that is off is written")
	}
}

func TestRate(t *testing.T) {
	l, out, now := logTo(Config{LinesPerSecondMax: 2, LinesBurstMax: 3, LineBytesMax: 100})
	lines := func() int { return strings.Count(out.String(), "\n") }
	write := func(component string, n int) {
		for range n {
			l.Line(component, "main", slog.LevelInfo, []byte("x"))
		}
	}
	if write("a", 10); lines() != 3 {
		t.Errorf("a burst of %d", lines())
	}
	if write("b", 10); lines() != 6 {
		t.Errorf("another component: %d", lines())
	}
	*now += 1000
	if write("a", 10); lines() != 8 {
		t.Errorf("a second later: %d", lines())
	}
	if !strings.Contains(out.String(), "lines_dropped=7") {
		t.Error("what was dropped is not told")
	}
}

func TestLongLinesAreCut(t *testing.T) {
	l, out, _ := logTo(Config{LinesPerSecondMax: 1, LinesBurstMax: 1, LineBytesMax: 4})
	l.Line("a", "main", slog.LevelInfo, []byte("abcé")) // the cut is inside é
	if !strings.Contains(out.String(), "msg=abc ") {
		t.Error(out)
	}
}
