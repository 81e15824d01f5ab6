package wasi_test

import (
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/wasi/probe"
)

const (
	fields   = "http/types#[method]fields."
	request  = "http/types#[method]outgoing-request."
	response = "http/types#[method]outgoing-response."
)

// list writes strings as a list<list<u8>> and answers address and length.
func list(g *probe.Guest, texts ...string) (ptr, n uint64) {
	const at, data = 2048, 8192
	next := uint32(data)
	for i, s := range texts {
		g.Put(next, s)
		g.Memory().PutUint32(uint32(at+8*i), next)
		g.Memory().PutUint32(uint32(at+8*i+4), uint32(len(s)))
		next += uint32(len(s))
	}
	return at, uint64(len(texts))
}

// headers makes fields of names and values.
func headers(t *testing.T, g *probe.Guest, pairs ...string) uint64 {
	t.Helper()
	ptr, n := list(g, pairs...)
	g.Do("http/types#[static]fields.from-list", ptr, n/2, 0)
	if g.Bytes(0, 1) != okCase {
		t.Fatalf("from-list answers %q", g.Bytes(0, 8))
	}
	return uint64(g.Uint32(4))
}

// entries are names and values of fields, joined.
func entries(g *probe.Guest, f uint64) string {
	g.Do(fields+"entries", f, 0)
	var out []string
	for i := range uint64(2 * g.Uint32(4)) {
		out = append(out, g.List(uint64(g.Uint32(0))+8*i))
	}
	return strings.Join(out, " ")
}

func set(g *probe.Guest, f uint64, name string, values ...string) string {
	ptr, n := list(g, values...)
	at, size := g.Put(100, name)
	g.Do(fields+"set", f, at, size, ptr, n, 0)
	return g.Bytes(0, 2)
}

func TestFields(t *testing.T) {
	g, _ := newGuest(t)
	f := headers(t, g, "Accept", "a", "X-One", "1", "accept", "b")
	at, size := g.Put(100, "ACCEPT")
	if g.Do(fields+"has", f, at, size) != 1 {
		t.Error("the case of a name matters")
	}
	g.Do(fields+"get", f, at, size, 0)
	if a := uint64(g.Uint32(0)); g.Uint32(4) != 2 || g.List(a) != "a" || g.List(a+8) != "b" {
		t.Error("not both values")
	}
	value, n := g.Put(200, "c")
	g.Do(fields+"append", f, at, size, value, n, 0)
	if got := entries(g, f); g.Bytes(0, 2) == "\x01\x00" || got !=
		"Accept a X-One 1 accept b ACCEPT c" {
		t.Error(got)
	}
	if r := set(g, f, "accept", "x", "y"); r != "\x00\x00" ||
		entries(g, f) != "X-One 1 accept x accept y" {
		t.Errorf("%q, %s", r, entries(g, f))
	}
	c := g.Do(fields+"clone", f)
	at, size = g.Put(100, "Accept")
	g.Do(fields+"delete", f, at, size, 0)
	if entries(g, f) != "X-One 1" || entries(g, c) != "X-One 1 accept x accept y" {
		t.Errorf("%s; the clone %s", entries(g, f), entries(g, c))
	}
	if g.Do(fields+"has", f, at, size) != 0 {
		t.Error("has what was deleted")
	}
	if e := entries(g, g.Do("http/types#[constructor]fields")); e != "" {
		t.Errorf("new fields have %s", e)
	}
}

