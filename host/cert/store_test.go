package cert

import (
	"bytes"
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
)

// serves answers the serial number a client is shown.
func serves(t *testing.T, s *Store) string {
	t.Helper()
	return s.TLS().Certificates[0].Leaf.SerialNumber.String()
}

func TestPollFindsNewFiles(t *testing.T) {
	d := newDesk(t)
	pair := d.pair("server", "broker.example")
	s := d.open(d.config(pair))
	poll := func(want bool) error {
		t.Helper()
		read, err := s.Poll()
		if read != want {
			t.Fatalf("read: %v, %v", read, err)
		}
		return err
	}
	first := serves(t, s)
	_ = poll(false)
	next := d.issue(pki.Leaf{Name: "next", Hosts: []string{"broker.example"}})
	d.write("server.pem", next.Certificate) // its key comes later
	_ = poll(false)                         // changed just now
	d.write("server.key", next.Key)
	_ = poll(false)
	if err := poll(true); err != nil || serves(t, s) == first {
		t.Fatalf("not read: %v", err)
	}
	_ = poll(false)

	second := serves(t, s)
	d.write("server.key", []byte("nonsense"))
	_ = poll(false)
	if err := poll(true); err == nil || serves(t, s) != second {
		t.Fatalf("a broken key: %v", err)
	}
	_ = poll(false) // said once
	if w := s.Warnings(time.Now()); len(w) != 2 {
		t.Errorf("warnings: %q", w)
	}
	d.write("server.key", next.Key)
	_ = poll(false)
	if err := poll(true); err != nil {
		t.Fatal(err)
	}
	if w := s.Warnings(time.Now()); len(w) != 1 {
		t.Errorf("warnings: %q", w)
	}
}

// TestPollAfterFault: a file that was no good is tried again though it looks as it did, as one does
// whose permission was mended.
func TestPollAfterFault(t *testing.T) {
	d := newDesk(t)
	s := d.open(d.config(d.pair("server", "broker.example")))
	first := serves(t, s)
	next := d.issue(pki.Leaf{Name: "next", Hosts: []string{"broker.example"}})
	d.write("server.key", next.Key)
	d.write("server.pem", bytes.Repeat([]byte("x"), len(next.Certificate)))
	_, _ = s.Poll()
	if read, err := s.Poll(); !read || err == nil {
		t.Fatalf("read: %v, %v", read, err)
	}
	if read, err := s.Poll(); read || err != nil {
		t.Fatalf("said twice: %v, %v", read, err)
	}
	d.clock = d.clock.Add(-time.Minute) // as old as it was
	d.write("server.pem", next.Certificate)
	if read, err := s.Poll(); !read || err != nil || serves(t, s) == first {
		t.Fatalf("not tried again: %v, %v", read, err)
	}
	if read, err := s.Poll(); read || err != nil {
		t.Fatalf("read for nothing: %v, %v", read, err)
	}
}

func TestReloadIsAllOrNothing(t *testing.T) {
	d := newDesk(t)
	a, b := d.pair("a", "a.example"), d.pair("b", "b.example")
	s := d.open(d.config(a, b))
	before := s.TLS()
	d.pair("a", "a.example")
	d.write("b.pem", []byte("nonsense"))
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), b.Certificate) {
		t.Fatalf("err: %v", err)
	}
	if s.TLS() != before {
		t.Fatal("half of it was taken")
	}
	d.pair("b", "b.example")
	if err := s.Reload(); err != nil || s.TLS() == before {
		t.Fatalf("not reloaded: %v", err)
	}
	if name, _, err := shake(t, s, &tls.Config{
		ServerName: "b.example", RootCAs: d.ca.Pool(),
	}); name != "b" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
}

func TestRunTells(t *testing.T) {
	d := newDesk(t)
	c := d.config(d.pair("server", "broker.example"))
	c.Poll = time.Millisecond
	s := d.open(c)
	ctx, cancel := context.WithCancel(context.Background())
	told, over := make(chan error, 8), make(chan struct{})
	go func() { s.Run(ctx, func(err error) { told <- err }); close(over) }()
	d.write("server.pem", []byte("nonsense"))
	if err := <-told; err == nil {
		t.Error("nonsense was taken")
	}
	cancel()
	<-over
	c.Certificates[0], c.Poll = d.pair("server", "broker.example"), 0
	d.open(c).Run(context.Background(), nil) // returns
}

func TestWarnings(t *testing.T) {
	d := newDesk(t)
	now := time.Now()
	at := func(name string, end time.Time) Pair {
		p := d.issue(pki.Leaf{Name: name, NotAfter: end})
		return Pair{d.write(name+".pem", p.Certificate), d.write(name+".key", p.Key)}
	}
	s := d.open(d.config(at("gone", now.Add(-time.Hour)), at("soon", now.Add(13*24*time.Hour)),
		at("later", now.Add(15*24*time.Hour))))
	got := strings.Join(s.Warnings(now), "\n")
	if strings.Count(got, "\n") != 1 || !strings.Contains(got, "gone") ||
		!strings.Contains(got, "soon") {
		t.Errorf("warnings: %s", got)
	}
	if w := s.Warnings(now.Add(-48 * 365 * time.Hour)); !strings.Contains(strings.Join(w, ""),
		"check the clock") {
		t.Errorf("early: %q", w)
	}
}
