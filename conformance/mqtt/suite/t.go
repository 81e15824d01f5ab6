package suite

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// T is one run of one case with one version. Its methods are for the goroutine of Case.Run, but for
// Go.
type T struct {
	run     *runner
	c       *Case
	version mqtt.Version
	target  *Target
	number  int // of the run, for names that nobody else has
	ctx     context.Context
	names   int

	mu      sync.Mutex // guards the rest
	clients []*Client
	log     transcript
	faults  []string
	errored bool // no verdict is possible
	refused bool // a CONNACK did not let the probe in
	skipped string
	traces
}

// stop is the panic by which a case ends early.
type stop struct{}

// Version is the protocol version to speak.
func (t *T) Version() mqtt.Version { return t.version }

// V5 is true for MQTT 5.0.
func (t *T) V5() bool { return t.version == mqtt.V5 }

// Server is what the target said of itself in the CONNACK of a 5.0 client. A server that knows no
// 5.0 is taken to have everything.
func (t *T) Server() *Server { return t.target.server }

// Options are what the user of the suite said.
func (t *T) Options() *Options { return t.run.opts }

// Transport is tcp, tls, ws, wss or unix.
func (t *T) Transport() string { return t.target.scheme() }

// Topic is a topic below a level that belongs to this run of the case. An empty suffix gives the
// level itself.
func (t *T) Topic(suffix string) string {
	base := fmt.Sprintf("hpmq-conformance/%s/%d", t.run.id, t.number)
	if suffix == "" {
		return base
	}
	return base + "/" + suffix
}

// ClientID is a client identifier that belongs to this run of the case: at most 23 letters and
// digits. The same suffix, at most 6 letters and digits, gives the same identifier.
func (t *T) ClientID(suffix string) string {
	return "c" + t.run.id + strconv.FormatInt(int64(t.number), 36) + "x" + suffix
}

// newClientID is a client identifier that no other call gave.
func (t *T) newClientID() string {
	t.names++
	return t.ClientID("n" + strconv.Itoa(t.names))
}

// Errorf notes a fault and goes on.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	t.faults = append(t.faults, text)
	t.log.note(text)
}

// Fatalf notes a fault and ends the case. Only for the goroutine of the case.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	panic(stop{})
}

// lost ends the case because there is no connection to judge by.
func (t *T) lost(err error) {
	t.mu.Lock()
	t.errored = true
	t.mu.Unlock()
	t.Fatalf("no connection: %v", err)
}

// Skipf ends the case without a verdict: the target does not offer what the case is about, and the
// standard lets it. Say what is missing.
func (t *T) Skipf(format string, args ...any) {
	t.mu.Lock()
	t.skipped = fmt.Sprintf(format, args...)
	t.mu.Unlock()
	panic(stop{})
}

// Note writes a line between the packets of the transcript.
func (t *T) Note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log.note(fmt.Sprintf(format, args...))
}

// Wait lets time pass, for statements about seconds. It ends early with the time limit of the case.
func (t *T) Wait(d time.Duration) {
	t.Note("%v pass", d)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.ctx.Done():
		t.Fatalf("the time limit of the case is over")
	}
}

// NeedQoS skips the case if the server does not offer the QoS.
func (t *T) NeedQoS(q mqtt.QoS) {
	if t.Server().QoSMax < q {
		t.Skipf("the server offers Maximum QoS %d", t.Server().QoSMax)
	}
}

// NeedRetain skips the case if the server has no retained messages.
func (t *T) NeedRetain() {
	if !t.Server().Retain {
		t.Skipf("the server offers no retained messages")
	}
}

// NeedWildcard skips the case if the server has no wildcard subscriptions.
func (t *T) NeedWildcard() {
	if !t.Server().Wildcard {
		t.Skipf("the server offers no wildcard subscriptions")
	}
}

// NeedShared skips the case if the server has no shared subscriptions.
func (t *T) NeedShared() {
	if !t.Server().Shared {
		t.Skipf("the server offers no shared subscriptions")
	}
}

// NeedIdentifiers skips the case if the server has no subscription identifiers.
func (t *T) NeedIdentifiers() {
	if !t.Server().Identifiers {
		t.Skipf("the server offers no subscription identifiers")
	}
}