func TestBadFieldsAreRefused(t *testing.T) {
	g, _ := newGuest(t)
	const invalid, forbidden = "\x01\x00", "\x01\x01"
	f := headers(t, g)
	for _, c := range []struct{ name, value, want string }{
		{"", "v", invalid}, {"a b", "v", invalid}, {"ä", "v", invalid}, {"a:", "v", invalid},
		{"a", "x\ny", invalid}, {"a", "x\x00", invalid}, {"a", "\x7f", invalid},
		{"Host", "v", forbidden}, {"transfer-Encoding", "v", forbidden},
		{"a", "x\ty\xff", "\x00\x00"},
	} {
		if got := set(g, f, c.name, c.value); got != c.want {
			t.Errorf("set %q %q: %q", c.name, c.value, got)
		}
		at, size := g.Put(100, c.name)
		value, n := g.Put(200, c.value)
		if g.Do(fields+"append", f, at, size, value, n, 0); g.Bytes(0, 2) != c.want {
			t.Errorf("append %q %q: %q", c.name, c.value, g.Bytes(0, 2))
		}
		ptr, _ := list(g, c.name, c.value)
		g.Do("http/types#[static]fields.from-list", ptr, 1, 0)
		if g.Bytes(0, 1) != c.want[:1] || c.want[0] == 1 && g.Bytes(4, 1) != c.want[1:] {
			t.Errorf("from-list %q %q: %q", c.name, c.value, g.Bytes(0, 8))
		}
	}
	if r := set(g, f, "bad name"); r != invalid {
		t.Errorf("set to nothing: %q", r)
	}
	at, size := g.Put(100, "bad name")
	if g.Do(fields+"delete", f, at, size, 0); g.Bytes(0, 2) != invalid {
		t.Errorf("delete: %q", g.Bytes(0, 2))
	}
}

func TestARequestIsMadeInMemory(t *testing.T) {
	g, _ := newGuest(t)
	f := headers(t, g, "Accept", "a")
	r := g.Do("http/types#[constructor]outgoing-request", f)
	if _, err := newSilent(t).Try(fields+"clone", f); err == nil {
		t.Error("fields of another guest")
	}
	h := g.Do(request+"headers", r)
	if entries(g, h) != "Accept a" || set(g, h, "b", "c") != "\x01\x02" {
		t.Error("the headers of a request are not immutable")
	}
	at, size := g.Put(100, "accept")
	if g.Do(fields+"append", h, at, size, at, size, 0); g.Bytes(0, 2) != "\x01\x02" {
		t.Errorf("append to immutable fields: %q", g.Bytes(0, 2))
	}
	if g.Do(fields+"delete", h, at, size, 0); g.Bytes(0, 2) != "\x01\x02" {
		t.Errorf("delete from immutable fields: %q", g.Bytes(0, 2))
	}
	clone := g.Do(fields+"clone", h)
	if set(g, clone, "b", "c") != "\x00\x00" || entries(g, h) != "Accept a" {
		t.Error("a clone is immutable")
	}
	g.Do(request+"method", r, 0)
	if g.Bytes(0, 1) != "\x00" {
		t.Error("the method is not GET")
	}
	ptr, n := g.Put(100, "QUERY")
	if g.Do(request+"set-method", r, 9, ptr, n) != 0 {
		t.Error("set-method")
	}
	if g.Do(request+"method", r, 0); g.Bytes(0, 1) != "\x09" || g.List(4) != "QUERY" {
		t.Errorf("method %q", g.Bytes(0, 12))
	}
	bad, size := g.Put(100, "no method")
	if g.Do(request+"set-method", r, 9, bad, size) != 1 {
		t.Error("set-method takes what is none")
	}
	if g.Do(request+"set-method", r, 2, 0, 0) != 0 {
		t.Error("set-method does not take POST")
	}
	if g.Do(request+"method", r, 0); g.Bytes(0, 1) != "\x02" {
		t.Error("not POST")
	}
}

func newSilent(t *testing.T) *probe.Guest {
	g, _ := newGuest(t)
	return g
}

