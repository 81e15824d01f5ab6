package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// Interest: every kernel knows of every filter which peers have members of it, so that a message
// crosses only where it is wanted. A SUBACK waits until all peers know: a message published after
// it anywhere reaches the subscriber.

// tellAdded tells every peer that a has members here; sg, if there is one, waits for their
// answers. Who subscribes while answers are outstanding waits like the first.
func (k *Kernel) tellAdded(a *audience, sg *subscribing) {
	k.others(func(p PeerID) {
		if k.restoring {
			k.send(p, appendString(appendUint(append(k.wire[:0], peerAdded), 0), a.filter))
			return
		}
		a.telling++
		if sg != nil {
			sg.wait++
		}
		t := k.asks.put(ask{kind: askAdded, sub: sg, aud: a})
		f := appendUint(append(k.wire[:0], peerAdded), uint64(t))
		k.send(p, appendString(f, a.filter))
	})
}

func (k *Kernel) tellRemoved(filter string) {
	k.others(func(p PeerID) {
		k.send(p, appendString(append(k.wire[:0], peerRemoved), filter))
	})
}

// tellGroup tells every peer how many members g has here.
func (k *Kernel) tellGroup(g *group, sg *subscribing) {
	if k.cfg.Peers == 1 {
		return
	}
	full, online, all := g.full(), g.online(), len(g.members)
	k.others(func(p PeerID) {
		f := append(k.wire[:0], peerGroup)
		f = appendUint(f, uint64(k.askAdded(sg)))
		f = appendString(f, full)
		f = appendUint(f, uint64(online))
		k.send(p, appendUint(f, uint64(all)))
	})
}

// askAdded answers a token to be acknowledged, 0 if nobody waits.
func (k *Kernel) askAdded(sg *subscribing) Token {
	if sg == nil {
		return 0
	}
	sg.wait++
	return k.asks.put(ask{kind: askAdded, sub: sg})
}

func (k *Kernel) peerInterest(kind byte, from PeerID, r *reader) bool {
	t := Token(0)
	if kind != peerRemoved {
		t = Token(r.uint())
	}
	if kind == peerAck {
		reason := mqtt.ReasonCode(r.byte())
		return r.whole() && k.acked(t, reason)
	}
	full := r.string()
	online, all := 0, 0
	if kind == peerGroup {
		online, all = int(r.upTo(1<<31-1)), int(r.upTo(1<<31-1))
	}
	if !r.whole() {
		return false
	}
	switch kind {
	case peerAdded:
		k.far(full, 1<<from, 0)
	case peerRemoved:
		k.far(full, 0, 1<<from)
	default:
		k.farGroup(full, farMembers{from, online, all})
	}
	if t != 0 {
		k.sendAck(from, t, mqtt.Success)
	}
	return true
}

// acked ends what was waited for under t.
func (k *Kernel) acked(t Token, r mqtt.ReasonCode) bool {
	a, ok := k.asks.take(t)
	switch {
	case ok && a.kind == askAdded:
		if a.aud != nil {
			a.aud.telling--
		}
		if a.sub != nil {
			k.subSettle(a.sub, r)
		}
	case ok && a.kind == askPeer:
		k.settle(a.pub, r)
	}
	return ok
}

// audience answers that of filter, made if it is not there. Members may join it.
func (k *Kernel) audience(filter string) *audience {
	at := k.subs.Place(filter)
	a := *at
	if a != nil && a.filter != "" {
		return a
	}
	// Most have one member.
	x := &struct {
		audience
		first [1]*subscription
	}{}
	x.filter, x.members = filter, x.first[:0]
	if a != nil {
		x.peers = a.peers
	}
	*at = &x.audience
	return *at
}

// far notes that more peers have members of filter, and less have not. All filters that are wanted
// by the same peers and by nobody here have one audience, without a name: it never changes.
func (k *Kernel) far(filter string, more, less uint64) {
	at := k.subs.Place(filter)
	a, peers := *at, more
	if a != nil {
		peers |= a.peers &^ less
	}
	switch {
	case a != nil && a.filter != "":
		if a.peers = peers; a.empty() {
			k.subs.Delete(filter)
		}
	case peers == 0:
		k.subs.Delete(filter)
	default:
		*at = k.abroadOf(peers)
	}
}

func (k *Kernel) abroadOf(peers uint64) *audience {
	a := k.abroad[peers]
	if a == nil {
		a = &audience{peers: peers}
		k.abroad[peers] = a
	}
	return a
}

func (k *Kernel) farGroup(full string, f farMembers) {
	name, filter, ok := splitFull(full)
	if !ok {
		return
	}
	a := k.audience(filter)
	if g := k.group(a, name, nil); g != nil {
		g.setFar(f)
		a.prune(g)
	}
	if a.empty() {
		k.subs.Delete(filter)
	}
}
