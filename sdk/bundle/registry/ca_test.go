package registry

import (
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

// A registry with a certificate of its own is spoken with by who was told of that, on this machine
// too.
func TestRootCAs(t *testing.T) {
	h, _, d := serve(t)
	s := httptest.NewTLSServer(h)
	defer s.Close()
	ref := strings.TrimPrefix(s.URL, "https://") + "/b:tag"
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	_, at, err := client(t, func(c *Config) { c.RootCAs = pool }).Pull(t.Context(), ref)
	if err != nil || at.Digest != d.Digest {
		t.Fatal(at, err)
	}
	_, _, err = client(t, func(c *Config) { c.RootCAs = x509.NewCertPool() }).Pull(t.Context(), ref)
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Do, "name the certificates") {
		t.Errorf("by others: %v", err)
	}
}
