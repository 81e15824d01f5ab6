package registry

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/registry"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// plain is a registry without the referrers API. It is for one client after another and for
// several at once.
type plain struct {
	// conditions are kept, or refused whatever they say.
	conditions, refuses bool
	// forgets drops every list that is written.
	forgets bool

	mu     sync.Mutex
	kept   map[string][]byte // by digest, or tag
	writes int               // of lists
}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case strings.Contains(r.URL.Path, "/referrers/"):
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPost:
		w.Header().Set("Location", "/v2/b/blobs/uploads/1")
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut:
		p.put(w, r, name)
	default:
		p.get(w, r, name)
	}
}

func (p *plain) put(w http.ResponseWriter, r *http.Request, name string) {
	b, _ := io.ReadAll(r.Body)
	if list := strings.HasPrefix(name, "sha256-"); list {
		if have := r.Header.Get("If-Match"); have != "" && p.conditions && have != p.tag(name) ||
			r.Header.Get("If-None-Match") == "*" && p.conditions && p.tag(name) != "" ||
			r.Header.Get("If-None-Match")+have != "" && p.refuses {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		p.writes++
		if !p.forgets {
			p.kept[name] = b
		}
	} else if !strings.HasPrefix(name, "sha256:") {
		p.kept[name] = b
	}
	p.kept[string(oci.DigestOf(b))] = b
	w.Header().Set("Docker-Content-Digest", string(oci.DigestOf(b)))
	w.WriteHeader(http.StatusCreated)
}

// tag is the entity tag of what is kept by a name.
func (p *plain) tag(name string) string {
	if b, ok := p.kept[name]; ok {
		return `"` + string(oci.DigestOf(b)) + `"`
	}
	return ""
}

func (p *plain) get(w http.ResponseWriter, r *http.Request, name string) {
	b, ok := p.kept[name]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var m struct{ MediaType string }
	_ = json.Unmarshal(b, &m)
	w.Header().Set("Content-Type", m.MediaType)
	w.Header().Set("Docker-Content-Digest", string(oci.DigestOf(b)))
	if p.conditions || p.refuses {
		w.Header().Set("ETag", p.tag(name))
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
}

func (p *plain) serve(t *testing.T) (ref string) {
	t.Helper()
	p.kept = map[string][]byte{}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/b:tag"
}

// held does something before the first list it writes, and something after it.
type held struct {
	before, after func()
	once          sync.Once
}

func (h *held) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut || !listPath.MatchString(r.URL.Path) {
		return http.DefaultTransport.RoundTrip(r)
	}
	first := false
	h.once.Do(func() { first = true })
	if first {
		h.before()
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if first {
		h.after()
	}
	return a, err
}

// signed pushes the same bundle as everybody, with a signature of its own.
func signed(t *testing.T, c *Client, ref string) error {
	t.Helper()
	l, d := build(t, "acme-router", "1.0.0")
	attach(t, l, d, generate(t))
	_, err := c.Push(t.Context(), l, d, ref)
	return err
}

// waiting is a client whose clock is the test's.
func waiting(t *testing.T, h http.RoundTripper, wait func()) *Client {
	t.Helper()
	c := client(t, func(c *Config) { c.Transport = h })
	c.wait = func(ctx context.Context, _ time.Duration) error { wait(); return ctx.Err() }
	return c
}

// both pushes two signatures at once: both read the list, the second writes it, then the first.
func both(t *testing.T, ref string) {
	t.Helper()
	firstRead, secondWrote, firstWrote := make(chan struct{}), make(chan struct{}),
		make(chan struct{})
	firstEnded, secondEnded := make(chan struct{}), make(chan struct{})
	first := waiting(t, &held{
		before: func() {
			close(firstRead)
			select {
			case <-secondWrote:
			case <-secondEnded: // it never came to that: its error says why
			}
		},
		after: func() { close(firstWrote) },
	}, func() {})
	second := waiting(t, &held{
		before: func() {
			select {
			case <-firstRead:
			case <-firstEnded:
			}
		},
		after: func() { close(secondWrote) },
	}, func() {
		select {
		case <-firstWrote:
		case <-firstEnded:
		}
	})
	done := make(chan error, 1)
	go func() {
		defer close(secondEnded)
		done <- signed(t, second, ref)
	}()
	if err := signed(t, first, ref); err != nil {
		t.Error("first:", err)
	}
	close(firstEnded)
	if err := <-done; err != nil {
		t.Error("second:", err)
	}
	if n := brought(t, ref); n != 2 {
		t.Errorf("%d signatures are listed; want 2", n)
	}
}

// brought counts the signatures that come with a bundle.
func brought(t *testing.T, ref string) int {
	t.Helper()
	l, d, err := client(t, nil).Pull(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sign.Envelopes(l, d)
	if err != nil {
		t.Fatal(err)
	}
	return len(got)
}

// Of two who sign at once neither is lost, where the list of signatures is behind a tag.
func TestTwoSignAtOnce(t *testing.T) {
	both(t, (&plain{}).serve(t))
}

func TestTwoSignAtOnceInARegistry(t *testing.T) {
	both(t, registry.Start(t, false).Addr+"/acme/router:1.0.0")
}

// Where the registry keeps conditions, who would write over another is told.
func TestListIsWrittenOnCondition(t *testing.T) {
	p := &plain{conditions: true}
	ref := p.serve(t)
	second := waiting(t, http.DefaultTransport, func() {})
	first := waiting(t, &held{before: func() {
		if err := signed(t, second, ref); err != nil {
			t.Error("second:", err)
		}
	}, after: func() {}}, func() {})
	if err := signed(t, first, ref); err != nil {
		t.Error("first:", err)
	}
	if n := brought(t, ref); n != 2 || p.writes != 2 {
		t.Errorf("%d signatures, written %d times; want 2, 2", n, p.writes)
	}
}

// tired is out of order for the first list that is put, while somebody else does something.
type tired struct {
	*plain
	meanwhile func()
	rested    bool
}

func (r *tired) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if !r.rested && q.Method == http.MethodPut && listPath.MatchString(q.URL.Path) {
		r.rested = true
		r.meanwhile()
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.plain.ServeHTTP(w, q)
}

// What is put again after a 503 is put on the same condition: somebody else signed in between.
func TestListIsPutAgainOnCondition(t *testing.T) {
	r := &tired{plain: &plain{conditions: true, kept: map[string][]byte{}}}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	ref := strings.TrimPrefix(s.URL, "http://") + "/b:tag"
	first := waiting(t, http.DefaultTransport, func() {})
	second := waiting(t, http.DefaultTransport, func() {})
	r.meanwhile = func() {
		if err := signed(t, second, ref); err != nil {
			t.Error("second:", err)
		}
	}
	if err := signed(t, first, ref); err != nil {
		t.Error("first:", err)
	}
	if n := brought(t, ref); n != 2 {
		t.Errorf("%d signatures; want 2", n)
	}
}

// A registry that refuses every condition gets the list without one.
func TestConditionsThatAreRefused(t *testing.T) {
	ref := (&plain{refuses: true}).serve(t)
	for n := range 3 {
		if err := signed(t, waiting(t, http.DefaultTransport, func() {}), ref); err != nil {
			t.Fatal(err)
		}
		if got := brought(t, ref); got != n+1 {
			t.Errorf("%d signatures; want %d", got, n+1)
		}
	}
}

// A registry that keeps no list is not asked for ever.
func TestListThatIsNotKept(t *testing.T) {
	p := &plain{forgets: true}
	ref, waits := p.serve(t), 0
	err := signed(t, waiting(t, http.DefaultTransport, func() { waits++ }), ref)
	if err == nil || !strings.Contains(err.Error(), "to do: push again") ||
		p.writes != settleRoundsMax || waits != settleRoundsMax-1 {
		t.Errorf("%v; %d writes, %d waits", err, p.writes, waits)
	}
	if _, ok := p.kept["tag"]; ok {
		t.Error("the tag was moved to a bundle whose signature is lost")
	}
}

// forgetful does not know, for some manifests that are put, what they list.
type forgetful struct {
	*plain
	left int
}

func (r *forgetful) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method == http.MethodPut && strings.Contains(q.URL.Path, "/manifests/") && r.left > 0 {
		r.left--
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}`)
		return
	}
	r.plain.ServeHTTP(w, q)
}

// TestWhatARegistryForgetsForAMomentIsPushedAgain, and not for ever.
func TestWhatARegistryForgetsForAMomentIsPushedAgain(t *testing.T) {
	for left, good := range map[int]bool{1: true, triesMax - 1: true, triesMax: false} {
		r := &forgetful{&plain{kept: map[string][]byte{}}, left}
		s := httptest.NewServer(r)
		err := signed(t, waiting(t, http.DefaultTransport, func() {}),
			strings.TrimPrefix(s.URL, "http://")+"/b:tag")
		s.Close()
		if good != (err == nil) {
			t.Errorf("forgot %d times: %v", left, err)
		}
	}
}
