package shard

import (
	"crypto/tls"
	"testing"

	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// secured is a TLS listener, and one client certificate.
type secured struct {
	addr   string
	ca     *pki.Authority
	client pki.Pair
}

func (h *house) secure(auth broker.Authenticator, clients tls.ClientAuthType) *secured {
	h.t.Helper()
	ca, err := pki.NewAuthority("Test Authority")
	if err != nil {
		h.t.Fatal(err)
	}
	server, err := ca.Issue(pki.Leaf{Name: "localhost", Hosts: []string{"localhost"}})
	if err != nil {
		h.t.Fatal(err)
	}
	pair, err := server.TLS()
	if err != nil {
		h.t.Fatal(err)
	}
	s := &secured{ca: ca}
	if s.client, err = ca.Issue(pki.Leaf{Name: "device-7"}); err != nil {
		h.t.Fatal(err)
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: ca.Pool(), ClientAuth: clients,
	}
	terms := gate.DefaultTLS(func() *tls.Config { return cfg })
	addr, err := h.AddListener(ListenerConfig{
		Name: "secure", Bind: "tls://127.0.0.1:0", Limits: gate.DefaultLimits(), TLS: &terms,
	}, func(int) *broker.Listener {
		return &broker.Listener{Name: "secure", Limits: broker.DefaultLimits(), Auth: auth}
	})
	if err != nil {
		h.t.Fatal(err)
	}
	s.addr = addr.String()
	return s
}

// shown is an Authenticator that lets everybody in and tells whom it saw.
type shown struct{ to chan broker.Credentials }

func (s *shown) Authenticate(_ broker.Token, c *broker.Credentials) (broker.Grant, bool) {
	s.to <- *c
	return broker.Grant{Reason: mqtt.Success}, true
}

// An authenticator sees the name of the verified certificate, and the address.
func TestAuthenticatorSeesCertificate(t *testing.T) {
	h := start(t)
	auth := &shown{make(chan broker.Credentials, 1)}
	s := h.secure(auth, tls.VerifyClientCertIfGiven)
	pair, err := s.client.TLS()
	if err != nil {
		t.Fatal(err)
	}
	for want, show := range map[string][]tls.Certificate{
		"CN=device-7,O=Example": {pair}, "": nil,
	} {
		c := dial(t, "tcp", s.addr)
		c.c = tls.Client(c.c, &tls.Config{
			RootCAs: s.ca.Pool(), ServerName: "localhost", Certificates: show,
		})
		c.connect("any")
		got := <-auth.to
		if got.CertificateSubject != want || got.Identity.Address != "127.0.0.1" {
			t.Errorf("subject %q of %q", got.CertificateSubject, got.Identity.Address)
		}
		if !c.alive() {
			t.Error("no answer")
		}
	}
}

// What a listener offers changes for those that come, while those that are there go on.
func TestUpdateListener(t *testing.T) {
	h := start(t)
	old := h.dial("old")
	cfg := ListenerConfig{Name: "main", Bind: "tcp://127.0.0.1:0", Limits: gate.DefaultLimits()}
	cfg.Limits.ConnectionsMax = 1
	if err := h.UpdateListener(cfg, nil); err != nil {
		t.Fatal(err)
	}
	if frame, err := dial(t, "tcp", h.addr).read(); err == nil {
		t.Errorf("one above the limit got %x", frame)
	}
	cfg.Limits.ConnectionsMax = 2
	if err := h.UpdateListener(cfg, nil); err != nil {
		t.Fatal(err)
	}
	if h.dial("new"); !old.alive() {
		t.Error("no answer")
	}
	if err := h.RemoveListener("main", true); err != nil {
		t.Fatal(err)
	}
	old.goodbye(mqtt.AdministrativeAction)
	if err := h.UpdateListener(cfg, nil); err == nil {
		t.Error("a listener that is gone was updated")
	}
}
