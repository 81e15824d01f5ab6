package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCertificatesFit: server and client prove themselves to each other, those of a second run too.
func TestCertificatesFit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	call := func(args string) (int, string) {
		var out, errs bytes.Buffer
		code := run(t.Context(), words("cert --out "+dir+args), streams{nil, &out, &errs})
		return code, out.String() + errs.String()
	}
	if code, out := call(" --name localhost --name 127.0.0.1 --client a"); code != exitOK {
		t.Fatal(out)
	}
	if code, out := call(" --client b"); code != exitOK || !strings.Contains(out, "CN=b") ||
		!strings.Contains(out, "server.pem is there already") {
		t.Fatal(out)
	}
	load := func(name string) tls.Certificate {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"),
			filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	roots := x509.NewCertPool()
	roots.AddCert(load("ca").Leaf)
	for name, use := range map[string]x509.ExtKeyUsage{
		"server": x509.ExtKeyUsageServerAuth, "a": x509.ExtKeyUsageClientAuth,
		"b": x509.ExtKeyUsageClientAuth,
	} {
		o := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{use}}
		if _, err := load(name).Leaf.Verify(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		if err := load("server").Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "server.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, bad := range []string{" --client ../x", " --client ca", " --days 0", " x"} {
		if code, out := call(bad); code != exitUsage {
			t.Errorf("%s: %d %s", bad, code, out)
		}
	}
}
