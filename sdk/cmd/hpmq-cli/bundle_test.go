package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/conformance/registry"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// smallBundle saves one and answers the digest of its manifest.
func smallBundle(t *testing.T, path, name string) string {
	t.Helper()
	l := oci.New()
	config, err := l.Add(bundle.MediaTypeConfig, []byte(`{"name":"`+name+`","version":"1.0.0"}`))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := l.Add("text/plain", []byte("the component of "+name))
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.AddManifest(oci.Manifest{ArtifactType: bundle.ArtifactType, Config: config,
		Layers: []oci.Descriptor{layer}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Save(path); err != nil {
		t.Fatal(err)
	}
	return string(d.Digest)
}

// The way of a bundle, as its maker and two operators type it.
func TestBundleIsShipped(t *testing.T) {
	r := registry.Start(t, true)
	t.Setenv("HPMQ_CLI_REGISTRY_USERNAME", registry.Username)
	t.Setenv("HPMQ_CLI_REGISTRY_PASSWORD", registry.Password)
	dir := t.TempDir()
	t.Chdir(dir)
	digest := smallBundle(t, "router", "acme-router")
	ref := r.Addr + "/acme/router:1.0.0"
	do := func(want string, args ...string) {
		t.Helper()
		code, out, err := cli(t, nil, args...)
		if code != exitOK || !strings.Contains(out, want) || err != "" {
			t.Fatalf("%v: %d\n%s%s\nwant %s", args, code, out, err, want)
		}
	}
	do("acme.key signs: keep it secret", "bundle", "key", "new", "acme")
	do("acme-router 1.0.0, "+digest+"\nsigned by sha256:", "bundle", "sign", "router", "--key",
		"acme.key")
	do(ref+", signatures: 1", "bundle", "push", "router", ref)
	do("one, signatures: 1\nacme-router 1.0.0 is whole", "bundle", "pull", ref, "one", "--key",
		"acme.pem")
	do("not verified; do: hpmq-cli bundle verify two.tar", "bundle", "pull",
		strings.Replace(ref, ":1.0.0", "@"+digest, 1), "two.tar")
	r.Addr = "" // from here on nothing is asked
	write(t, "hpmq.yaml", "trust: {keys: [{name: acme, key: acme.pem, names: [\"acme-*\"]}]}\n")
	for _, where := range []string{"one", "two.tar"} {
		do("signed by key acme, sha256:", "bundle", "verify", where, "--trust", "hpmq.yaml")
	}
	_, out, _ := cli(t, nil, "bundle", "verify", "one", "--key", "acme.pem", "--json")
	var v verified
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Manifest != digest ||
		v.Key != "acme" || v.Name != "acme-router" || v.Version != "1.0.0" {
		t.Errorf("%s: %v", out, err)
	}
}

func TestBundleIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	smallBundle(t, "router", "acme-router")
	smallBundle(t, "bare.tar", "acme-router")
	for _, name := range []string{"acme", "other"} {
		if code, _, err := cli(t, nil, "bundle", "key", "new", name); code != exitOK {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat("acme.key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if code, _, err := cli(t, nil, words("bundle sign router --key acme.key")...); code != exitOK {
		t.Fatal(err)
	}
	write(t, "names.yaml", `trust: {keys: [{name: a, key: acme.pem, names: [b]}], unsigned: [c]}`)
	write(t, "nobody.yaml", "{}")
	for _, dir := range []string{"hollow", "full"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "full/of", "it")
	if _, _, err := cli(t, nil, "bundle", "verify", "\x1b[2J", "--key", "acme.pem"); err == "" ||
		strings.Contains(err, "\x1b") {
		t.Errorf("an error moves the terminal: %q", err)
	}
	for _, c := range []struct {
		args, says, todo string
		code             int
	}{
		{"verify router --key other.pem", "which is not trusted", "trust.keys", exitRefused},
		{"verify router --trust names.yaml", "may ship b alone", "acme-router", exitRefused},
		{"verify router --trust nobody.yaml", "no key is trusted", "trust.keys", exitRefused},
		{"verify bare.tar --key acme.pem", "it is not signed", "bundle sign", exitRefused},
		{"verify router", "whom to trust?", "--key", exitUsage},
		{"verify router --key acme.key", "it holds a PRIVATE KEY", "", exitUsage},
		{"verify none --key acme.pem", "no such file", "", exitUsage},
		{"verify hollow --key acme.pem", "no file oci-layout", "", exitRefused},
		{"verify router --key acme.pem --digest sha256:1", "there is no sha256:1 in the layout",
			"but sha256:", exitRefused},
		{"sign router --key acme.pem", "it holds a PUBLIC KEY", "", exitUsage},
		{"sign names.yaml --key acme.key", "neither a folder nor a .tar", "", exitUsage},
		{"key new acme", "acme.key is there already", "name another", exitUsage},
		{"key new a/b", "no name of a file", "--dir", exitUsage},
		{"key show names.yaml", "neither PEM", "", exitUsage},
		{"push router 127.0.0.1:1/acme/router", "names no tag", "NAME:TAG", exitRefused},
		{"push router 127.0.0.1:1/acme/router:1", "refused", "registry runs", exitRefused},
		{"push router 127.0.0.1:1/a:1 --credentials none", "no such file", "", exitUsage},
		{"pull 127.0.0.1:1/acme/router:1 full", "is not empty", "another folder", exitUsage},
		{"pull 127.0.0.1:1/acme/router:1 bare.tar", "there already", "another file", exitUsage},
	} {
		code, out, err := cli(t, nil, append([]string{"bundle"}, words(c.args)...)...)
		if code != c.code || out != "" || !strings.Contains(err, c.says) ||
			!strings.Contains(err, c.todo) {
			t.Errorf("%s: %d, want %d\n%s%s", c.args, code, c.code, out, err)
		}
	}
	layer := filepath.Join("router", "blobs", "sha256",
		oci.DigestOf([]byte("the component of acme-router")).Hex())
	write(t, layer, "another component")
	code, _, err := cli(t, nil, words("bundle verify router --key acme.pem")...)
	if code != exitRefused || !strings.Contains(err, "layer 0") ||
		!strings.Contains(err, "get the bundle again") {
		t.Errorf("tampered: %d %s", code, err)
	}
}

// A private key shows the public one alone.
func TestBundleKeyIsShown(t *testing.T) {
	t.Chdir(t.TempDir())
	if code, _, err := cli(t, nil, "bundle", "key", "new", "acme"); code != exitOK {
		t.Fatal(err)
	}
	_, public, _ := cli(t, nil, "bundle", "key", "show", "acme.pem")
	_, private, _ := cli(t, nil, "bundle", "key", "show", "acme.key")
	if public != private || !strings.HasPrefix(public, "id   sha256:") {
		t.Errorf("%s\n%s", public, private)
	}
	write(t, "line", strings.Fields(public)[3])
	if _, line, _ := cli(t, nil, "bundle", "key", "show", "line"); line != public {
		t.Errorf("%s\n%s", line, public)
	}
}
