package gate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// versions are how a client takes the one or the other.
func versions() map[string]func(*tls.Config) {
	return map[string]func(*tls.Config){"1.2": only12, "1.3": func(*tls.Config) {}}
}

// Packets of every size come back whole over both versions, several to a record and several
// records to a packet.
func TestTLSCarriesPackets(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			v := secured(t, start(t, &fake{packet: echo}))
			c := v.enter(version)
			var sent []byte
			sizes := []int{0, 1, 100, 200 << 10, 3, 16 << 10, 16<<10 - 3, 500_000, 7, 8, 9}
			for i, n := range sizes {
				sent = append(sent, packet(n, byte(i))...)
			}
			go func() { _, _ = c.Write(sent) }()
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("other bytes came back, %v", err)
			}
		})
	}
}

func TestTLSRecordsByteByByte(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			v := secured(t, start(t, &fake{packet: echo}))
			c := v.over(dribble{dial(t, "tcp", v.addr)}, version)
			for range 5 {
				ping(t, c)
			}
		})
	}
}

// What the client sends together with the end of its handshake is not lost.
func TestTLSPacketWithTheHandshake(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			v := secured(t, start(t, &fake{packet: echo}))
			for range 20 {
				c := tls.Client(&batched{Conn: dial(t, "tcp", v.addr)}, v.client(version))
				ping(t, c) // handshake and packet in one go
			}
		})
	}
}

// batched keeps what is written until something is read.
type batched struct {
	net.Conn
	held []byte
}

func (b *batched) Write(p []byte) (int, error) {
	b.held = append(b.held, p...)
	return len(p), nil
}

// SetWriteDeadline is tls.Conn.CloseWrite's, which lets nobody write after it.
func (b *batched) SetWriteDeadline(time.Time) error { return nil }

func (b *batched) Read(p []byte) (int, error) {
	if len(b.held) > 0 {
		if _, err := b.Conn.Write(b.held); err != nil {
			return 0, err
		}
		b.held = nil
	}
	return b.Conn.Read(p)
}

func TestTLSKeyUpdate(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}))
	s := v.handWritten()
	want := packet(9, 'a')
	raw := s.seal(dataRecord, want)
	for i := range 30 {
		p := packet(i*1000, byte(i))
		raw = append(raw, s.update()...)
		raw = append(raw, s.seal(dataRecord, p[:len(p)/2])...)
		raw = append(raw, s.seal(dataRecord, p[len(p)/2:])...)
		want = append(want, p...)
	}
	s.write(raw)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("other bytes came back, %v", err)
	}
	// The message in parts, each alone: no record is there when the loop asks.
	parts := s.seal(handshakeRecord, []byte{24, 0})
	parts = append(parts, s.seal(handshakeRecord, []byte{0, 1, 1})...)
	s.secret = s.expand("traffic upd", 32)
	s.rekey()
	parts = append(parts, s.seal(dataRecord, packet(1, 'z'))...)
	if _, err := (dribble{s.socket}).Write(parts); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, got[:3]); err != nil || !bytes.Equal(got[:3], packet(1, 'z')) {
		t.Fatalf("got %x, %v", got[:3], err)
	}
}

