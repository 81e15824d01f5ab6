package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// hostile is a registry that answers what it was told to, true or not, and has the referrers API.
type hostile struct {
	manifest  []byte
	documents map[oci.Digest][]byte // manifests and blobs
	referrers []oci.Descriptor
	asked     map[string]int // by path
	odd       oci.Digest     // of a manifest that is said to be something else
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.asked[r.URL.Path]++
	_, last, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/b/"), "/")
	switch {
	case strings.Contains(r.URL.Path, "/referrers/"):
		w.Header().Set("Content-Type", oci.MediaTypeIndex)
		_ = json.NewEncoder(w).Encode(oci.Index{
			SchemaVersion: 2, MediaType: oci.MediaTypeIndex, Manifests: h.referrers,
		})
		return
	case strings.Contains(r.URL.Path, "/manifests/"):
		w.Header().Set("Content-Type", oci.MediaTypeManifest)
		if last == string(h.odd) || strings.HasSuffix(last, "/"+string(h.odd)) && h.odd != "" {
			w.Header().Set("Content-Type", "text/plain")
		}
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	b, ok := h.documents[oci.Digest(last)]
	if last == "tag" {
		b, ok = h.manifest, true
	}
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Docker-Content-Digest", string(oci.DigestOf(b)))
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = w.Write(b)
}

// serve makes a registry that holds a signed bundle as it should be.
func serve(t *testing.T) (*hostile, *oci.Layout, oci.Descriptor) {
	t.Helper()
	l, d := build(t, "acme-router", "1.0.0")
	attach(t, l, d, generate(t))
	h := &hostile{documents: map[oci.Digest][]byte{}, asked: map[string]int{}}
	for _, at := range l.Manifests() {
		h.keep(t, l, at)
	}
	h.manifest = h.documents[d.Digest]
	h.referrers = l.Manifests()[1:]
	return h, l, d
}

// keep takes a manifest over with what it lists.
func (h *hostile) keep(t *testing.T, l *oci.Layout, at oci.Descriptor) {
	t.Helper()
	m, err := l.Manifest(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append([]oci.Descriptor{at, m.Config}, m.Layers...) {
		b, err := l.Blob(d)
		if err != nil {
			t.Fatal(err)
		}
		h.documents[d.Digest] = b
	}
}

// replace puts another manifest behind the tag.
func (h *hostile) replace(t *testing.T, change func(*oci.Manifest)) {
	t.Helper()
	var m oci.Manifest
	if err := json.Unmarshal(h.manifest, &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	b, err := json.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	h.manifest = b
	h.documents[oci.DigestOf(b)] = b
}

// refer puts a signature like the first, but for a change, before it.
func (h *hostile) refer(t *testing.T, change func(*oci.Manifest)) {
	t.Helper()
	at := h.referrers[0]
	var m oci.Manifest
	if err := json.Unmarshal(h.documents[at.Digest], &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	b, err := json.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	at.Digest, at.Size = oci.DigestOf(b), int64(len(b))
	h.documents[at.Digest] = b
	h.referrers = append([]oci.Descriptor{at}, h.referrers...)
}

// What a registry says of an error moves no terminal.
func TestWordsOfARegistry(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead { // its answer has no words
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":[{"code":"DENIED","message":"\u001b[2J\nall is well"}]}`))
	}))
	defer s.Close()
	l, d := build(t, "acme-router", "1.0.0")
	_, err := client(t, nil).Push(t.Context(), l, d, strings.TrimPrefix(s.URL, "http://")+"/b:tag")
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") ||
		!strings.Contains(err.Error(), "all is well") {
		t.Errorf("%q", err)
	}
}

// However much a registry promises, no more than the bounds is asked for, and nothing is kept.
func TestHostileRegistry(t *testing.T) {
	layer := func(size int64) func(*testing.T, *hostile) {
		return func(t *testing.T, h *hostile) {
			h.replace(t, func(m *oci.Manifest) { m.Layers[1].Size = size })
		}
	}
	for name, c := range map[string]struct {
		change func(*testing.T, *hostile)
		want   string
	}{
		"large blob":    {layer(oci.BlobBytesMax + 1), "has 67108865 bytes; at most 67108864"},
		"negative blob": {layer(-1), "has -1 bytes"},
		"longer blob":   {layer(5), "it has another size"},
		"shorter blob":  {layer(4000), "it has another size"},
		"large all": {func(t *testing.T, h *hostile) {
			h.replace(t, func(m *oci.Manifest) {
				for i := range 3 {
					m.Layers = append(m.Layers, oci.Descriptor{Size: oci.BlobBytesMax,
						Digest: oci.DigestOf([]byte{byte(i)}), MediaType: "text/plain"})
				}
			})
		}, "all of it has"},
		"many layers": {func(t *testing.T, h *hostile) {
			h.replace(t, func(m *oci.Manifest) { m.Layers = make([]oci.Descriptor, oci.BlobsMax) })
		}, "1024 layers"},
		"no digest": {func(t *testing.T, h *hostile) {
			h.replace(t, func(m *oci.Manifest) { m.Layers[0].Digest = "../../etc/passwd" })
		}, "is no digest"},
		"no manifest": {func(_ *testing.T, h *hostile) {
			h.manifest = []byte("{")
			h.documents[oci.DigestOf(h.manifest)] = h.manifest
		}, "manifest"},
	} {
		h, _, _ := serve(t)
		c.change(t, h)
		s := httptest.NewServer(h)
		ref := strings.TrimPrefix(s.URL, "http://") + "/b:tag"
		l, _, err := client(t, nil).Pull(t.Context(), ref)
		s.Close()
		if err == nil || l != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// noSignatures put something first that is listed as a signature.
func noSignatures() map[string]func(*testing.T, *hostile) {
	return map[string]func(*testing.T, *hostile){
		"many": func(_ *testing.T, h *hostile) {
			for range SignaturesMax {
				h.referrers = append(h.referrers, h.referrers[0])
			}
		},
		"large": func(_ *testing.T, h *hostile) {
			large := h.referrers[0]
			large.Size = sign.EnvelopeBytesMax + 1
			h.referrers = append([]oci.Descriptor{large}, h.referrers...)
		},
		"of another": func(t *testing.T, h *hostile) {
			l, d := build(t, "acme-codec", "1.0.0")
			attach(t, l, d, generate(t))
			h.keep(t, l, l.Manifests()[1])
			h.referrers = append(l.Manifests()[1:], h.referrers...)
		},
		"of nothing": func(t *testing.T, h *hostile) {
			l, d := build(t, "acme-codec", "1.0.0")
			h.keep(t, l, d)
			d.ArtifactType = sign.SignatureType
			h.referrers = append([]oci.Descriptor{d}, h.referrers...)
		},
		"negative": func(_ *testing.T, h *hostile) {
			negative := h.referrers[0]
			negative.Size = -1
			h.referrers = append([]oci.Descriptor{negative}, h.referrers...)
		},
		"no digest": func(_ *testing.T, h *hostile) {
			none := h.referrers[0]
			none.Digest = "../../etc/passwd"
			h.referrers = append([]oci.Descriptor{none}, h.referrers...)
		},
		"negative layer": func(t *testing.T, h *hostile) {
			h.refer(t, func(m *oci.Manifest) { m.Layers[0].Size = -1 })
		},
		"layer without a digest": func(t *testing.T, h *hostile) {
			h.refer(t, func(m *oci.Manifest) { m.Layers[0].Digest = "x" })
		},
		"layer of another size": func(t *testing.T, h *hostile) {
			h.refer(t, func(m *oci.Manifest) { m.Layers[0].Size++ })
		},
		"another size": func(_ *testing.T, h *hostile) {
			other := h.referrers[0]
			other.Size--
			h.referrers = append([]oci.Descriptor{other}, h.referrers...)
		},
		"another type": func(t *testing.T, h *hostile) {
			h.refer(t, func(m *oci.Manifest) { m.Annotations = map[string]string{"a": "b"} })
			h.odd = h.referrers[0].Digest
		},
		"gone": func(_ *testing.T, h *hostile) {
			gone := h.referrers[0]
			gone.Digest = oci.DigestOf([]byte("gone"))
			h.referrers = append([]oci.Descriptor{gone}, h.referrers...)
		},
	}
}

// Where a registry has the referrers API it is asked, and not the tag that stands for it.
// Whoever may write beside a bundle does not keep it from those who trust another signature.
func TestWhatIsNoSignatureIsLeftOut(t *testing.T) {
	for name, change := range noSignatures() {
		h, _, d := serve(t)
		change(t, h)
		s := httptest.NewServer(h)
		l, _, err := client(t, nil).Pull(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/b:tag")
		s.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := sign.Envelopes(l, d); len(got) != 1 || err != nil {
			t.Errorf("%s: %d signatures, %v", name, len(got), err)
		}
	}
}

// TestAListOfReferrersIsCountedBeforeItIsRead: 4 MB of "{}" are 800 MB of descriptors, wherever a
// registry sends on to.
func TestAListOfReferrersIsCountedBeforeItIsRead(t *testing.T) {
	begin := `{"schemaVersion":2,"mediaType":"` + oci.MediaTypeIndex + `","manifests":[`
	list := begin + strings.Repeat("{},", oci.DocumentBytesMax/3-100) + `{}]}`
	why := oci.CheckDocument([]byte(list))
	if why == nil {
		t.Fatal("the list may be read")
	}
	for about, c := range map[string]struct {
		at   string // which path the registry answers with something else
		tell func(http.ResponseWriter, *http.Request)
	}{
		"there": {"/referrers/", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, list)
		}},
		"by a redirect": {"/referrers/", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
		"on the next page": {"/referrers/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `</elsewhere>; rel="next"`)
			_, _ = io.WriteString(w, begin+"]}")
		}},
		"of a tag by a redirect": {"/manifests/sha256-", func(
			w http.ResponseWriter, r *http.Request,
		) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
	} {
		h, l, d := serve(t)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", oci.MediaTypeIndex)
			switch {
			case r.URL.Path == "/elsewhere":
				w.Header().Set("Content-Length", fmt.Sprint(len(list)))
				_, _ = io.WriteString(w, list)
			case strings.Contains(r.URL.Path, c.at):
				c.tell(w, r)
			case strings.Contains(r.URL.Path, "/referrers/"):
				w.WriteHeader(http.StatusNotFound)
			case r.Method == http.MethodPut:
				w.WriteHeader(http.StatusCreated)
			default:
				h.ServeHTTP(w, r)
			}
		}))
		ref := strings.TrimPrefix(s.URL, "http://") + "/b:tag"
		_, _, err := client(t, nil).Pull(t.Context(), ref)
		if err == nil || !strings.Contains(err.Error(), why.Error()) {
			t.Errorf("%s: %v; want %v", about, err, why)
		}
		_, err = client(t, nil).Push(t.Context(), l, d, ref)
		if strings.Contains(c.at, "/manifests/") &&
			(err == nil || !strings.Contains(err.Error(), why.Error())) {
			t.Errorf("%s, of a push: %v; want %v", about, err, why)
		}
		s.Close()
	}
}

func TestReferrersAPI(t *testing.T) {
	h, _, d := serve(t)
	s := httptest.NewServer(h)
	defer s.Close()
	l, at, err := client(t, nil).Pull(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/b:tag")
	if err != nil || at.Digest != d.Digest {
		t.Fatal(at, err)
	}
	envelopes, err := sign.Envelopes(l, at)
	if err != nil || len(envelopes) != 1 || h.asked["/v2/b/referrers/"+string(d.Digest)] != 1 ||
		h.asked["/v2/b/manifests/sha256-"+d.Digest.Hex()] != 0 {
		t.Errorf("%d signatures, %v; asked %v", len(envelopes), err, h.asked)
	}
}
