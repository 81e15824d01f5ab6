package shard

import (
	"context"
	"log/slog"
	"time"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// shard is one loop's kernel. It is the gate.Handler of the loop: each call goes to the kernel as
// it is, for a gate.Conn is a broker.Sink.
type shard struct {
	all    *Shards
	loop   int
	gate   *gate.Gate
	kernel *broker.Kernel
	box    mailbox
	work   func(now int64) // deliver, made once
	ticks  int
	told   uint64 // box.over when it was last logged
	lost   error  // what the gate says of the connection that ends next
}

func newShard(all *Shards, loop int) *shard {
	sh := &shard{all: all, loop: loop}
	sh.box.soft = all.cfg.MailboxBytesMax
	sh.work = sh.deliver
	return sh
}

// Open is gate.Handler.
func (sh *shard) Open(now int64, c *gate.Conn) {
	l := c.Listener().(*entry).kernel[sh.loop]
	kc := sh.kernel.Open(broker.Time(now), l, c.Address(), c)
	if subject := c.CertificateSubject(); subject != "" {
		kc.SetCertificateSubject(subject)
	}
	c.Data = kc
}

// Packet is gate.Handler.
func (sh *shard) Packet(now int64, c *gate.Conn, frame []byte) {
	sh.kernel.Packet(broker.Time(now), c.Data.(*broker.Conn), frame)
}

// Malformed is gate.Handler.
func (sh *shard) Malformed(now int64, c *gate.Conn, err *mqtt.Error) {
	sh.lost = err
	sh.kernel.Malformed(broker.Time(now), c.Data.(*broker.Conn), err)
	sh.lost = nil
}

// Writable is gate.Handler.
func (sh *shard) Writable(now int64, c *gate.Conn) {
	sh.kernel.Writable(broker.Time(now), c.Data.(*broker.Conn))
}

// Closed is gate.Handler. A connection whose Open panicked has no kernel's side.
func (sh *shard) Closed(now int64, c *gate.Conn, err error) {
	if kc, ok := c.Data.(*broker.Conn); ok {
		sh.lost = err
		sh.kernel.Closed(broker.Time(now), kc)
		sh.lost = nil
	}
}

// ended says why a connection is over, to those who want to know of each.
func (sh *shard) ended(who *broker.Identity, why string) {
	err := sh.lost
	sh.lost = nil // the will of this one may end others
	ctx := context.Background()
	if !sh.all.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	list := []slog.Attr{
		slog.String("client", who.ClientID), slog.String("address", who.Address),
		slog.String("listener", who.Listener), slog.String("reason", why),
	}
	if err != nil {
		list = append(list, slog.Any("err", err))
	}
	sh.all.log.LogAttrs(ctx, slog.LevelDebug, "shard: a connection ended", list...)
}

// Tick is gate.Handler.
func (sh *shard) Tick(now int64) {
	sh.ticks++
	if sh.ticks%trimTicks == 0 {
		sh.box.trim()
		sh.warn()
		sh.kernel.Storms(sh.warnOf)
	}
	sh.kernel.Tick(broker.Time(now))
}

// warn says that the mailbox was over its limit since the last time it was said.
func (sh *shard) warn() {
	over := sh.box.overs()
	if over == sh.told {
		return
	}
	sh.all.log.Warn("shard: a mailbox is over its limit", "loop", sh.loop,
		"frames", over-sh.told, "bytes max", sh.box.soft)
	sh.told = over
}

// warnOf says that clients throw each other out.
func (sh *shard) warnOf(s broker.Storm) {
	sh.all.log.Warn("shard: several clients use one client id and throw each other out; give each "+
		"its own", "client", s.ClientID, "address", s.Address, "listener", s.Listener,
		"take-overs", s.TakeOvers)
}

// deliver hands the frames that wait to the kernel. If the kernel panics at one, the gate logs it
// and the rest is delivered in the next turn.
func (sh *shard) deliver(now int64) { sh.deliverUntil(now, time.Time{}) }

// deliverUntil is deliver while others stand: what it does not come to before end, unless that is
// zero, is delivered in the next turn too. A mailbox holds what takes seconds.
func (sh *shard) deliverUntil(now int64, end time.Time) {
	defer func() {
		if sh.box.left() {
			sh.gate.Do(sh.loop, sh.work)
		}
	}()
	sh.box.take()
	for {
		if !end.IsZero() && sh.box.left() && time.Now().After(end) {
			return
		}
		from, frame, ok := sh.box.next()
		if !ok {
			sh.box.rest()
			return
		}
		sh.kernel.Peer(broker.Time(now), from, frame)
	}
}

// port is broker.Peers for one kernel.
type port struct {
	all  *Shards
	self broker.PeerID
}

// Send is broker.Peers.
func (p *port) Send(to broker.PeerID, frame []byte) {
	sh := p.all.shards[to]
	if sh.box.put(p.self, frame) {
		sh.gate.DoAfter(int(p.self), int(to), sh.work)
	}
}