func TestTheAddressOfARequest(t *testing.T) {
	g, _ := newGuest(t)
	r := g.Do("http/types#[constructor]outgoing-request", headers(t, g))
	for _, name := range []string{"path-with-query", "authority"} {
		if g.Do(request+name, r, 0); g.Bytes(0, 1) != "\x00" {
			t.Errorf("%s is there", name)
		}
		ptr, n := g.Put(100, "/a?b=c")
		if g.Do(request+"set-"+name, r, 1, ptr, n) != 0 {
			t.Errorf("%s cannot be set", name)
		}
		if g.Do(request+name, r, 0); g.Bytes(0, 1) != "\x01" || g.List(4) != "/a?b=c" {
			t.Errorf("%s is %q", name, g.List(4))
		}
		for _, text := range []string{"/a b", "/\n", strings.Repeat("x", 2<<10+1)} {
			ptr, n := g.Put(100, text)
			if g.Do(request+"set-"+name, r, 1, ptr, n) != 1 {
				t.Errorf("%s may be %q", name, text)
			}
		}
		if g.Do(request+"set-"+name, r, 0, 0, 0) != 0 {
			t.Errorf("%s cannot be taken away", name)
		}
		if g.Do(request+name, r, 0); g.Bytes(0, 1) != "\x00" {
			t.Errorf("%s is still there", name)
		}
	}
	if g.Do(request+"scheme", r, 0); g.Bytes(0, 1) != "\x00" {
		t.Error("a scheme is there")
	}
	ptr, n := g.Put(100, "coap")
	if g.Do(request+"set-scheme", r, 1, 2, ptr, n) != 0 {
		t.Error("set-scheme")
	}
	g.Do(request+"scheme", r, 0)
	if g.Bytes(0, 1) != "\x01" || g.Bytes(4, 1) != "\x02" || g.List(8) != "coap" {
		t.Errorf("scheme %q", g.Bytes(0, 16))
	}
	if g.Do(request+"set-scheme", r, 0, 0, 0, 0) != 0 {
		t.Error("a scheme cannot be taken away")
	}
	if g.Do(request+"scheme", r, 0); g.Bytes(0, 1) != "\x00" {
		t.Error("the scheme is still there")
	}
}

func TestNoRequestGoesOut(t *testing.T) {
	g, _ := newGuest(t)
	for _, withOptions := range []uint64{0, 1} {
		r := g.Do("http/types#[constructor]outgoing-request", headers(t, g, "a", "b"))
		o := uint64(0)
		if withOptions == 1 {
			o = g.Do("http/types#[constructor]request-options")
		}
		g.Put(0, strings.Repeat("\xff", 40))
		g.Do("http/outgoing-handler#handle", r, withOptions, o, 0)
		if g.Bytes(0, 1) != errCase || g.Bytes(8, 1) != "\x0f" {
			t.Errorf("handle answers %q", g.Bytes(0, 16))
		}
		if _, err := g.Try(request+"method", r, 0); err == nil {
			t.Error("the request is still the guest's")
		}
		g, _ = newGuest(t)
	}
}

func TestBodies(t *testing.T) {
	g, _ := newGuest(t)
	for _, kind := range []string{"outgoing-request", "outgoing-response"} {
		of := g.Do("http/types#[constructor]"+kind, headers(t, g))
		g.Do("http/types#[method]"+kind+".body", of, 0)
		body := uint64(g.Uint32(4))
		if g.Bytes(0, 1) != okCase {
			t.Fatalf("%s has no body", kind)
		}
		if g.Do("http/types#[method]"+kind+".body", of, 0); g.Bytes(0, 1) != errCase {
			t.Errorf("%s has two bodies", kind)
		}
		g.Do("http/types#[method]outgoing-body.write", body, 0)
		stream := uint64(g.Uint32(4))
		if g.Bytes(0, 1) != okCase || write(g, stream, "text") != okCase {
			t.Fatalf("a body cannot be written")
		}
		if g.Do("http/types#[method]outgoing-body.write", body, 0); g.Bytes(0, 1) != errCase {
			t.Error("a body has two streams")
		}
		g.Do("http/types#[static]outgoing-body.finish", body, 1, headers(t, g, "a", "b"), 0)
		if g.Bytes(0, 1) != okCase {
			t.Error("finish fails")
		}
		if write(g, stream, "more") != errCase || g.Bytes(4, 1) != "\x01" {
			t.Error("a finished body can be written")
		}
		g.Do("io/streams#[method]output-stream.check-write", stream, 0)
		if g.Bytes(0, 1) != errCase || g.Bytes(8, 1) != "\x01" {
			t.Error("check-write says that a finished body can be written")
		}
	}
}

