package rollout

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/host/rollout/ledger"
)

// ledgerIn opens a real ledger.
func ledgerIn(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	cfg := ledger.Default()
	cfg.Dir = dir
	l, err := ledger.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestALedgerThatIsTornAnywhere cuts the file of a life short: the start takes it, and links the
// old version or the new one.
func TestALedgerThatIsTornAnywhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	w := newWorld(t)
	ports := w.ports()
	l := ledgerIn(t, dir)
	ports.Ledger = l
	m, _, err := Open(Default(), ports)
	if err != nil {
		t.Fatal(err)
	}
	submit(t, m, swap("1", "rules@1.0.0"))
	submit(t, m, full("2", "rules@2.0.0"))
	m.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(names) != 1 {
		t.Fatalf("the ledger is %v, %v", names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for at := 41; ; at += 53 {
		at = min(at, len(text))
		seen[torn(t, filepath.Base(names[0]), text[:at])]++
		if at == len(text) {
			break
		}
	}
	for _, is := range []string{"config", "rules@1.0.0", "rules@2.0.0"} {
		if seen[is] == 0 {
			t.Errorf("no cut leaves %s linked", is)
		}
	}
}

// torn opens what a cut left, and answers what is linked.
func torn(t *testing.T, name string, text []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	ports := w.ports()
	l := ledgerIn(t, dir)
	ports.Ledger = l
	m, rep, err := Open(Default(), ports)
	if err != nil {
		t.Fatal(err)
	}
	settled(t, m, &rep)
	what := fmt.Sprintf("cut at %d", len(text))
	if len(rep.Strange) > 0 {
		t.Errorf("%s: %v", what, rep.Strange)
	}
	for _, c := range m.Changes() {
		isNew := tables(m) == "rules@"+c.ID+".0.0"
		if c.ID == m.Changes()[0].ID && isNew != (c.State == Done) {
			t.Errorf("%s: change %s is %s, linked is %s", what, c.ID, c.State, tables(m))
		}
	}
	is := tables(m)
	m.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	return is
}
