package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/registry"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// build makes a small bundle.
func build(t testing.TB, name, version string) (*oci.Layout, oci.Descriptor) {
	t.Helper()
	l := oci.New()
	add := func(mediaType, text string) oci.Descriptor {
		d, err := l.Add(mediaType, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	wasm := add("application/vnd.hpmq.component.v1.wasm+zstd", "the component of "+name+version)
	wasm.Annotations = map[string]string{oci.AnnotationTitle: name + ".wasm"}
	d, err := l.AddManifest(oci.Manifest{
		ArtifactType: bundle.ArtifactType,
		Config: add(bundle.MediaTypeConfig,
			fmt.Sprintf(`{"name":%q,"version":%q,"components":[]}`, name, version)),
		Layers: []oci.Descriptor{wasm, add("text/plain+zstd", "the licence")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, d
}

func generate(t testing.TB) sign.Private {
	t.Helper()
	k, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// attach signs a bundle.
func attach(t testing.TB, l *oci.Layout, d oci.Descriptor, k sign.Private) {
	t.Helper()
	s, err := sign.Of(l, d)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := sign.Sign(k, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Attach(l, d, envelope); err != nil {
		t.Fatal(err)
	}
}

// trusting is a policy of one key.
func trusting(k sign.Private, names ...string) *sign.Policy {
	return &sign.Policy{Keys: []sign.Trusted{{Name: "acme", Key: k.Public(), Names: names}}}
}

func client(t testing.TB, change func(*Config)) *Client {
	t.Helper()
	cfg := Default()
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return c
}

// pushed is a signed bundle in a registry.
func pushed(t *testing.T, r *registry.Registry, k sign.Private) (oci.Descriptor, string) {
	t.Helper()
	l, d := build(t, "acme-router", "1.0.0")
	attach(t, l, d, k)
	ref := r.Addr + "/acme/router:1.0.0"
	if n, err := client(t, nil).Push(t.Context(), l, d, ref); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	return d, ref
}

// From a folder to a registry and from there into an empty folder: the same bundle to the byte,
// with its signatures.
func TestThereAndBack(t *testing.T) {
	r := registry.Start(t, false)
	first, second := generate(t), generate(t)
	d, ref := pushed(t, r, first)
	c := client(t, nil)
	// Another signature joins the first, from a layout that does not have that.
	l, again := build(t, "acme-router", "1.0.0")
	attach(t, l, again, second)
	if _, err := c.Push(t.Context(), l, again, "oci://"+ref); err != nil {
		t.Fatal(err)
	}
	byDigest := strings.Replace(ref, ":1.0.0", "@"+string(d.Digest), 1)
	for _, from := range []string{ref, byDigest} {
		resolved, err := c.Resolve(t.Context(), from)
		if err != nil || resolved.Digest != d.Digest {
			t.Fatalf("%s is %v, %v", from, resolved, err)
		}
		l, found, err := c.Pull(t.Context(), from)
		if err != nil || found.Digest != d.Digest {
			t.Fatal(found, err)
		}
		dir := filepath.Join(t.TempDir(), "empty")
		if err := l.Save(dir); err != nil {
			t.Fatal(err)
		}
		if l, err = oci.Open(dir); err != nil {
			t.Fatal(err)
		}
		for _, k := range []sign.Private{first, second} {
			s, v, err := trusting(k, "acme-*").VerifyLayout(l, found)
			want := sign.Statement{
				Name: "acme-router", Version: "1.0.0", Manifest: string(d.Digest),
			}
			if err != nil || v.KeyID != k.Public().ID() || s != want {
				t.Errorf("%v, %v, %v", s, v, err)
			}
		}
		_ = l.Close()
	}
}

// blob is the file of a blob in a folder.
func blob(dir string, d oci.Digest) string {
	return filepath.Join(dir, "blobs", "sha256", d.Hex())
}

// change turns a bit of a blob over.
func change(d oci.Digest) func(dir string) error {
	return func(dir string) error {
		b, err := os.ReadFile(blob(dir, d))
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		return os.WriteFile(blob(dir, d), b, 0o600)
	}
}

// What was pulled is refused where it or the trust is not right, each time with its own words.
func TestPulledIsRefused(t *testing.T) {
	r := registry.Start(t, false)
	k := generate(t)
	d, ref := pushed(t, r, k)
	pulled, _, err := client(t, nil).Pull(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	m, err := pulled.Manifest(d)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		policy *sign.Policy
		damage func(dir string) error
		want   string
	}{
		"wrong key":  {trusting(generate(t), "*"), nil, "which is not trusted"},
		"wrong name": {trusting(k, "other-*"), nil, "may ship other-* alone"},
		"tampered manifest": {trusting(k, "*"), change(d.Digest),
			string(d.Digest) + ": not what its digest says"},
		"tampered layer": {trusting(k, "*"), change(m.Layers[0].Digest),
			`layer 0 of the bundle, "acme-router.wasm": oci: blob ` + string(m.Layers[0].Digest) +
				": not what its digest says"},
		"tampered config": {trusting(k, "*"), change(m.Config.Digest), "the config of the bundle"},
		"truncated": {trusting(k, "*"), func(dir string) error {
			return os.Truncate(blob(dir, m.Layers[1].Digest), 3)
		}, "it is said to have 11 bytes and has 3"},
		"missing": {trusting(k, "*"), func(dir string) error {
			return os.Remove(blob(dir, m.Layers[1].Digest))
		}, "missing"},
		"other content, made to fit": {trusting(k, "*"), func(dir string) error {
			return impostor(t, dir, "acme-router", "1.0.0", "other licence")
		}, "key acme signed other content under this name and version"},
		"signature of another": {trusting(k, "*"), func(dir string) error {
			return impostor(t, dir, "acme-codec", "1.0.0", "the licence")
		}, "of another bundle: acme-router 1.0.0"},
		"unsigned": {trusting(k, "*"), func(dir string) error {
			return resave(dir, func(l *oci.Layout) error {
				for _, d := range l.Manifests()[1:] {
					l.Unlist(d.Digest)
				}
				return nil
			})
		}, "it is not signed"},
	} {
		dir := filepath.Join(t.TempDir(), "pulled")
		if err := pulled.Save(dir); err != nil {
			t.Fatal(err)
		}
		if c.damage != nil {
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
		}
		if err := verify(dir, c.policy); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// verify is what an operator does with a folder.
func verify(dir string, p *sign.Policy) error {
	l, err := oci.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	d, err := bundle.Find(l, "")
	if err != nil {
		return err
	}
	_, _, err = p.VerifyLayout(l, d)
	return err
}

// resave changes what a folder holds, with digests that are right.
func resave(dir string, change func(*oci.Layout) error) error {
	l, err := oci.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if err := change(l); err != nil {
		return err
	}
	return l.Save(dir)
}

// impostor puts another bundle in the place of the one of a folder, and its signatures beside it.
func impostor(t *testing.T, dir, name, version, licence string) error {
	t.Helper()
	return resave(dir, func(l *oci.Layout) error {
		was, err := bundle.Find(l, "")
		if err != nil {
			return err
		}
		envelopes, err := sign.Envelopes(l, was)
		if err != nil {
			return err
		}
		for _, d := range l.Manifests() {
			l.Unlist(d.Digest)
		}
		other, d := build(t, name, version)
		m, err := other.Manifest(d)
		if err != nil {
			return err
		}
		config, err := other.Blob(m.Config)
		if err != nil {
			return err
		}
		_, _ = l.Add(bundle.MediaTypeConfig, bytes.Clone(config))
		layer, err := l.Add("text/plain+zstd", []byte(licence))
		if err != nil {
			return err
		}
		m.Layers = []oci.Descriptor{layer}
		if d, err = l.AddManifest(*m, nil); err != nil {
			return err
		}
		_, err = sign.Attach(l, d, envelopes[0])
		return err
	})
}

// What a registry holds and is not right does not get here.
func TestPullIsRefused(t *testing.T) {
	r := registry.Start(t, false)
	d, ref := pushed(t, r, generate(t))
	c := client(t, nil)
	l, _, err := c.Pull(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Manifest(d)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name, ref, want, way string) {
		t.Helper()
		l, _, err := c.Pull(t.Context(), ref)
		var e *Error
		if !errors.As(err, &e) || l != nil || !strings.Contains(e.Err.Error(), want) ||
			!strings.Contains(e.Do, way) || e.Op != "pull" || e.Ref != ref {
			t.Errorf("%s:\n got %v\nwant %s, to do: %s", name, err, want, way)
		}
	}
	refused("no tag", strings.Replace(ref, ":1.0.0", ":2", 1), "does not have it", "look at")
	refused("no name", strings.Replace(ref, "router", "none", 1), "does not have it", "look at")
	refused("nothing named", r.Addr+"/acme/router", "names no bundle", "NAME:TAG")
	refused("no reference", "router", "names no bundle", "HOST[:PORT]")
	file := r.Blob(m.Layers[0].Digest.Hex())
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole[0] ^= 1
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("changed", ref, "not what its digest says", "pushed again")
	if err := os.Truncate(file, 3); err != nil {
		t.Fatal(err)
	}
	refused("cut short", ref, "it has another size", "cut short")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused("gone", ref, string(m.Layers[0].Digest)+": missing", "pushed again")
	other, manifest := build(t, "image", "1")
	if _, err := c.Push(t.Context(), other, manifest, ref+"@"+string(d.Digest)); err == nil {
		t.Error("pushed to a digest")
	}
	if err := resource(t, r.Addr); err != nil {
		t.Fatal(err)
	}
	refused("an image", r.Addr+"/acme/router:image", `of the type "text/image"`, "name a bundle")
}

// resource puts a manifest into the registry that is no bundle.
func resource(t *testing.T, addr string) error {
	t.Helper()
	l, d := build(t, "acme-router", "1.0.0")
	m, err := l.Manifest(d)
	if err != nil {
		return err
	}
	m.ArtifactType, m.Layers = "text/image", nil
	if d, err = l.AddManifest(*m, nil); err != nil {
		return err
	}
	b, err := l.Blob(d)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPut,
		"http://"+addr+"/v2/acme/router/manifests/image", bytes.NewReader(b))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", oci.MediaTypeManifest)
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode != http.StatusCreated {
		return errors.New(a.Status)
	}
	return nil
}

// A registry that asks who is there is told, by what was given or by a file of docker's.
func TestCredentials(t *testing.T) {
	r := registry.Start(t, true)
	l, d := build(t, "acme-router", "1.0.0")
	ref := r.Addr + "/acme/router:1.0.0"
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, `{"auths":{%q:{"username":%q,"password":%q}}}`,
		r.Addr, registry.Username, registry.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		ok     bool
	}{
		"nobody": {nil, false},
		"wrong":  {func(c *Config) { c.Username, c.Password = registry.Username, "?" }, false},
		"right": {func(c *Config) {
			c.Username, c.Password = registry.Username, registry.Password
		}, true},
		"file": {func(c *Config) { c.CredentialsFile = file }, true},
	} {
		_, err := client(t, c.change).Push(t.Context(), l, d, ref)
		var e *Error
		if c.ok != (err == nil) || err != nil && (!errors.As(err, &e) ||
			!strings.Contains(e.Do, "give a user name and a password")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{TimeMax: 1, Username: "anna"}); err == nil {
		t.Error("a user without a password is taken")
	}
}

// elsewhere reaches the registry by a name that is not of this machine.
func elsewhere(r *registry.Registry) http.RoundTripper {
	return &http.Transport{DialContext: func(
		ctx context.Context, network, _ string,
	) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, r.Addr)
	}}
}

// Without TLS nothing goes to another machine unless it was asked for.
func TestPlainHTTP(t *testing.T) {
	r := registry.Start(t, false)
	l, d := build(t, "acme-router", "1.0.0")
	for _, plain := range []bool{false, true} {
		c := client(t, func(c *Config) { c.Transport, c.PlainHTTP = elsewhere(r), plain })
		_, err := c.Push(t.Context(), l, d, "registry.example:5000/acme/router:1")
		var e *Error
		if plain != (err == nil) || !plain && (!errors.As(err, &e) ||
			!strings.Contains(e.Do, "the registry has no TLS")) {
			t.Errorf("plain %v: %v", plain, err)
		}
	}
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:1": true, "127.9.9.9": true,
		"[::1]:5000": true, "[::1]": true, "[::ffff:127.0.0.1]:1": true,
		"localhost.example": false, "10.0.0.1:80": false, "example:5000": false, "": false,
	} {
		if got := loopback(host); got != want {
			t.Errorf("%s: loopback is %v", host, got)
		}
	}
	for url, local := range map[string]bool{
		"http://10.0.0.1/v2/": true, "http://127.0.0.1:1/v2/": false, "http://[::1]:1/": false,
	} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := secured{http.DefaultTransport, false, local}.RoundTrip(q)
		if err == nil {
			_ = a.Body.Close()
		}
		if !errors.Is(err, errPlain) {
			t.Errorf("%s: sent without TLS: %v", url, err)
		}
	}
}
