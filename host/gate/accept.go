package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// Backoff of accept when the system gives nothing: no descriptors, no memory. What waits stays in
// the backlog.
const (
	backoffMin = 5 * time.Millisecond
	backoffMax = time.Second
)

// arrival is a connection on its way from accept to its loop:
//
//	accept → [PROXY header] → [TLS handshake] → enrol
//
// What waits for the peer runs in a goroutine of the arrival, with a deadline and a place in the
// lobby; an arrival that waits for nothing is enrolled by the goroutine that accepted it.
type arrival struct {
	terms *terms
	nc    net.Conn
	peer  netip.Addr // who connects, as far as it is known by now
	pile  *pile      // nil: nothing was learned, nothing stands above the socket
	seat  *seat      // nil: it waits for nothing
}

func (ln *listener) accept() {
	defer close(ln.done)
	defer ln.arrivals.Wait()
	defer ln.cancel()
	var wait time.Duration
	for ln.pace() {
		c, err := ln.sock.Accept()
		if err == nil {
			wait = 0
			ln.connected()
			ln.admit(c)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		ln.complain("accept", err)
		wait = min(max(2*wait, backoffMin), backoffMax)
		if !ln.pause(wait) {
			return
		}
	}
}

// pace waits until the rate allows to accept one more; false means that the listener was closed.
func (ln *listener) pace() bool {
	for {
		rate := ln.terms.Load().cfg.Limits.ConnectsPerSecond
		if rate == 0 {
			return true
		}
		wait := ln.connects.wait(ln.g.cfg.Now()*milli, price(1, rate))
		if wait == 0 {
			return true
		}
		if !ln.pause(time.Duration(wait + milli - wait%milli)) {
			return false
		}
	}
}

// connected pays for a connection that was accepted.
func (ln *listener) connected() {
	if rate := ln.terms.Load().cfg.Limits.ConnectsPerSecond; rate > 0 {
		ln.connects.pay(ln.g.cfg.Now()*milli, price(1, rate))
	}
}

// pause waits; false means that the listener was closed.
func (ln *listener) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ln.stop:
		return false
	case <-t.C:
		return true
	}
}

// complain counts an error of the system and logs it now and then.
func (ln *listener) complain(verb string, err error) {
	ln.g.count.acceptErrors.Add(1)
	if held, ok := ln.trouble.pass(time.Now()); ok {
		ln.g.log.Warn("gate: "+verb, "listener", ln.name, "err", err, "not logged", held)
	}
}

// admit takes a new socket in, or refuses it.
func (ln *listener) admit(nc net.Conn) {
	if ln.connections.Load() >= int64(ln.terms.Load().cfg.Limits.ConnectionsMax) {
		ln.refuse(nc, nc.RemoteAddr().String(), "connections max")
		return
	}
	t := ln.hold()
	a := &arrival{terms: t, nc: nc, peer: addrOf(nc.RemoteAddr())}
	if !a.waits() {
		a.enrol()
		return
	}
	a.seat = &seat{socket: nc, source: sourceOf(a.peer)}
	loser, ok := ln.lobby.enter(a.seat, t.waitingMax())
	if !ok {
		ln.refuse(nc, a.who(), crowded)
		t.release()
		return
	}
	if loser != nil { // its goroutine sees to the rest
		ln.refuse(loser.socket, loser.source.Addr().String(), crowded)
	}
	ln.arrivals.Add(1)
	go func() {
		defer ln.arrivals.Done()
		defer ln.lobby.leave(a.seat)
		a.welcome(ln.ctx)
	}()
}

const crowded = "too many are connecting at once"

// refuse closes a connection that is one too many.
func (ln *listener) refuse(nc io.Closer, who, why string) {
	ln.refused.Add(1)
	ln.g.count.refused.Add(1)
	if held, ok := ln.full.pass(time.Now()); ok {
		ln.g.log.Warn("gate: a connection was refused", "listener", ln.name, "why", why,
			"peer", who, "not logged", held)
	}
	_ = nc.Close()
}

// waits is true if the peer must say something before the loop gets the connection.
func (a *arrival) waits() bool { return a.terms.cfg.TLS != nil || a.proxied() }

// proxied is true if a comes from a proxy that must say for whom.
func (a *arrival) proxied() bool { return a.terms.cfg.Proxy.trusts(a.nc, a.peer) }

// welcome waits for what the peer must say, then enrols it. The end of ctx closes its socket.
func (a *arrival) welcome(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = a.nc.Close() })
	ok := !a.proxied() || a.introduce()
	ok = ok && (a.terms.cfg.TLS == nil || a.secure())
	ok = a.terms.lobby.settle(a.seat) && ok
	if !stop() || !ok {
		_ = a.nc.Close()
		a.terms.release()
		return
	}
	a.enrol()
}

// who is the peer in a log.
func (a *arrival) who() string {
	if a.pile != nil && a.pile.address != "" {
		return a.pile.address
	}
	return a.nc.RemoteAddr().String()
}

// learn answers the pile of a, which few have.
func (a *arrival) learn() *pile {
	if a.pile == nil {
		a.pile = &pile{}
	}
	return a.pile
}

// enrol gives the socket to the loop with the fewest connections. It waits for that loop: a busy
// one slows the listener down, not its memory up.
func (a *arrival) enrol() {
	ln := a.terms
	l := ln.g.loops[0]
	for _, m := range ln.g.loops[1:] {
		if m.conns.Load() < l.conns.Load() {
			l = m
		}
	}
	if ln.cfg.newStage != nil {
		a.learn().put(ln.cfg.newStage())
	}
	if ln.cfg.Codec != nil {
		if codec := ln.cfg.Codec(l.index); codec != nil {
			a.learn().put(&codecStage{codec: codec})
		}
	}
	c := &Conn{loop: l, ln: ln, pile: a.pile}
	ln.accepted.Add(1)
	ln.g.count.accepted.Add(1)
	l.conns.Add(1)
	// EnrollContext returns when OnOpen did, so entered is safe to read. It closes nc: the socket
	// goes on as a duplicate.
	if _, err := l.client.EnrollContext(a.nc, c); err != nil || !c.entered {
		ln.complain("enrol", err)
		l.conns.Add(-1)
		ln.release()
	}
}
