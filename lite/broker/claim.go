package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// Every client id has a home: the kernel that its hash names. The home knows who has the session
// and hands it out to one claimant after the other, so that however many connections come in
// under one client id at once, in whatever kernels, the session is in one place at a time.

// claimant is a connection somewhere that wants the session.
type claimant struct {
	peer  PeerID
	t     Token
	clean bool
}

func (k *Kernel) homeOf(id string) PeerID {
	return Home(id, k.cfg.Peers)
}

// claim asks for the session of c's client. A kernel alone has it if there is one.
func (k *Kernel) claim(c *Conn) {
	id := c.who.ClientID
	if k.cfg.Peers == 1 {
		k.claimed(c)
		return
	}
	cl := claimant{k.cfg.Self, k.asks.put(ask{kind: askClaim, conn: c, id: id}), c.hello.clean}
	k.claims[id]++
	if home := k.homeOf(id); home != k.cfg.Self {
		f := append(k.wire[:0], peerClaim)
		f = appendUint(f, uint64(cl.t))
		k.send(home, appendBool(appendString(f, id), cl.clean))
		return
	}
	k.homeClaim(id, cl)
}

// claimed lets c in: the session, if there is one, is here. One more than SessionsMax is refused:
// nobody's session is thrown out for a stranger.
func (k *Kernel) claimed(c *Conn) {
	s := k.sessions[c.who.ClientID]
	if s == nil && len(k.sessions) >= k.cfg.SessionsMax {
		k.stats.SessionsRefused++
		k.disconnect(c, mqtt.QuotaExceeded)
		k.gone(c.who.ClientID)
		return
	}
	dropped := false
	if s != nil {
		ends := c.hello.clean || s.conn != nil && s.expiry == 0
		if s.asleep && !ends {
			k.wake(s, c)
			return
		}
		k.takeOver(s, ends)
		if ends {
			dropped = s.num != 0
			k.forget(s) // [MQTT-3.1.2-4]
			s = nil
		}
	}
	if s == nil {
		k.admit(c, k.newSession(c), false, dropped)
		return
	}
	k.admit(c, s, true, false)
}

// homeClaim is a claim that came to its home.
func (k *Kernel) homeClaim(id string, cl claimant) {
	owner, known := k.home[id]
	if !known && k.sessions[id] != nil {
		// Restored here, and never claimed since. To note each would take a third of the table.
		owner, known = k.cfg.Self, true
		k.home[id] = owner
	}
	wait, moves := k.moves[id]
	switch {
	case !known:
		k.home[id] = cl.peer
		k.grant(id, cl)
	case moves:
		k.moves[id] = append(wait, cl)
	case owner == cl.peer:
		k.grant(id, cl)
	default:
		k.moves[id] = nil
		k.order(id, owner, release{to: cl.peer, t: cl.t, clean: cl.clean})
	}
}

// grant tells a claimant that the session, if there is one, is its own.
func (k *Kernel) grant(id string, cl claimant) {
	if cl.peer == k.cfg.Self {
		k.onGranted(id, cl.t)
		return
	}
	f := append(k.wire[:0], peerGranted)
	k.send(cl.peer, appendString(appendUint(f, uint64(cl.t)), id))
}

// order tells the owner to hand the session over.
func (k *Kernel) order(id string, to PeerID, r release) {
	if to == k.cfg.Self {
		k.onRelease(id, r)
		return
	}
	f := append(k.wire[:0], peerRelease)
	f = appendUint(f, uint64(r.t))
	f = appendBool(appendString(f, id), r.clean)
	k.send(to, appendUint(f, uint64(r.to)))
}

// homeDone is the end of a hand-over; who waited goes on.
func (k *Kernel) homeDone(id string, from PeerID) {
	if _, known := k.home[id]; !known {
		return
	}
	wait := k.moves[id]
	delete(k.moves, id)
	k.home[id] = from
	for i, cl := range wait {
		k.homeClaim(id, cl)
		if next, moves := k.moves[id]; moves {
			k.moves[id] = append(next, wait[i+1:]...)
			return
		}
	}
}

// homeGone is the end of a session, if who says so still has it.
func (k *Kernel) homeGone(id string, from PeerID) {
	owner, known := k.home[id]
	if _, moves := k.moves[id]; known && !moves && owner == from {
		delete(k.home, id)
	}
}

// gone tells the home that nothing of id is here any more. With a claim or a hand-over under way
// something is, or will be.
func (k *Kernel) gone(id string) {
	if k.cfg.Peers == 1 || k.claims[id] > 0 || k.arrivals[id] != nil || k.sessions[id] != nil {
		return
	}
	if home := k.homeOf(id); home != k.cfg.Self {
		k.send(home, appendString(append(k.wire[:0], peerGone), id))
		return
	}
	k.homeGone(id, k.cfg.Self)
}

// onGranted is the answer to a claim: the session, if there is one, is here.
func (k *Kernel) onGranted(id string, t Token) {
	a, ok := k.asks.take(t)
	if !ok || a.kind != askClaim {
		return
	}
	k.unclaim(id)
	if a.conn.state != claiming {
		k.gone(id)
		return
	}
	k.claimed(a.conn)
}

func (k *Kernel) unclaim(id string) {
	if k.claims[id]--; k.claims[id] <= 0 {
		delete(k.claims, id)
	}
}

func (k *Kernel) peerClaims(kind byte, from PeerID, r *reader) bool {
	t := Token(0)
	if kind == peerClaim || kind == peerGranted {
		t = Token(r.uint())
	}
	id := r.string()
	clean := kind == peerClaim && r.bool()
	if !r.whole() {
		return false
	}
	switch kind {
	case peerClaim:
		k.homeClaim(id, claimant{from, t, clean})
	case peerGranted:
		k.onGranted(id, t)
	case peerDone:
		k.homeDone(id, from)
	default:
		k.homeGone(id, from)
	}
	return true
}
