package sign

import (
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// laid puts a bundle into a layout.
func laid(t *testing.T, l *oci.Layout, config string) oci.Descriptor {
	t.Helper()
	c, err := l.Add(bundle.MediaTypeConfig, []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := l.Add("text/plain", []byte("a component"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.AddManifest(oci.Manifest{
		ArtifactType: bundle.ArtifactType, Config: c, Layers: []oci.Descriptor{layer},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const goodConfig = `{"name":"acme-router","version":"1.2.3","components":[]}`

func TestLayout(t *testing.T) {
	l, k := oci.New(), generate(t)
	d := laid(t, l, goodConfig)
	p := Policy{}
	if err := p.Add("acme", k.Public().PEM(), []string{"acme-*"}); err != nil {
		t.Fatal(err)
	}
	var r *Refusal
	if _, _, err := p.VerifyLayout(l, d); !errors.As(err, &r) || r.Reason != Unsigned {
		t.Error("without a signature:", err)
	}
	s, err := Of(l, d)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is the same
		if _, err := Attach(l, d, signed(t, k, s)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(l.Manifests()); n != 2 {
		t.Errorf("%d manifests", n)
	}
	found, err := bundle.Find(l, "")
	if err != nil || found.Digest != d.Digest {
		t.Errorf("found %v, %v", found, err)
	}
	want := Statement{Name: "acme-router", Version: "1.2.3", Manifest: string(d.Digest)}
	if s, v, err := p.VerifyLayout(l, found); err != nil || s != want || v.Key != "acme" {
		t.Errorf("%v, %v, %v", s, v, err)
	}
	tagged := found
	tagged.Annotations = map[string]string{oci.AnnotationRefName: "latest"}
	if err := l.List(tagged); err != nil {
		t.Fatal(err)
	}
	if again, err := bundle.Find(l, ""); err != nil || again.Digest != d.Digest {
		t.Errorf("one with two tags: %v, %v", again, err)
	}
	laid(t, l, strings.Replace(goodConfig, "1.2.3", "1.2.4", 1))
	if _, err := bundle.Find(l, ""); err == nil ||
		!strings.Contains(err.Error(), "there are 2 in the layout") {
		t.Error(err)
	}
	if found, err := bundle.Find(l, string(d.Digest)); err != nil || found.Digest != d.Digest {
		t.Errorf("by digest: %v, %v", found, err)
	}
}

func TestLayoutsAreRefused(t *testing.T) {
	if _, err := bundle.Find(oci.New(), ""); !errors.Is(err, bundle.ErrBundle) {
		t.Error("an empty one:", err)
	}
	for config, want := range map[string]string{
		"[":                                  "unexpected end",
		`{"name":"a"}`:                       "the version of a bundle",
		`{"version":"1"}`:                    "the name of a bundle",
		`{"name":1,"version":"1"}`:           "cannot unmarshal number",
		`{"name":"\u001b[2J","version":"1"}`: "nothing that cannot be shown",
		`{"name":"a","version":"1\n2"}`:      "nothing that cannot be shown",
		`{"name":"a","version":"1","x":1}`:   "",
	} {
		l := oci.New()
		_, err := Of(l, laid(t, l, config))
		if want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
	for name, change := range map[string]func(*oci.Manifest){
		"no layer":  func(m *oci.Manifest) { m.Layers = nil },
		"two":       func(m *oci.Manifest) { m.Layers = append(m.Layers, m.Layers...) },
		"other":     func(m *oci.Manifest) { m.Layers[0].MediaType = "text/plain" },
		"large":     func(m *oci.Manifest) { m.Layers[0].Size = EnvelopeBytesMax + 1 },
		"config":    func(m *oci.Manifest) { m.Config.Size = EnvelopeBytesMax + 1 },
		"not there": func(m *oci.Manifest) { m.Layers[0].Digest = oci.Digest(digest("a")) },
	} {
		l := oci.New()
		d := laid(t, l, goodConfig)
		at, err := Attach(l, d, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := l.Manifest(at)
		if err != nil {
			t.Fatal(err)
		}
		l.Unlist(at.Digest)
		change(m)
		if _, err := l.AddManifest(*m, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := Envelopes(l, d); !errors.Is(err, oci.ErrLayout) &&
			!errors.Is(err, oci.ErrMissing) || got != nil {
			t.Errorf("%s: %d, %v", name, len(got), err)
		}
		// A good one beside it counts.
		if _, err := Attach(l, d, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if got, err := Envelopes(l, d); err != nil || len(got) != 1 {
			t.Errorf("%s, and a good one: %d, %v", name, len(got), err)
		}
	}
}
