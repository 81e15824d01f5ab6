package gate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
)

// vault is a TLS listener of a house, and what its clients need.
type vault struct {
	*house
	ca     *pki.Authority
	server atomic.Pointer[tls.Config]
	terms  TLS
	addr   string
}

func authority(t testing.TB) *pki.Authority {
	t.Helper()
	ca, err := pki.NewAuthority("Test Authority")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t testing.TB, ca *pki.Authority, name string, hosts ...string) tls.Certificate {
	t.Helper()
	p, err := ca.Issue(pki.Leaf{Name: name, Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secured opens a TLS listener. Its server is called localhost.
func secured(t testing.TB, h *house, change ...func(*tls.Config, *TLS, *Limits)) *vault {
	t.Helper()
	v := &vault{house: h, ca: authority(t)}
	server := &tls.Config{
		Certificates: []tls.Certificate{issue(t, v.ca, "localhost", "localhost", "127.0.0.1")},
		ClientCAs:    v.ca.Pool(),
	}
	v.server.Store(server)
	v.terms = DefaultTLS(v.server.Load)
	v.terms.HandshakeTimeout = patience
	limits := DefaultLimits()
	for _, c := range change {
		c(server, &v.terms, &limits)
	}
	addr, err := h.g.Listen(v.config(limits))
	if err != nil {
		t.Fatal(err)
	}
	v.addr = addr.String()
	return v
}

func (v *vault) config(l Limits) ListenerConfig {
	return ListenerConfig{Name: "secure", Bind: "tls://127.0.0.1:0", Limits: l, TLS: &v.terms}
}

// client is what a client of v is configured by.
func (v *vault) client(change ...func(*tls.Config)) *tls.Config {
	c := &tls.Config{RootCAs: v.ca.Pool(), ServerName: "localhost"}
	for _, f := range change {
		f(c)
	}
	return c
}

// enter connects and does the handshake.
func (v *vault) enter(change ...func(*tls.Config)) *tls.Conn {
	v.t.Helper()
	return v.over(dial(v.t, "tcp", v.addr), change...)
}

func (v *vault) over(nc net.Conn, change ...func(*tls.Config)) *tls.Conn {
	v.t.Helper()
	c := tls.Client(nc, v.client(change...))
	if err := c.Handshake(); err != nil {
		v.t.Fatal(err)
	}
	return c
}

func only12(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }

// scribe writes TLS 1.3 records by hand, so that a test decides what is in them. The answers are
// read by the tls.Conn, which must not be written to.
type scribe struct {
	*tls.Conn
	socket net.Conn
	t      testing.TB
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// Content types, RFC 8446 section 5.1.
const (
	alertRecord     = 21
	handshakeRecord = 22
	dataRecord      = 23
)

// handWritten enters v as a scribe.
func (v *vault) handWritten() *scribe {
	v.t.Helper()
	var keys strings.Builder
	s := &scribe{t: v.t, socket: dial(v.t, "tcp", v.addr)}
	s.Conn = v.over(s.socket, func(c *tls.Config) {
		c.KeyLogWriter, c.MinVersion = &keys, tls.VersionTLS13
	})
	if suite := s.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		v.t.Skipf("this machine prefers %s", tls.CipherSuiteName(suite))
	}
	for line := range strings.Lines(keys.String()) {
		if f := strings.Fields(line); f[0] == "CLIENT_TRAFFIC_SECRET_0" {
			s.secret, _ = hex.DecodeString(f[2])
		}
	}
	s.rekey()
	return s
}

// rekey makes the keys of the secret.
func (s *scribe) rekey() {
	block, err := aes.NewCipher(s.expand("key", 16))
	if err == nil {
		s.aead, err = cipher.NewGCM(block)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.iv, s.seq = s.expand("iv", 12), 0
}

// expand is HKDF-Expand-Label, RFC 8446 section 7.1.
func (s *scribe) expand(label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 "+label)))
	info = append(info, "tls13 "+label+"\x00"...)
	key, err := hkdf.Expand(sha256.New, s.secret, string(info), n)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// seal makes a record.
func (s *scribe) seal(kind byte, content []byte) []byte {
	nonce := append([]byte(nil), s.iv...)
	for i := range 8 {
		nonce[4+i] ^= byte(s.seq >> (56 - 8*i))
	}
	s.seq++
	inner := append(append([]byte(nil), content...), kind)
	head := []byte{dataRecord, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(head[3:], uint16(len(inner)+s.aead.Overhead()))
	return s.aead.Seal(head, nonce, inner, head)
}

// update is a KeyUpdate that asks for one; what is sealed after it has new keys.
func (s *scribe) update() []byte {
	record := s.seal(handshakeRecord, []byte{24, 0, 0, 1, 1})
	s.secret = s.expand("traffic upd", 32)
	s.rekey()
	return record
}

func (s *scribe) write(raw []byte) {
	s.t.Helper()
	if _, err := s.socket.Write(raw); err != nil {
		s.t.Fatal(err)
	}
}

// dribble is a socket that sends one byte at a time.
type dribble struct{ net.Conn }

func (d dribble) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// ear notes the type of the last record that came.
type ear struct {
	net.Conn
	raw []byte
}

func (e *ear) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	e.raw = append(e.raw, p[:n]...)
	return n, err
}

func (e *ear) last() (kind byte) {
	for b := e.raw; len(b) >= 5; b = b[min(len(b), 5+int(binary.BigEndian.Uint16(b[3:]))):] {
		kind = b[0]
	}
	return kind
}

// calm waits until nobody waits in the lobby and n connections are there.
func (v *vault) calm(n int64) {
	v.t.Helper()
	until(v.t, "a calm listener", func() bool {
		for _, l := range v.g.Listeners() {
			if l.Name == "secure" {
				return l.Handshakes == 0 && l.Connections == n
			}
		}
		return false
	})
}

const soon = 50 * time.Millisecond
