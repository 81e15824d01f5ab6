package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// vault is an authority and a folder with what it signed.
type vault struct {
	t         *testing.T
	authority *pki.Authority
	dir       string
}

func newVault(t *testing.T) *vault {
	t.Helper()
	a, err := pki.NewAuthority("test authority")
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{t, a, t.TempDir()}
	v.write("ca.pem", a.PEM())
	v.save("server", "first")
	return v
}

func (v *vault) path(file string) string { return filepath.Join(v.dir, file) }

func (v *vault) write(file string, text []byte) {
	v.t.Helper()
	if err := os.WriteFile(v.path(file), text, 0o600); err != nil {
		v.t.Fatal(err)
	}
}

// save writes file.pem and file.key of a certificate with that common name, for loopback.
func (v *vault) save(file, cn string) pki.Pair {
	v.t.Helper()
	pair, err := v.authority.Issue(pki.Leaf{Name: cn, Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		v.t.Fatal(err)
	}
	if _, _, err := pair.Save(v.dir, file); err != nil {
		v.t.Fatal(err)
	}
	return pair
}

// secure is the setting of a listener that shows server.pem.
func (v *vault) secure() *configs.Secure {
	s := configs.DefaultSecure()
	s.Certificates = []configs.Certificate{
		{Certificate: v.path("server.pem"), Key: v.path("server.key")},
	}
	return &s
}

// trust is a client that trusts the authority, and shows a certificate if it has one.
func (v *vault) trust(own ...pki.Pair) *tls.Config {
	v.t.Helper()
	cfg := &tls.Config{RootCAs: v.authority.Pool(), ServerName: "127.0.0.1"}
	for _, p := range own {
		pair, err := p.TLS()
		if err != nil {
			v.t.Fatal(err)
		}
		cfg.Certificates = append(cfg.Certificates, pair)
	}
	return cfg
}

// shown is the common name of the certificate that the listener shows to who comes now.
func (v *vault) shown(address string) string {
	v.t.Helper()
	c, err := tls.Dial("tcp", address, v.trust())
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// withTLS is a node with a listener for each scheme.
func (v *vault) withTLS() configs.Config {
	cfg := testConfig("tcp", "tls", "ws", "wss", "unix")
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		l.Bind = l.Name + "://127.0.0.1:0"
		if l.Name == configs.TLS || l.Name == configs.WSS {
			l.Secure = v.secure()
		}
	}
	cfg.Listeners[4].Bind = "unix://" + v.path("mqtt.sock")
	return cfg
}

// meet connects a client that others wrote.
func meet(t *testing.T, server, id string, secure *tls.Config) paho.Client {
	t.Helper()
	o := paho.NewClientOptions().AddBroker(server).SetClientID(id).SetTLSConfig(secure).
		SetAutoReconnect(false).SetConnectTimeout(patience)
	c := paho.NewClient(o)
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("%s: %v", server, tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// TestEverySchemeWithAClientOfOthers: each client hears each.
func TestEverySchemeWithAClientOfOthers(t *testing.T) {
	v := newVault(t)
	a := open(t, v.withTLS())
	heard := make(chan string, 100)
	clients := make(map[string]paho.Client)
	for _, l := range a.Listening() {
		server := l.Bind
		if l.Name == configs.WS || l.Name == configs.WSS {
			server += "/mqtt"
		}
		c := meet(t, server, "c-"+l.Name, v.trust())
		tok := c.Subscribe("from/#", 1, func(_ paho.Client, m paho.Message) {
			heard <- l.Name + " " + m.Topic()
		})
		if !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatalf("%s: %v", l.Name, tok.Error())
		}
		clients[l.Name] = c
	}
	want := make(map[string]bool)
	for from, c := range clients {
		if tok := c.Publish("from/"+from, 1, false, "x"); !tok.WaitTimeout(patience) {
			t.Fatalf("%s: no acknowledgement", from)
		}
		for to := range clients {
			want[to+" from/"+from] = true
		}
	}
	for len(want) > 0 {
		select {
		case h := <-heard:
			delete(want, h)
		case <-time.After(patience):
			t.Fatalf("not heard: %v", want)
		}
	}
	info, err := os.Stat(v.path("mqtt.sock"))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket: %v, %v", info.Mode(), err)
	}
}

// TestCertificateIsTheName: a verified certificate lets a client in by its common name.
func TestCertificateIsTheName(t *testing.T) {
	v := newVault(t)
	device := v.save("device", "sensor-17")
	cfg := testConfig("tls")
	l := &cfg.Listeners[0]
	l.Bind, l.Secure = "tls://127.0.0.1:0", v.secure()
	l.Secure.ClientCA, l.Secure.ClientAuth = v.path("ca.pem"), configs.Optional
	l.Link.Authenticator = []configs.Component{{Use: "authenticator-file", Config: configs.Document{
		"anonymous": "never", "certificate_username": "cn",
	}}}
	a := open(t, cfg)
	join := func(secure *tls.Config) mqtt.ReasonCode {
		c, err := tls.Dial("tcp", address(t, a, "tls"), secure)
		if err != nil {
			t.Fatal(err)
		}
		_, got := greet(t, c, login{id: "c"})
		return got
	}
	if got := join(v.trust()); got != mqtt.NotAuthorized {
		t.Errorf("without a certificate: %v", got)
	}
	if got := join(v.trust(device)); got != mqtt.Success {
		t.Errorf("with one: %v", got)
	}
	clients, err := ask(t, a).Sessions(t.Context(), "", 10)
	if err != nil || len(clients) != 1 || clients[0].Username != "sensor-17" {
		t.Errorf("%+v, %v", clients, err)
	}
}

// TestCertificatesChangeUnderConnections: by the API, by a reload; a broken file changes nothing,
// and is named; who is connected stays.
func TestCertificatesChangeUnderConnections(t *testing.T) {
	v := newVault(t)
	cfg := testConfig("tls")
	cfg.Listeners[0].Bind, cfg.Listeners[0].Secure = "tls://127.0.0.1:0", v.secure()
	a := open(t, cfg)
	at, c, ctx := address(t, a, "tls"), ask(t, a), t.Context()
	conn, err := tls.Dial("tcp", at, v.trust())
	if err != nil {
		t.Fatal(err)
	}
	p, _ := greet(t, conn, login{id: "p"})

	v.save("server", "second")
	if l, err := c.ReloadCertificates(ctx, "tls"); err != nil ||
		!strings.HasPrefix(l.Certificates[0].Subject, "CN=second") {
		t.Fatalf("%+v, %v", l, err)
	}
	if got := v.shown(at); got != "second" {
		t.Errorf("after the API: %s", got)
	}
	v.save("server", "third")
	if err := a.Reload(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	if got := v.shown(at); got != "third" {
		t.Errorf("after a reload: %s", got)
	}
	v.write("server.pem", []byte("broken"))
	_, err = c.ReloadCertificates(ctx, "tls")
	refused(t, err, 422)
	other := cfg
	other.Listeners = append([]configs.Listener{testConfig("new").Listeners[0]}, cfg.Listeners...)
	_, setErr := c.ChangeListener(ctx, "tls", []byte("limits: {qos_max: 1}"))
	for i, err := range []error{err, a.Reload(ctx, other), setErr} {
		if err == nil || !strings.Contains(err.Error(), v.path("server.pem")) {
			t.Errorf("%d: which file? %v", i, err)
		}
	}
	if got := a.Listening(); len(got) != 1 || v.shown(at) != "third" || !p.alive() {
		t.Errorf("%v, %s, alive %v", got, v.shown(at), p.alive())
	}
	if _, err := Open(ctx, cfg, Options{}); err == nil ||
		!strings.Contains(err.Error(), v.path("server.pem")) {
		t.Errorf("a node starts with a broken certificate: %v", err)
	}
}

// TestSettingsOfTLSChangeLive: client certificates are asked for from now on, then TLS goes; who is
// there stays.
func TestSettingsOfTLSChangeLive(t *testing.T) {
	v := newVault(t)
	cfg := testConfig("l")
	cfg.Listeners[0].Bind, cfg.Listeners[0].Secure = "tls://127.0.0.1:0", v.secure()
	a := open(t, cfg)
	at, c, ctx := address(t, a, "l"), ask(t, a), t.Context()
	conn, err := tls.Dial("tcp", at, v.trust())
	if err != nil {
		t.Fatal(err)
	}
	p, _ := greet(t, conn, login{id: "p"})
	text := fmt.Appendf(nil, "tls: {client_auth: required, client_ca: %s}", v.path("ca.pem"))
	if _, err := c.ChangeListener(ctx, "l", text); err != nil {
		t.Fatal(err)
	}
	conn, err = tls.Dial("tcp", at, v.trust())
	if err == nil { // TLS 1.3 tells with the first read
		_, err = conn.Read(make([]byte, 1))
	}
	if err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("without a certificate: %v", err)
	}
	text = fmt.Appendf(nil, "bind: tcp://%s\ntls: null", at)
	if _, err := c.ChangeListener(ctx, "l", text); err != nil {
		t.Fatal(err)
	}
	dial(t, at, "plain")
	if !p.alive() {
		t.Error("the first connection ended")
	}
	if l, err := c.Listener(ctx, "l"); err != nil || l.Scheme != "tcp" || l.Certificates != nil ||
		l.Connections != 2 {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := tls.Dial("tcp", at, v.trust()); err == nil {
		t.Error("TLS still")
	}
	if err := c.RemoveListener(ctx, "l", client.Removal{Connections: client.Close}); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", at); err == nil {
		t.Error("the socket is open still")
	}
}

// TestStrangersAreNoClients: a certificate that nobody we know has signed ends at the handshake.
func TestStrangersAreNoClients(t *testing.T) {
	v, stranger := newVault(t), newVault(t)
	cfg := testConfig("tls")
	cfg.Listeners[0].Bind, cfg.Listeners[0].Secure = "tls://127.0.0.1:0", v.secure()
	a := open(t, cfg)
	_, err := tls.Dial("tcp", address(t, a, "tls"), stranger.trust())
	var unknown *tls.CertificateVerificationError
	if !errors.As(err, &unknown) || !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("%v", err)
	}
}

// TestUnixSocketsAreProbed: what is in the way of one is told before components are compiled.
func TestUnixSocketsAreProbed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	cfg := testConfig("u")
	cfg.Listeners[0].Bind = "unix://" + path
	a := open(t, cfg)
	for what, want := range map[string]string{
		"served": "another program serves it", "file": "is no socket",
		"folder": "make its folder first",
	} {
		other := cfg
		other.Listeners = []configs.Listener{cfg.Listeners[0]}
		bind := "unix://" + path
		switch what {
		case "file":
			if err := os.WriteFile(path+"f", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			bind += "f"
		case "folder":
			bind = "unix://" + filepath.Join(t.TempDir(), "no", "s.sock")
		}
		other.Listeners[0].Bind = bind
		_, err := Open(t.Context(), other, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: no %q in %v", what, want, err)
		}
	}
	if got := a.Listening()[0].Address; got != path {
		t.Errorf("listening on %s", got)
	}
}