// Bad records close the connection, and no other.
func TestTLSBadRecords(t *testing.T) {
	why := make(chan error, 1)
	f := &fake{packet: echo, closed: func(_ *Conn, err error) { why <- err }}
	v := secured(t, start(t, f))
	good := v.enter()
	sealed := func(n int, kind byte, content []byte) func(*scribe) []byte {
		return func(s *scribe) (raw []byte) {
			for range n {
				raw = append(raw, s.seal(kind, content)...)
			}
			return raw
		}
	}
	endless := append([]byte{24, 0xFF, 0xFF, 0xFF}, make([]byte, 16000)...)
	for what, raw := range map[string]func(s *scribe) []byte{
		"plain MQTT": func(*scribe) []byte { return packet(20, 'x') },
		"a broken seal": func(s *scribe) []byte {
			record := s.seal(dataRecord, []byte("x"))
			record[9]++
			return record
		},
		"too long":        func(*scribe) []byte { return []byte{dataRecord, 3, 3, 0xFF, 0xFF} },
		"a ClientHello":   sealed(1, handshakeRecord, []byte{1, 0, 0, 1, 0}),
		"empty records":   sealed(100, dataRecord, nil),
		"an alert":        sealed(1, alertRecord, []byte{2, 80}),
		"half a message":  sealed(40, handshakeRecord, endless),
		"an unknown type": sealed(1, 99, []byte("x")),
	} {
		t.Run(what, func(t *testing.T) {
			s := v.handWritten()
			s.write(raw(s))
			if err := <-why; err == nil || !strings.HasPrefix(err.Error(), "gate: tls:") {
				t.Errorf("closed: %v", err)
			}
			if n, err := s.Read(make([]byte, 1)); err == nil {
				t.Errorf("read %d", n)
			}
			ping(t, good)
		})
	}
	if st := v.g.Stats(); st.Panics != 0 {
		t.Errorf("panics: %s", v.log)
	}
}

// The handler's Close says goodbye: close_notify behind what was written.
func TestTLSCloseNotify(t *testing.T) {
	f := &fake{packet: func(c *Conn, frame []byte) {
		c.Write(frame)
		c.Close()
	}}
	v := secured(t, start(t, f))
	e := &ear{Conn: dial(t, "tcp", v.addr)}
	c := v.over(e, only12) // of which the type of a record can be seen
	p := packet(40_000, 'x')
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, p) || e.last() != alertRecord {
		t.Fatalf("%d bytes, %v, last record %d", len(got), err, e.last())
	}
	_ = c.Close()
	v.calm(0)
}

// The peer's close_notify is answered by ours, behind what it asked for before.
func TestTLSCloseNotifyOfThePeer(t *testing.T) {
	closed := make(chan error, 1)
	f := &fake{packet: echo, closed: func(_ *Conn, err error) { closed <- err }}
	v := secured(t, start(t, f))
	e := &ear{Conn: dial(t, "tcp", v.addr)}
	c := v.over(&batched{Conn: e}, only12)
	p := packet(5000, 'x')
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, p) || e.last() != alertRecord {
		t.Fatalf("%d bytes, %v, last record %d", len(got), err, e.last())
	}
	if err := <-closed; !errors.Is(err, io.EOF) {
		t.Errorf("closed: %v", err)
	}
	v.calm(0)
}

// The order of writes is the order on the wire, whatever is pushed before the turn ends.
func TestTLSKeepsOrder(t *testing.T) {
	const rounds = 40
	f := &fake{packet: func(c *Conn, _ []byte) {
		for i := range rounds {
			c.Write(packet(i*1000, byte(i))) // pushed at 64 KiB
			if i%7 == 0 {
				c.push()
			}
		}
	}}
	v := secured(t, start(t, f))
	s := v.handWritten()
	s.write(append(s.seal(dataRecord, packet(1, 'x')), s.update()...))
	s.write(s.seal(dataRecord, packet(1, 'y')))
	for range 2 {
		for i := range rounds {
			want := packet(i*1000, byte(i))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("packet %d: %v", i, err)
			}
		}
	}
}

// A reader that does not read is slow, then cut, over TLS as without.
func TestTLSPeerThatDoesNotRead(t *testing.T) {
	const soft, hard = 64 << 10, 256 << 10
	closed := make(chan error, 1)
	conns := make(chan *Conn, 1)
	f := &fake{
		packet: func(c *Conn, _ []byte) { conns <- c },
		closed: func(_ *Conn, err error) { closed <- err },
	}
	v := secured(t, start(t, f), func(_ *tls.Config, _ *TLS, l *Limits) {
		l.OutBytesMax, l.OutCutBytesMax = soft, hard
	})
	peer := v.enter()
	if _, err := peer.Write(packet(1, 'x')); err != nil {
		t.Fatal(err)
	}
	c := <-conns
	v.g.Do(c.Loop(), func(int64) {
		block := make([]byte, 8<<10)
		for c.Room() > 0 {
			c.Write(block)
		}
		for range 4096 {
			c.Write(block)
		}
		if n := c.queued2(); n > hard+2*flushBytes {
			t.Errorf("%d bytes wait", n)
		}
	})
	if err := <-closed; !errors.Is(err, ErrCut) {
		t.Errorf("closed: %v", err)
	}
}

