package broker

import (
	"math/bits"

	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

func splitFull(full string) (group, filter string, ok bool) {
	group, filter, shared, ok := topic.SplitShare(full)
	return group, filter, shared && ok
}

// forward sends m to the peers found to want it. A publisher's acknowledgement waits for theirs.
func (k *Kernel) forward(m *Message) {
	x := &k.match
	for set := x.peers; set != 0; set &= set - 1 {
		to := PeerID(bits.TrailingZeros64(set))
		f := append(k.wire[:0], peerMessage)
		f = k.part(appendUint(f, uint64(k.askPeer())))
		k.send(to, appendMessage(appendUint(f, k.fan.trace), m))
	}
	for _, p := range x.picks {
		k.sendShared(p, 0, m)
	}
}

func (k *Kernel) sendShared(p pick, hops uint64, m *Message) {
	f := append(k.wire[:0], peerShared)
	f = k.part(appendUint(f, uint64(k.askPeer())))
	f = appendUint(f, k.fan.trace)
	f = appendString(f, p.full)
	if k.fan.again {
		hops |= hopsAgain
	}
	f = appendUint(f, hops)
	k.send(p.peer, appendMessage(f, m))
}

// askPeer makes the publication at work wait for a peer; token 0 if nobody waits.
func (k *Kernel) askPeer() Token {
	pub := k.hold()
	if pub == nil {
		return 0
	}
	return k.asks.put(ask{kind: askPeer, pub: pub})
}

// relay sends what came for a session that was handed over after it.
func (k *Kernel) relay(s *session, t *target, m *Message) {
	f := append(k.wire[:0], peerRelay)
	f = k.part(appendUint(f, uint64(k.askPeer())))
	f = appendString(f, s.id())
	f = appendString(f, t.share)
	k.send(s.passage.moved.to, appendMessage(f, m))
}

func (k *Kernel) peerMessages(kind byte, from PeerID, r *reader) bool {
	t := Token(r.uint())
	group, share, careful := r.uint(), r.upTo(GroupWhole), r.bool()
	var id, full string
	hops, trace := uint64(0), uint64(0)
	switch kind {
	case peerRelay:
		id, full = r.string(), r.string()
	case peerShared:
		trace, full, hops = r.uint(), r.string(), r.upTo(hopsMax|hopsAgain)
	default:
		trace = r.uint()
	}
	m := &k.msg
	r.message(m)
	m.Trace = trace
	if !r.whole() {
		return false
	}
	k.begin(nil, 0)
	if t != 0 {
		k.fan.qos, k.fan.reply, k.fan.peer = mqtt.AtLeastOnce, t, from
	}
	k.fan.group, k.fan.share, k.fan.careful = group, share, careful
	k.fan.again, hops = hops&hopsAgain != 0, hops&^hopsAgain
	switch kind {
	case peerMessage:
		k.seen[from] = m.num
		k.arrived(m)
	case peerShared:
		k.arrivedShared(full, hops, m)
	default:
		k.relayed(id, full, m)
	}
	told := k.fan.verdict()
	if pub := k.end(); pub != nil {
		pub.reason = max(pub.reason, told)
	} else if t != 0 {
		k.sendAck(from, t, told)
	}
	return true
}

// arrived delivers a message of a peer to the members here.
func (k *Kernel) arrived(m *Message) {
	if m.Trace != 0 {
		k.traced(m, (*Kernel).arrived)
		return
	}
	x := &k.match
	x.found = k.subs.AppendMatches(x.found[:0], m.Topic)
	k.collect(m, false)
	k.newer.note(m)
	k.deliverAll(m)
}

// arrivedShared delivers to one member of a group. If all left since the peer drew us, the
// message is drawn again, a few times.
func (k *Kernel) arrivedShared(full string, hops uint64, m *Message) {
	if m.Trace != 0 {
		k.traced(m, func(k *Kernel, m *Message) { k.arrivedShared(full, hops, m) })
		return
	}
	x := &k.match
	x.targets, x.picks, x.peers = x.targets[:0], x.picks[:0], 0
	g := k.groupOf(full)
	if g != nil && !k.drawHere(g, m) && hops < hopsMax {
		k.draw(g, m)
		for _, p := range x.picks {
			k.sendShared(p, hops+1, m)
		}
	}
	k.deliverAll(m)
}
