package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// Frames between kernels start with one of these.
const (
	peerAdded    byte = iota + 1 // token, filter: I have members of it
	peerRemoved                  // filter: no more
	peerGroup                    // token, full filter, connected, all: my members of a group
	peerAck                      // token, reason: what you sent under token is done
	peerMessage                  // token, message: for your members
	peerShared                   // token, full filter, hops, message: for one of your members
	peerClaim                    // token, client id, clean: to the home: I want this session
	peerGranted                  // token, client id: it is yours, nobody else has it
	peerRelease                  // token, client id, clean, peer: from the home: give it to peer
	peerHandover                 // token, client id, present, session: here it is
	peerDone                     // client id: to the home: I have it
	peerGone                     // client id: to the home: it ended
	peerMove                     // client id, former owner: I have it, tell the former you know
	peerFence                    // client id: to both owners: nothing of before follows from me
	peerSync                     // client id: from the new owner: send me a fence
	peerLast                     // client id: from the former owner: nothing follows from me
	peerRelay                    // token, client id, full filter or "", message: came for it here
)

// hopsMax bounds how often a message for a group is passed on because its members left.
const hopsMax = 4

// hopsAgain in the number says that the message is of an estate.
const hopsAgain = 8

// Peer takes in a frame of another kernel; frame is borrowed until return. A frame that cannot be
// read is dropped and counted.
func (k *Kernel) Peer(now Time, from PeerID, frame []byte) {
	k.at(now)
	r := reader{b: frame, from: &k.from}
	kind := byte(r.uint())
	var ok bool
	switch kind {
	case peerAdded, peerRemoved, peerGroup, peerAck:
		ok = k.peerInterest(kind, from, &r)
	case peerMessage, peerShared, peerRelay:
		ok = k.peerMessages(kind, from, &r)
	case peerClaim, peerGranted, peerDone, peerGone:
		ok = k.peerClaims(kind, from, &r)
	case peerRelease, peerHandover, peerMove, peerFence, peerSync, peerLast:
		ok = k.peerSessions(kind, from, &r)
	}
	if !ok {
		k.stats.BadFrames++
	}
	k.flushOps()
}

// send gives the frame under construction to peer.
func (k *Kernel) send(to PeerID, frame []byte) {
	k.wire = frame[:0]
	if k.behind.on {
		k.behind.frames = append(k.behind.frames, frame...)
		k.behind.list = append(k.behind.list, sending{to, len(k.behind.frames)})
		return
	}
	k.peers.Send(to, frame)
}

// behind are frames that go out behind the write of the publication at work. It changes what is
// retained: a peer that had the message before the Store was asked to keep it could read for
// somebody who has just subscribed what it replaces, and never show the message itself.
type behind struct {
	on     bool
	frames []byte
	list   []sending
}

type sending struct {
	to  PeerID
	end int // in frames
}

// sendBehind sends them.
func (k *Kernel) sendBehind() {
	x := &k.behind
	if !x.on {
		return
	}
	x.on = false
	from := 0
	for _, f := range x.list {
		k.peers.Send(f.to, x.frames[from:f.end])
		from = f.end
	}
	x.frames, x.list = x.frames[:0], x.list[:0]
	if cap(x.frames) > pageBytes {
		x.frames = nil
	}
}

// others calls visit for every other kernel.
func (k *Kernel) others(visit func(PeerID)) {
	for p := range k.cfg.Peers {
		if PeerID(p) != k.cfg.Self {
			visit(PeerID(p))
		}
	}
}

func (k *Kernel) sendAck(to PeerID, t Token, r mqtt.ReasonCode) {
	f := append(k.wire[:0], peerAck)
	f = appendUint(f, uint64(t))
	k.send(to, append(f, byte(r)))
}
