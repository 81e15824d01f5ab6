package cert

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
)

// desk is a folder with certificates of one authority.
type desk struct {
	t      *testing.T
	ca     *pki.Authority
	folder string
	clock  time.Time // of the files
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	ca, err := pki.NewAuthority("Test Authority")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ca: ca, folder: t.TempDir(), clock: time.Now().Add(-time.Hour)}
	d.write("ca.pem", ca.PEM())
	return d
}

// write replaces a file; each write is a minute after the one before.
func (d *desk) write(name string, text []byte) string {
	d.t.Helper()
	path := filepath.Join(d.folder, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.clock = d.clock.Add(time.Minute)
	if err := os.Chtimes(path, d.clock, d.clock); err != nil {
		d.t.Fatal(err)
	}
	return path
}

func (d *desk) issue(l pki.Leaf) pki.Pair {
	d.t.Helper()
	p, err := d.ca.Issue(l)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// pair writes a fresh certificate with its key under name.
func (d *desk) pair(name string, hosts ...string) Pair {
	d.t.Helper()
	p := d.issue(pki.Leaf{Name: name, Hosts: hosts})
	return Pair{d.write(name+".pem", p.Certificate), d.write(name+".key", p.Key)}
}

func (d *desk) config(pairs ...Pair) Config {
	c := Default()
	c.Certificates = pairs
	return c
}

func (d *desk) open(c Config) *Store {
	d.t.Helper()
	s, err := Open(c)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// shake answers whom the server of s says it is, and both ends' errors.
func shake(t *testing.T, s *Store, client *tls.Config) (name string, server, dialer error) {
	t.Helper()
	a, b := sockets(t)
	_ = a.SetDeadline(time.Now().Add(2 * time.Minute))
	_ = b.SetDeadline(time.Now().Add(2 * time.Minute))
	done := make(chan error, 1)
	go func() {
		c := tls.Server(a, s.TLS())
		err := c.Handshake()
		if err == nil {
			_, err = c.Write([]byte{1})
		}
		_ = a.Close()
		done <- err
	}()
	c := tls.Client(b, client)
	dialer = c.Handshake()
	if dialer == nil {
		name = c.ConnectionState().PeerCertificates[0].Subject.CommonName
		_, dialer = c.Read(make([]byte, 1))
	}
	_ = b.Close()
	return name, <-done, dialer
}

// sockets answers the two ends of a connection.
func sockets(t *testing.T) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestNameOfTheClientChooses(t *testing.T) {
	d := newDesk(t)
	s := d.open(d.config(d.pair("first", "first.example"),
		d.pair("second", "second.example"), d.pair("wild", "*.wild.example")))
	for ask, want := range map[string]string{
		"first.example": "first", "second.example": "second", "a.wild.example": "wild",
		"a.b.wild.example": "first", "unknown.example": "first", "": "first",
	} {
		client := &tls.Config{ServerName: ask, InsecureSkipVerify: true}
		if got, _, err := shake(t, s, client); got != want || err != nil {
			t.Errorf("%q: %q, %v", ask, got, err)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	d := newDesk(t)
	pair := d.pair("server", "broker.example")
	mine, _ := d.issue(pki.Leaf{Name: "device"}).TLS()
	stranger, err := pki.NewAuthority("Stranger")
	if err != nil {
		t.Fatal(err)
	}
	p, err := stranger.Issue(pki.Leaf{Name: "stranger"})
	if err != nil {
		t.Fatal(err)
	}
	foreign, _ := p.TLS()
	old, _ := d.issue(pki.Leaf{Name: "old", NotAfter: time.Now().Add(-time.Hour)}).TLS()
	shows := map[string][]tls.Certificate{
		"nothing": nil, "its own": {mine}, "a stranger's": {foreign}, "an expired one": {old},
	}
	for auth, welcome := range map[ClientAuth]string{
		Off:      "nothing, its own, a stranger's, an expired one",
		Optional: "nothing, its own",
		Required: "its own",
	} {
		c := d.config(pair)
		c.ClientAuth = auth
		if auth != Off {
			c.ClientCA = filepath.Join(d.folder, "ca.pem")
		}
		s := d.open(c)
		for what, certs := range shows {
			client := &tls.Config{ServerName: "broker.example", RootCAs: d.ca.Pool()}
			client.GetClientCertificate = func(
				*tls.CertificateRequestInfo,
			) (*tls.Certificate, error) {
				if certs == nil {
					return &tls.Certificate{}, nil
				}
				return &certs[0], nil
			}
			_, server, err := shake(t, s, client)
			if in := strings.Contains(welcome, what); in != (server == nil && err == nil) {
				t.Errorf("%s, it shows %s: %v, %v", auth, what, server, err)
			}
		}
	}
}

func TestVersionsAndProtocols(t *testing.T) {
	d := newDesk(t)
	c := d.config(d.pair("server", "broker.example"))
	c.MinVersion, c.Protocols = "1.3", []string{"mqtt"}
	s := d.open(c)
	for what, change := range map[string]func(*tls.Config){
		"":                      func(*tls.Config) {},
		"asks for mqtt":         func(c *tls.Config) { c.NextProtos = []string{"x", "mqtt"} },
		"refused: version":      func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		"refused: other":        func(c *tls.Config) { c.NextProtos = []string{"h2"} },
		"refused: not trusting": func(c *tls.Config) { c.RootCAs = nil },
	} {
		client := &tls.Config{ServerName: "broker.example", RootCAs: d.ca.Pool()}
		change(client)
		if _, _, err := shake(t, s, client); strings.HasPrefix(what, "refused") != (err != nil) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	d := newDesk(t)
	good, other := d.pair("good", "a.example"), d.pair("other", "b.example")
	at := func(name string) string { return filepath.Join(d.folder, name) }
	text, _ := os.ReadFile(good.Certificate)
	der := d.write("der.pem", []byte("\x30\x82\x01\x02"))
	d.write("encrypted.key", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"+
		"-----END ENCRYPTED PRIVATE KEY-----\n"))
	d.write("broken.pem", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n"+
		"-----END CERTIFICATE-----\n"))
	d.write("empty.pem", nil)
	d.write("large.pem", append(text, make([]byte, fileBytesMax)...))
	for _, tc := range []struct {
		pair Pair
		ca   string
		want string
	}{
		{Pair{good.Certificate, other.Key}, "", "does not belong to certificate"},
		{Pair{good.Key, good.Certificate}, "", "swapped?"},
		{Pair{good.Certificate, good.Certificate}, "", "swapped?"},
		{Pair{at("none.pem"), good.Key}, "", "none.pem: no such file"},
		{Pair{good.Certificate, at("none.key")}, "", "none.key: no such file"},
		{Pair{der, good.Key}, "", "der.pem is not PEM: convert it"},
		{Pair{good.Certificate, der}, "", "der.pem is not PEM: convert it"},
		{Pair{good.Certificate, at("encrypted.key")}, "", "decrypt it"},
		{Pair{at("broken.pem"), good.Key}, "", "broken.pem, number 1 in it"},
		{Pair{at("empty.pem"), good.Key}, "", "empty.pem is empty"},
		{Pair{at("large.pem"), good.Key}, "", "large.pem is too large"},
		{good, good.Key, "client_ca " + good.Key + " has no certificate"},
		{good, at("none.pem"), "read client_ca: open " + at("none.pem")},
	} {
		c := d.config(tc.pair)
		if tc.ca != "" {
			c.ClientCA, c.ClientAuth = tc.ca, Optional
		}
		if _, err := Open(c); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("want %q, got %v", tc.want, err)
		}
	}
	_, err := Open(d.config(Pair{at("one"), good.Key}, good, Pair{at("two"), good.Key}))
	if err == nil || strings.Count(err.Error(), "no such file") != 2 {
		t.Errorf("not all that is wrong: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"good":     func(*Config) {},
		"none":     func(c *Config) { c.Certificates = nil },
		"no key":   func(c *Config) { c.Certificates[0].Key = "" },
		"many":     func(c *Config) { c.Certificates = make([]Pair, certificatesMax+1) },
		"no ca":    func(c *Config) { c.ClientAuth = Required },
		"a typo":   func(c *Config) { c.ClientAuth = "on" },
		"old":      func(c *Config) { c.MinVersion = "1.1" },
		"negative": func(c *Config) { c.Poll = -1 },
	} {
		c := Default()
		c.Certificates = []Pair{{"a", "b"}}
		change(&c)
		if err := c.Validate(); (err == nil) != (what == "good") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
