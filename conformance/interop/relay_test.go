package interop

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// relay stands between a client and the broker, so that a connection can be cut or go silent
// whatever the library is: no DISCONNECT, no close of TLS or WebSocket.
type relay struct {
	listener net.Listener
	broker   string
	silent   atomic.Bool

	mu    sync.Mutex
	isCut bool
	conns []net.Conn
}

// newRelay makes a relay before raw and answers the URL of its own door.
func newRelay(t *testing.T, raw string) (*relay, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := parse(t, raw)
	r := &relay{listener: l, broker: u.Host}
	go r.serve()
	t.Cleanup(r.cut)
	u.Host = l.Addr().String()
	return r, u.String()
}

func (r *relay) serve() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.broker)
		if err != nil {
			_ = near.Close()
			continue
		}
		r.join(near, far)
	}
}

func (r *relay) join(near, far net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isCut {
		_, _ = near.Close(), far.Close()
		return
	}
	r.conns = append(r.conns, near, far)
	go r.pipe(near, far)
	go r.pipe(far, near)
}

func (r *relay) pipe(to, from net.Conn) {
	_, _ = io.Copy(gag{to, &r.silent}, from)
	_, _ = to.Close(), from.Close()
}

// gag swallows what is written once silent is set.
type gag struct {
	to     io.Writer
	silent *atomic.Bool
}

func (g gag) Write(p []byte) (int, error) {
	if g.silent.Load() {
		return len(p), nil
	}
	return g.to.Write(p)
}

// lost says whether the client has lost the broker.
func (r *relay) lost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isCut || r.silent.Load()
}

// hush lets nothing more through, and neither side is told.
func (r *relay) hush() { r.silent.Store(true) }

// cut ends every connection at once and takes no more.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCut = true
	_ = r.listener.Close()
	for _, c := range r.conns {
		_ = c.Close()
	}
}