func TestTLSClientCertificates(t *testing.T) {
	f := &fake{open: func(c *Conn) {
		c.Write(packet(0, 0))
		c.Write([]byte(fmt.Sprintf("%s|%s\n", c.Address(), c.CertificateSubject())))
	}}
	v := secured(t, start(t, f))
	other := authority(t)
	mine := issue(t, v.ca, "device, 1")
	foreign := issue(t, other, "stranger")
	for _, tc := range []struct {
		auth tls.ClientAuthType
		show *tls.Certificate
		want string
	}{
		{tls.NoClientCert, &mine, "127.0.0.1|\n"},
		{tls.RequestClientCert, &foreign, "127.0.0.1|\n"}, // not verified, so it names nobody
		{tls.VerifyClientCertIfGiven, nil, "127.0.0.1|\n"},
		{tls.VerifyClientCertIfGiven, &mine, "127.0.0.1|CN=device\\, 1,O=Example\n"},
		{tls.VerifyClientCertIfGiven, &foreign, "remote error: tls:"},
		{tls.RequireAndVerifyClientCert, nil, "remote error: tls:"},
		{tls.RequireAndVerifyClientCert, &mine, "127.0.0.1|CN=device\\, 1,O=Example\n"},
		{tls.RequireAndVerifyClientCert, &foreign, "remote error: tls:"},
	} {
		for name, version := range versions() {
			next := v.server.Load().Clone()
			next.ClientAuth = tc.auth
			v.server.Store(next)
			cfg := v.client(version)
			cfg.GetClientCertificate = func(
				*tls.CertificateRequestInfo,
			) (*tls.Certificate, error) {
				if tc.show == nil {
					return &tls.Certificate{}, nil
				}
				return tc.show, nil
			}
			got := hello(tls.Client(dial(t, "tcp", v.addr), cfg))
			if !strings.Contains(got, tc.want) {
				t.Errorf("%s, %v: got %q, want %q", name, tc.auth, got, tc.want)
			}
		}
	}
}

// hello answers the line the gate sends first, or why there is none. Nothing is sent before, but
// for TLS: a reset would hide the reason.
func hello(c *tls.Conn) string {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return err.Error()
	}
	var line []byte
	for !bytes.HasSuffix(line, []byte("\n")) {
		if _, err := io.ReadFull(c, head[:1]); err != nil {
			return err.Error()
		}
		line = append(line, head[0])
	}
	return string(line)
}

// A session that is resumed by a ticket is of the certificate it was begun with.
func TestTLSResumption(t *testing.T) {
	f := &fake{open: func(c *Conn) {
		c.Write(append(packet(0, 0), c.CertificateSubject()+"\n"...))
	}}
	v := secured(t, start(t, f), func(c *tls.Config, _ *TLS, _ *Limits) {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	})
	cache := tls.NewLRUClientSessionCache(4)
	mine := issue(t, v.ca, "device")
	for i := range 2 {
		c := v.enter(func(c *tls.Config) {
			c.Certificates, c.ClientSessionCache = []tls.Certificate{mine}, cache
		})
		if got := hello(c); got != "CN=device,O=Example\n" {
			t.Errorf("subject %q", got)
		}
		if resumed := c.ConnectionState().DidResume; resumed != (i == 1) {
			t.Errorf("connection %d: resumed %v", i, resumed)
		}
		_ = c.Close()
	}
}
