package link

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/section"
)

// stamped is a guest of testdata with a manifest.
func stamped(t *testing.T, use, manifest string) []byte {
	t.Helper()
	code, err := os.ReadFile("testdata/" + use + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return append(code, stamp(manifest)...)
}

// stamp is the custom section of a manifest.
func stamp(manifest string) []byte {
	body := append([]byte{byte(len(section.Manifest))}, section.Manifest...)
	body = append(body, manifest...)
	n := len(body)
	return append([]byte{0, byte(n) | 0x80, byte(n >> 7)}, body...) // n below 16,384
}

// counter is a deduplicator that wants kv, as it comes to us.
const counter = `{"name":"counter","version":"1.2.0","role":"deduplicator",` +
	`"contract":"hpmq:broker@0.1.0","capabilities":[{"name":"config"},{"name":"kv"}]}`

// readers brings the counter as one that comes with the broker, and as a file.
func (h *house) brings(def, file []byte) {
	h.linker.ports.Read = func(_ context.Context, use string) (Artifact, error) {
		if strings.HasSuffix(use, ".wasm") {
			return Artifact{Code: file}, nil
		}
		return Artifact{Code: def, Name: use, Default: true}, nil
	}
}

func TestGrantsOfALinkThatSaysNothing(t *testing.T) {
	h := newHouse(t, nil)
	code := stamped(t, "deduplicator-kv", counter)
	h.brings(code, code)
	linked := func(r Ref) ([]string, error) {
		err := h.linker.Link(t.Context(), "main", Spec{RoleDeduplicator: {r}})
		if err != nil {
			return nil, err
		}
		return h.seen(RoleDeduplicator, 0).Grants, nil
	}
	got, err := linked(Ref{Use: "counter"})
	if want := []string{"log", "config", "kv"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("a default component: %v, %v", got, err)
	}
	for name, r := range map[string]Ref{
		"a file":                      {Use: "dir/counter.wasm"},
		"bytes":                       {Use: "counter", Code: code},
		"a default one denied":        {Use: "counter", Grants: []string{}},
		"a default one denied by log": {Use: "counter", Grants: []string{"log"}},
	} {
		_, err := linked(r)
		var step *StepError
		if !errors.As(err, &step) || step.Step != StepImports {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := "it wants kv, which it is not granted; nothing has changed; to do: if it may " +
			"have that, write grants: [kv] in its entry of the configuration, or swap it in " +
			"with --grant kv"
		if !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err = linked(Ref{Use: "dir/counter.wasm", Grants: []string{"publish", "kv"}})
	want := []string{"log", "config", "publish", "kv"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("a file that is granted: %v, %v", got, err)
	}
}

// The message names what was granted too: the line can be copied as it stands.
func TestARefusalNamesTheWholeLine(t *testing.T) {
	h := newHouse(t, nil)
	r := ref("deduplicator-kv", "")
	r.Grants = []string{"publish"}
	err := h.linker.Link(t.Context(), "main", Spec{RoleDeduplicator: {r}})
	if err == nil || !strings.Contains(err.Error(), "grants: [publish, kv]") ||
		!strings.Contains(err.Error(), "--grant publish,kv") {
		t.Errorf("%v", err)
	}
}

func TestASwapInheritsGrantsByName(t *testing.T) {
	h := newHouse(t, nil)
	mine := stamped(t, "deduplicator-kv", counter)
	next := stamped(t, "deduplicator-kv", strings.Replace(counter, "1.2.0", "1.3.0", 1))
	stranger := stamped(t, "deduplicator-kv", strings.Replace(counter, "counter", "stranger", 1))
	h.brings(mine, mine)
	h.link(Spec{RoleDeduplicator: {{Use: "x.wasm", Grants: []string{"kv", "publish"}}}})
	swap := func(code []byte) error {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleDeduplicator, Ref: Ref{Use: "y", Code: code},
		})
		return err
	}
	if err := swap(stranger); err == nil || !strings.Contains(err.Error(), "--grant kv") {
		t.Errorf("another component: %v", err)
	}
	if err := swap(next); err != nil {
		t.Errorf("the same component: %v", err)
	}
	v := h.seen(RoleDeduplicator, 0)
	want := []string{"log", "config", "kv", "publish"}
	if v.Version != "1.3.0" || !reflect.DeepEqual(v.Grants, want) {
		t.Errorf("%+v", v)
	}
	if !h.logged(`keeps="grants kv, publish of counter"`) {
		t.Error("what it keeps is not in the audit")
	}
	// What an operator took away stays away from the next version, a default component's too.
	h.brings(bare(t), nil)
	h.link(Spec{RoleDeduplicator: {{Use: "x", Grants: []string{}}}})
	h.brings(stamped(t, "deduplicator-kv", strings.Replace(counter, "counter", "x", 1)), nil)
	_, err := h.linker.Swap(t.Context(), Request{
		Listener: "main", Role: RoleDeduplicator, Ref: Ref{Use: "x"},
	})
	if err == nil || !strings.Contains(err.Error(), "not granted") {
		t.Errorf("a default component of the name: %v", err)
	}
}

// TestAFileTakesNothingByAName: the name in a file is whatever its author wrote there.
func TestAFileTakesNothingByAName(t *testing.T) {
	h := newHouse(t, nil)
	code := stamped(t, "deduplicator-kv", counter)
	h.brings(code, code)
	swap := func(r Ref) error {
		res, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleDeduplicator, Ref: r,
		})
		if res.Keeps != nil {
			t.Errorf("%+v keeps %v", r, res.Keeps)
		}
		return err
	}
	h.link(Spec{RoleDeduplicator: {{Use: "counter"}}})
	if err := swap(Ref{Use: "dir/counter.wasm"}); err == nil {
		t.Error("grants go from what is shipped to a file, by a name that both have")
	}
	h.linker.ports.Ships = func(name string) bool { return name == "counter" }
	window := json.RawMessage(`"window=10000"`)
	fresh := func() bool {
		return h.linker.Policy("main", 0).Fresh(h.clock.now(), &device, message("a", "x"))
	}
	for name, grants := range map[string][]string{"asked for": nil, "written": {"kv", "publish"}} {
		h.link(Spec{RoleDeduplicator: {{Use: "counter", Grants: grants, Config: window}}})
		for _, r := range []Ref{{Use: "dir/counter.wasm"}, {Use: "counter", Code: code}} {
			err := swap(r)
			want := "what counter has comes with the broker's own, and this is a file of that name"
			if err == nil || !strings.Contains(err.Error(), want) ||
				!strings.HasSuffix(err.Error(), "--grant kv") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if !fresh() || fresh() {
		t.Fatal("the shipped one does not remember")
	}
	if err := swap(Ref{Use: "dir/counter.wasm", Grants: []string{"kv"}}); err != nil {
		t.Fatal(err)
	}
	if v := h.seen(RoleDeduplicator, 0); v.Name != "file:counter" {
		t.Errorf("it is called %s", v.Name)
	}
	if !fresh() || fresh() {
		t.Error("a file sees the kv of the component whose name it bears")
	}
	if h.entryOf(RoleDeduplicator).self != "$component/file:counter" {
		t.Error("it publishes by the name of another")
	}
}

// entryOf is the first component of a role.
func (h *house) entryOf(r Role) *entry {
	ls, err := h.linker.find("main")
	if err != nil {
		h.t.Fatal(err)
	}
	return ls.table.Load().chains[r].entries[0]
}

// bare is a deduplicator that wants nothing and says nothing of itself.
func bare(t *testing.T) []byte {
	t.Helper()
	code, err := os.ReadFile("testdata/deduplicator.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestNamesAndVersions(t *testing.T) {
	h := newHouse(t, nil)
	plain := bare(t)
	for name, c := range map[string]struct {
		ref             Ref
		called, version string
	}{
		"a manifest": {
			Ref{Use: "old.wasm", Code: stamped(t, "deduplicator", `{"name":"n","version":"2"}`)},
			"n", "2",
		},
		"a file":        {Ref{Use: "/srv/vendor-v2.wasm", Code: plain}, "vendor-v2", ""},
		"a windows one": {Ref{Use: `C:\srv\vendor-v2.wasm`, Code: plain}, "vendor-v2", ""},
		"bytes":         {Ref{Code: plain}, "", ""},
	} {
		h.link(Spec{RoleDeduplicator: {c.ref}})
		v := h.seen(RoleDeduplicator, 0)
		if c.called == "" {
			c.called = v.Digest[:12]
		}
		if v.Name != c.called || v.Version != c.version {
			t.Errorf("%s: %s %q", name, v.Name, v.Version)
		}
	}
}

func TestBadManifests(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{})
	guests := h.engine.Guests()
	for manifest, says := range map[string]string{
		`{"name":`:                       "its manifest is not good",
		`{"name":7}`:                     "its manifest is not good",
		`{"role":"router"}`:              `its manifest says it is made as "router"`,
		`{"contract":"hpmq:broker@9.0"}`: "this broker speaks hpmq:broker@0.1.0",
		`{"name":"a/b"}`:                 "is no name for a component",
		`{"name":"a\u001b[2J"}`:          "is no name for a component",
		`{"name":"a","version":"1\n2"}`:  "no good version",
		`{"name":"` + strings.Repeat("a", nameMax+1) + `"}`: "is no name for a component",
	} {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleDeduplicator,
			Ref: Ref{Use: "d", Code: stamped(t, "deduplicator", manifest)},
		})
		var step *StepError
		if !errors.As(err, &step) || step.Step != StepManifest ||
			!strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: %v", manifest, err)
		}
		if n := h.engine.Guests(); n != guests {
			t.Fatalf("%d guests are left", n)
		}
	}
}

