package wasmtools

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hpmq/hpmq/sdk/section"
)

// digest is that of the file in go.bytecodealliance.org@v0.7.0, see README.md.
const digest = "732779402af524ca78074b953bf11932020ac7a019c8ab9fc15a9eef7fb7e090"

func TestTheCopyIsUnchanged(t *testing.T) {
	sum := sha256.Sum256(packed)
	if got := hex.EncodeToString(sum[:]); got != digest {
		t.Errorf("wasm-tools.wasm.gz has digest %s, want %s: take it anew as README.md says",
			got, digest)
	}
}

// adder exports add: func(a: s32, b: s32) -> s32 as a core module, made by hand.
var adder = []byte("\x00asm\x01\x00\x00\x00" + // header
	"\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f" + // (i32, i32) -> i32
	"\x03\x02\x01\x00" + // function 0 is of it
	"\x07\x07\x01\x03add\x00\x00" + // exported
	"\x0a\x09\x01\x07\x00\x20\x00\x20\x01\x6a\x0b") // local.get 0, local.get 1, i32.add

func adding(world string) WIT {
	const text = `package t:t@1.2.3;
/// It adds.
world one { export add: func(a: s32, b: s32) -> s32; }
world other { export subtract: func(a: s32, b: s32) -> s32; }
`
	return WIT{Files: fstest.MapFS{"t.wit": {Data: []byte(text)}}, World: world}
}

// TestTools runs everything on one cache: compiling wasm-tools takes seconds.
func TestTools(t *testing.T) {
	cache := os.Getenv("TEST_CACHE_HPMQ")
	if cache == "" {
		cache = t.TempDir()
	}
	tools, err := Open(filepath.Join(cache, "wasmtools"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("WIT as JSON", func(t *testing.T) { witAsJSON(t, tools) })
	t.Run("the contracts", func(t *testing.T) { contracts(t, tools) })
	t.Run("wrap and targets", func(t *testing.T) { wrapAndTargets(t, tools) })
	t.Run("refusals", func(t *testing.T) { refusals(t, tools) })
}

func witAsJSON(t *testing.T, tools *Tools) {
	text, err := tools.JSON(t.Context(), adding(""))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Worlds []struct {
			Name string `json:"name"`
			Docs struct {
				Contents string `json:"contents"`
			} `json:"docs"`
		} `json:"worlds"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Worlds) != 2 || got.Worlds[0].Name != "one" ||
		got.Worlds[0].Docs.Contents != "It adds." {
		t.Errorf("got %+v", got)
	}
}

func contracts(t *testing.T, tools *Tools) {
	text, err := tools.JSON(t.Context(), WIT{Files: os.DirFS("../../wit")})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../contracts/contracts.json")
	if err != nil || string(want) != string(text) {
		t.Errorf("contracts.json is not what wit/ is (%v): run go generate ./sdk/contracts", err)
	}
}

func wrapAndTargets(t *testing.T, tools *Tools) {
	stamped := section.WithCustom(adder, "a:name", []byte("adder"))
	w := Wrapping{WIT: adding("one"), Keep: []string{"a:name", "another"}}
	made, err := tools.Wrap(t.Context(), stamped, w)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := section.Custom(made, "a:name")
	if err != nil || string(kept) != "adder" {
		t.Errorf("kept %q, %v", kept, err)
	}
	if more, err := section.Custom(made, "another"); err != nil || more != nil {
		t.Errorf("%q is in it, %v", more, err)
	}
	if string(made[:8]) != "\x00asm\x0d\x00\x01\x00" {
		t.Fatalf("no component: %x", made[:8])
	}
	if err := tools.Targets(t.Context(), made, adding("one")); err != nil {
		t.Error(err)
	}
	var refused *Error
	err = tools.Targets(t.Context(), made, adding("other"))
	if !errors.As(err, &refused) || !strings.Contains(refused.Text, "subtract") {
		t.Errorf("a world it does not fit: %v", err)
	}
}

func refusals(t *testing.T, tools *Tools) {
	for name, w := range map[string]Wrapping{
		"no such world":   {WIT: adding("none")},
		"export missing":  {WIT: adding("other")},
		"encoding":        {WIT: adding("one"), Encoding: "latin1"},
		"WIT is not good": {WIT: WIT{Files: fstest.MapFS{"t.wit": {Data: []byte("world")}}}},
	} {
		var refused *Error
		_, err := tools.Wrap(t.Context(), adder, w)
		if !errors.As(err, &refused) || refused.Text == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
