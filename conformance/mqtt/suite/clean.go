package suite

import (
	"context"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// cleanTimeout bounds the cleaning after one case.
const cleanTimeout = 5 * time.Second

// traces are what a case may have left in the server, by what it sent.
type traces struct {
	sessions map[string]mqtt.Connect
	retained map[string]bool
	version  mqtt.Version
}

// saw looks through bytes that a client sends for whole packets that leave something behind.
func (tr *traces) saw(b []byte) {
	for len(b) > 0 {
		n, err := mqtt.Frame(b, frameBytesMax)
		if err != nil || n == 0 {
			return
		}
		switch mqtt.TypeOf(b) {
		case mqtt.CONNECT:
			tr.sawConnect(b[:n])
		case mqtt.PUBLISH:
			tr.sawPublish(b[:n])
		}
		b = b[n:]
	}
}

func (tr *traces) sawConnect(frame []byte) {
	var p mqtt.Connect
	if p.Decode(frame) != nil {
		return
	}
	tr.version = p.Version
	if p.HasWill && p.Will.Retain {
		tr.retains(p.Will.Topic)
	}
	_, keeps := p.Props.Uint32(mqtt.SessionExpiryInterval)
	if len(p.ClientID) == 0 || !keeps && (p.Version == mqtt.V5 || p.CleanStart) {
		return
	}
	if tr.sessions == nil {
		tr.sessions = make(map[string]mqtt.Connect)
	}
	tr.sessions[string(p.ClientID)] = mqtt.Connect{Version: p.Version, CleanStart: true,
		ClientID: append([]byte(nil), p.ClientID...), HasUsername: p.HasUsername,
		Username: append([]byte(nil), p.Username...), HasPassword: p.HasPassword,
		Password: append([]byte(nil), p.Password...)}
}

func (tr *traces) sawPublish(frame []byte) {
	var p mqtt.Publish
	if p.Decode(tr.version, frame) == nil && p.Retain && len(p.Payload) > 0 {
		tr.retains(p.Topic)
	}
}

func (tr *traces) retains(topic []byte) {
	if len(topic) == 0 {
		return
	}
	if tr.retained == nil {
		tr.retained = make(map[string]bool)
	}
	tr.retained[string(topic)] = true
}

// clean takes away sessions and retained messages. What it cannot take away is told as a note: the
// verdict is about the case.
func (t *T) clean() {
	for _, c := range t.clients {
		_ = c.conn.Close()
	}
	if len(t.sessions)+len(t.retained) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanTimeout)
	defer cancel()
	sweep := &T{run: t.run, c: t.c, version: t.version, target: t.target, number: t.number,
		ctx: ctx}
	sweep.log.start = t.log.start
	sweep.guard(func() { sweep.forget(t.traces) })
	if len(sweep.faults) > 0 {
		t.log.note("cleaning up: " + sweep.faults[0])
	}
	for _, c := range sweep.clients {
		_ = c.conn.Close()
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
