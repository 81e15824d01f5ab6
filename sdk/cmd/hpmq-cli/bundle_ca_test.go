package main

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/conformance/registry"
)

// overTLS is a registry behind TLS, and the file of the certificate that it shows.
func overTLS(t *testing.T) (addr, ca string) {
	t.Helper()
	to := &url.URL{Scheme: "http", Host: registry.Start(t, false).Addr}
	s := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
		r.Out.Host = r.In.Host // of where it sends who pushes
	}})
	t.Cleanup(s.Close)
	write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: s.Certificate().Raw})))
	return strings.TrimPrefix(s.URL, "https://"), "ca.pem"
}

// TestABundleIsBroughtToARegistryWithACertificateOfItsOwn, and from it, by who names that.
func TestABundleIsBroughtToARegistryWithACertificateOfItsOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	addr, ca := overTLS(t)
	digest := smallBundle(t, "router", "acme-router")
	push := "bundle push router " + addr + "/acme/router:1"
	pull := "bundle pull " + addr + "/acme/router:1 "
	write(t, "other.pem", "text")
	if code, _, err := cli(t, nil, "cert"); code != exitOK {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, says, todo string
		code             int
	}{
		{push + " --ca certs/ca.pem", "certificate", "held against, with --ca FILE", exitRefused},
		{push, "400", "if the registry speaks TLS", exitRefused},
		{push + " --ca none.pem", "--ca: open none.pem", "", exitUsage},
		{push + " --ca other.pem", "has no certificate", "write it as PEM", exitUsage},
		{push + " --plain-http --ca " + ca, "--plain-http", "leave one of them out", exitUsage},
		{push + " --ca " + ca, digest, "", exitOK},
		{pull + "other --ca certs/ca.pem", "certificate", "with --ca FILE", exitRefused},
		{pull + "one --ca " + ca, digest, "", exitOK},
	} {
		code, out, err := cli(t, nil, words(c.args)...)
		if all := out + err; code != c.code || !strings.Contains(all, c.says) ||
			!strings.Contains(all, c.todo) {
			t.Errorf("%s: %d, want %d\n%s", c.args, code, c.code, all)
		}
	}
}
