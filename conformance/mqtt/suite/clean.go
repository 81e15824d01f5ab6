package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// cleanTimeout bounds the cleaning after one case, and that after a run.
const cleanTimeout = 5 * time.Second

// unwholeMax bounds what is kept of a packet that a client sends in parts.
const unwholeMax = 1 << 20

// traces are what a case may have left in the server, by what it sent.
type traces struct {
	sessions map[string]mqtt.Connect
	retained map[string]bool
}

// trail is what one connection sent, as far as it matters for traces.
type trail struct {
	version mqtt.Version
	unwhole []byte            // of a packet whose end was not sent yet
	aliases map[uint16]string // that the client set
	connect *mqtt.Connect     // that asked for a session that stays
}

// saw looks through bytes that a client sends for whole packets that leave something behind. What
// is no packet ends the search: the server will see none either.
func (tr *traces) saw(l *trail, b []byte) {
	l.unwhole = append(l.unwhole, b...)
	for len(l.unwhole) > 0 {
		n, err := mqtt.Frame(l.unwhole, frameBytesMax)
		if err != nil || n == 0 && len(l.unwhole) > unwholeMax {
			l.unwhole = nil
			return
		}
		if n == 0 {
			return
		}
		switch frame := l.unwhole[:n]; mqtt.TypeOf(frame) {
		case mqtt.CONNECT:
			tr.sawConnect(l, frame)
		case mqtt.PUBLISH:
			tr.sawPublish(l, frame)
		}
		l.unwhole = l.unwhole[n:]
	}
	l.unwhole = nil
}

func (tr *traces) sawConnect(l *trail, frame []byte) {
	var p mqtt.Connect
	if p.Decode(frame) != nil {
		return
	}
	l.version = p.Version
	if p.HasWill && p.Will.Retain {
		tr.retains(string(p.Will.Topic))
	}
	_, keeps := p.Props.Uint32(mqtt.SessionExpiryInterval)
	if !keeps && (p.Version == mqtt.V5 || p.CleanStart) {
		return
	}
	l.connect = &mqtt.Connect{Version: p.Version, CleanStart: true, HasUsername: p.HasUsername,
		Username: append([]byte(nil), p.Username...), HasPassword: p.HasPassword,
		Password: append([]byte(nil), p.Password...)}
	if len(p.ClientID) > 0 {
		tr.keeps(l, string(p.ClientID))
	}
}

// keeps notes the session of the CONNECT that l sent, under a client identifier.
func (tr *traces) keeps(l *trail, id string) {
	if l.connect == nil {
		return
	}
	if tr.sessions == nil {
		tr.sessions = make(map[string]mqtt.Connect)
	}
	c := *l.connect
	c.ClientID = []byte(id)
	tr.sessions[id] = c
}

func (tr *traces) sawPublish(l *trail, frame []byte) {
	var p mqtt.Publish
	if p.Decode(l.version, frame) != nil {
		return
	}
	name := string(p.Topic)
	if a, ok := p.Props.Uint16(mqtt.TopicAlias); ok {
		if name == "" {
			name = l.aliases[a]
		}
		if l.aliases == nil {
			l.aliases = make(map[uint16]string)
		}
		l.aliases[a] = name
	}
	if p.Retain && len(p.Payload) > 0 {
		tr.retains(name)
	}
}

func (tr *traces) retains(name string) {
	if name == "" {
		return
	}
	if tr.retained == nil {
		tr.retained = make(map[string]bool)
	}
	tr.retained[name] = true
}

// clean takes away sessions and retained messages. What it cannot take away is a warning: the
// verdict is about the case.
func (t *T) clean() {
	t.hangUp()
	if len(t.sessions)+len(t.retained) == 0 {
		return
	}
	t.run.sweep(t.version, t.target, t.number, func(s *T) { s.forget(t.traces) })
}

// hangUp closes what the case opened.
func (t *T) hangUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients {
		_ = c.conn.Close()
	}
}

// sweep runs f beside the cases, and warns of what went wrong.
func (r *runner) sweep(v mqtt.Version, target *Target, number int, f func(*T)) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanTimeout)
	defer cancel()
	s := &T{run: r, c: &Case{}, version: v, target: target, number: number, ctx: ctx}
	s.log.start = time.Now()
	s.guard(func() { f(s) })
	s.hangUp()
	if len(s.faults) > 0 && !r.gone.Load() {
		r.warn("cleaning up at %s: %s", target, s.faults[0])
	}
}

func (r *runner) warn(format string, args ...any) {
	if r.opts.Warn != nil {
		r.opts.Warn(fmt.Sprintf(format, args...))
	}
}

func (t *T) forget(left traces) {
	for _, p := range left.sessions {
		c := t.Dial()
		c.version = p.Version
		c.Send(p.Append(nil))
		c.Await(mqtt.CONNACK)
		c.Disconnect()
	}
	if len(left.retained) == 0 {
		return
	}
	c := t.Connect(Named(t.ClientID("sweep")))
	for topic := range left.retained {
		c.Publish(mqtt.Publish{Topic: []byte(topic), Retain: true, QoS: min(1, t.Server().QoSMax)})
	}
	c.Disconnect()
}

// leftovers looks for retained messages of this run that no case took away, warns of each, and
// takes it away.
func (r *runner) leftovers() {
	target := r.opts.Target
	if !target.server.Wildcard || !target.server.Retain || r.gone.Load() {
		return
	}
	v := mqtt.V311
	if target.server.SpeaksV5 {
		v = mqtt.V5
	}
	r.sweep(v, target, -1, func(t *T) {
		c := t.Connect(Named("c" + r.id + "sweep"))
		c.Subscribe("hpmq-conformance/"+r.id+"/#", mqtt.AtMostOnce)
		left := traces{}
		for frame, _ := c.Poll(quiet); frame != nil; frame, _ = c.Poll(quiet) {
			var p mqtt.Publish
			if mqtt.TypeOf(frame) == mqtt.PUBLISH && p.Decode(v, frame) == nil {
				left.retains(string(p.Topic))
				r.warn("a retained message was left on %s", p.Topic)
			}
		}
		c.Disconnect()
		t.forget(left)
	})
}