func TestAResponseIsMadeInMemory(t *testing.T) {
	g, _ := newGuest(t)
	r := g.Do("http/types#[constructor]outgoing-response", headers(t, g, "a", "b"))
	if g.Do(response+"status-code", r) != 200 {
		t.Error("the status is not 200")
	}
	if g.Do(response+"set-status-code", r, 404) != 0 || g.Do(response+"status-code", r) != 404 {
		t.Error("the status is not 404")
	}
	for _, bad := range []uint64{0, 99, 1000} {
		if g.Do(response+"set-status-code", r, bad) != 1 {
			t.Errorf("a status may be %d", bad)
		}
	}
	h := g.Do(response+"headers", r)
	if entries(g, h) != "a b" || set(g, h, "b", "c") != "\x01\x02" {
		t.Error("the headers of a response are not immutable")
	}
}

func TestRequestOptions(t *testing.T) {
	g, _ := newGuest(t)
	o := g.Do("http/types#[constructor]request-options")
	const method = "http/types#[method]request-options."
	for i, name := range []string{"connect", "first-byte", "between-bytes"} {
		if g.Do(method+name+"-timeout", o, 0); g.Bytes(0, 1) != "\x00" {
			t.Errorf("%s is there", name)
		}
		g.Do(method+"set-"+name+"-timeout", o, 1, uint64(7+i))
		g.Do(method+name+"-timeout", o, 0)
		if g.Bytes(0, 1) != "\x01" || g.Uint64(8) != uint64(7+i) {
			t.Errorf("%s is %d", name, g.Uint64(8))
		}
		g.Do(method+"set-"+name+"-timeout", o, 0, 5)
		if g.Do(method+name+"-timeout", o, 0); g.Bytes(0, 1) != "\x00" {
			t.Errorf("%s is still there", name)
		}
	}
}

// What a guest makes the host hold is bounded, and given back.
func TestWhatResourcesHoldIsBounded(t *testing.T) {
	g, _ := newGuest(t)
	large := strings.Repeat("x", 60<<10)
	for range 20 {
		f := headers(t, g, "a", large)
		r := g.Do("http/types#[constructor]outgoing-request", f)
		h := g.Do(request+"headers", r)
		g.Do("http/types#[resource-drop]outgoing-request", r)
		if _, bytes := g.State.Objects(); bytes < len(large) || bytes > 70<<10 {
			t.Fatalf("headers of %d bytes count %d", len(large), bytes)
		}
		g.Do("http/types#[resource-drop]fields", h)
	}
	if n, bytes := g.State.Objects(); n != 0 || bytes != 0 {
		t.Errorf("%d objects, %d bytes are left", n, bytes)
	}
	hold := func(more func(f uint64) error) string {
		t.Helper()
		g, _ = newGuest(t)
		f := headers(t, g, "a", large)
		for range 1000 {
			if err := more(f); err != nil {
				return err.Error()
			}
		}
		return "nothing"
	}
	clone := func(f uint64) error {
		_, err := g.Try(fields+"clone", f)
		return err
	}
	if got := hold(clone); !strings.Contains(got, "may hold 262144") {
		t.Error(got)
	}
	add := func(f uint64) error {
		ptr, n := g.Put(100, "a")
		_, err := g.Try(fields+"append", f, ptr, n, ptr, n, 0)
		return err
	}
	if got := hold(add); !strings.Contains(got, "may have 65536") {
		t.Error(got)
	}
}