func TestASignatureIsForTheNameItIsFor(t *testing.T) {
	h := newHouse(t, nil)
	h.linker.ports.Ships = func(name string) bool { return name == "counter" }
	code := stamped(t, "deduplicator-kv", counter)
	h.brings(code, code)
	h.link(Spec{RoleDeduplicator: {{Use: "counter"}}})
	swap := func(r Ref) error {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleDeduplicator, Ref: r,
		})
		return err
	}
	err := swap(Ref{Use: "acme", Code: code, Vouched: "acme"})
	if err == nil || !strings.Contains(err.Error(), `it calls itself "counter"`) {
		t.Errorf("a signature for acme makes it the broker's own: %v", err)
	}
	twice := append(stamped(t, "deduplicator-kv", counter), stamp(`{"name":"acme"}`)...)
	for _, name := range []string{"", "acme", "counter"} {
		err := swap(Ref{Use: "acme", Code: twice, Vouched: name})
		if err == nil || !strings.Contains(err.Error(), "more than one custom section") {
			t.Errorf("two manifests, of which %q is vouched for: %v", name, err)
		}
	}
	if err := swap(Ref{Use: "counter", Code: code, Vouched: "counter"}); err != nil {
		t.Error(err)
	}
	if v := h.seen(RoleDeduplicator, 0); v.Name != "counter" || len(v.Grants) != 3 {
		t.Errorf("it is called %s with %v", v.Name, v.Grants)
	}
}
