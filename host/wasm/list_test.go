package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// TestAFloodOfImportsIsToldInBounds: as many as there may be, by names as long as they may be.
func TestAFloodOfImportsIsToldInBounds(t *testing.T) {
	e := open(t, Default())
	m := asm.New()
	const imports = 1000
	for i := range imports {
		m.Import(fmt.Sprintf("m%04d\x1b%s", i, strings.Repeat("é", 2000)), "f", none, none)
	}
	_, err := e.Compile(context.Background(), m.Bytes())
	if !errors.Is(err, ErrImports) {
		t.Fatalf("%.300v", err)
	}
	text := err.Error()
	told := strings.Count(text, "… f")
	if !strings.HasSuffix(text, fmt.Sprintf("; and %d more", imports-told)) || told < 200 ||
		len(text) > listBytesMax+100 || strings.Contains(text, "\x1b") || !utf8.ValidString(text) {
		t.Errorf("%d told in %d bytes: …%s", told, len(text), text[max(0, len(text)-300):])
	}
	long := strings.Repeat("n", 10_000)
	if got := checkFunction(&plan.Import{Instance: long, Name: long}, nil); len(got) > 600 {
		t.Errorf("an import of a component in %d bytes", len(got))
	}
	if short := []string{"a b", "c"}; List(short, "; ") != "a b; c" || List(nil, ", ") != "" {
		t.Errorf("%s", List(short, "; "))
	}
}
