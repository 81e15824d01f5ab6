package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// admit gives c its session. Where CONNACK promises something that must outlive the kernel, a new
// session, the end of an old one, or a will, it waits for the Store; what the client sends
// meanwhile is held.
func (k *Kernel) admit(c *Conn, s *session, present, dropped bool) {
	h := c.hello
	c.state, c.sess, h.present = admitting, s, present
	k.attach(s, c, h)
	k.stats.SessionsConnected++
	fresh := s.num == 0 && !present && k.cfg.Durable && s.expiry != 0 &&
		c.lis.Durability != DurableMemory
	if fresh {
		s.num = k.number()
	}
	if will := s.will != nil && k.durable(s); !fresh && !dropped && !will {
		k.saveSession(s)
		k.welcome(c)
		return
	}
	k.flushOps()
	k.putSession(s)
	t := k.asks.put(ask{kind: askAdmit, conn: c})
	b := Batch{Ops: k.fan.ops, Relaxed: c.lis.Durability == DurableInterval}
	done := k.store.Write(t, &b) // behind what was written of an old one
	k.fan.ops, k.fan.opBuf, k.fan.bodyOf = k.fan.ops[:0], k.fan.opBuf[:0], nil
	if done {
		k.asks.take(t)
		k.welcome(c)
	}
}

// admitted is the answer of the Store.
func (k *Kernel) admitted(c *Conn, err error) {
	switch {
	case c.state != admitting:
	case err != nil:
		s, fresh := c.sess, !c.hello.present
		s.will = nil
		k.disconnect(c, mqtt.QuotaExceeded)
		if fresh && s.conn == nil && k.sessions[s.id()] == s {
			k.endSession(s, false) // the Store does not have it: nobody may find it here
		}
	default:
		k.welcome(c)
	}
}

// welcome lets c in: CONNACK, then what was held back, then what waits for it.
func (k *Kernel) welcome(c *Conn) {
	h, s := c.hello, c.sess
	c.state, c.hello = connected, nil
	if h.keepAlive != 0 {
		c.keep = uint32(h.keepAlive) * 1500
	}
	if h.grant.ExpiresIn != 0 {
		c.more().authUntil = k.now + Time(h.grant.ExpiresIn)*1000
	}
	c.seen = k.now
	k.watch(c)
	k.countShares(s)
	k.connack(c, h, h.present)
	if p := c.lis.Presence; p != nil {
		p.Came(c.who)
	}
	k.resume(s)
	k.replay(c, h.held)
}

// live is true if the session has a connection that was let in.
func (s *session) live() bool { return s.conn != nil && s.conn.state == connected }
