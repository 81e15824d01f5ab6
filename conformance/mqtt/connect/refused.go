package connect

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// refusal is a way for a CONNECT to be refused, whoever it says it is from.
type refusal struct {
	name, text string
	// claims of the refusal itself.
	claims   string
	versions []mqtt.Version
	target   string
	spoil    func(p *packet)
}

// refusedCases are about what a refused CONNECT leaves alone: each way to be refused by each thing
// that must not happen.
func refusedCases() []suite.Case {
	refusals := []refusal{{
		name: "fault", text: "with the reserved connect flag set", versions: since311(),
		claims: "3.1.1/MQTT-3.1.4-1 5.0/MQTT-3.1.4-1",
		spoil:  func(p *packet) { p.flags |= flagReserved },
	}, {
		name: "method", text: "with an Authentication Method that no server has",
		claims: "5.0/MQTT-3.1.4-2 5.0/MQTT-4.12.0-1", versions: []mqtt.Version{mqtt.V5},
		spoil: func(p *packet) {
			p.props = properties(textProperty(mqtt.AuthenticationMethod, "HPMQ-NO-SUCH-METHOD"),
				property(mqtt.SessionExpiryInterval, 0, 0, 0, 60))
		},
	}, {
		name: "password", text: "with a wrong password", target: suite.Guarded,
		claims: "5.0/MQTT-3.1.4-2", versions: since311(),
		spoil: wrongPassword,
	}}
	var list []suite.Case
	for _, r := range refusals {
		for _, harm := range harms() {
			list = append(list, suite.Case{
				Name:   "connect/refused-by-" + r.name + "-" + harm.name,
				Claims: r.claims + " " + harm.claims, Versions: r.versions, Target: r.target,
				Text: "A CONNECT " + r.text + " " + harm.text + ".",
				Run:  func(t *suite.T) { harm.run(t, &r) },
			})
		}
	}
	return list
}

// wrongPassword spoils the password, by one byte more.
func wrongPassword(p *packet) {
	if p.password == nil {
		p.withoutUser()
		p.flags |= flagUsername | flagPassword
		p.username, p.password = text("nobody"), text("")
	}
	p.password = text(string(p.password[2:]) + "!")
}

// harm is what a refused CONNECT must not do.
type harm struct {
	name, text, claims string
	run                func(t *suite.T, r *refusal)
}

func harms() []harm {
	const rest = "3.1.1/MQTT-3.1.4-5 5.0/MQTT-3.1.4-6"
	return []harm{{
		"is-closed", "is refused, and the connection is closed",
		"3.1.1/MQTT-3.2.2-5 5.0/MQTT-3.2.2-7 5.0/MQTT-3.2.2-8",
		func(t *suite.T, r *refusal) { refuseBy(t, r.packet(t)) },
	}, {
		"takes-nobody-over", "does not touch the connection of the client whose identifier it has",
		"3.1.1/MQTT-3.1.4-2 5.0/MQTT-3.1.4-3", refusedTakeOver,
	}, {
		"leaves-the-session", "and Clean Start does not end the session of its identifier",
		"3.1.1/MQTT-3.1.4-3 5.0/MQTT-3.1.4-4", refusedClean,
	}, {
		"says-no-session", "is not told of the session of its identifier",
		"3.1.1/MQTT-3.2.2-4 5.0/MQTT-3.2.2-6", refusedPresent,
	}, {
		"leaves-no-will", "does not have its will published",
		"3.1.1/MQTT-3.1.2-8", refusedWill,
	}, {
		"is-not-heard", "is followed by a PUBLISH in the same write, which reaches nobody",
		rest, refusedPublish,
	}, {
		"retains-nothing", "is followed by a retained PUBLISH, which is not stored",
		rest, refusedRetain,
	}}
}

// packet is a CONNECT that will be refused.
func (r *refusal) packet(t *suite.T) *packet {
	p := good(t)
	r.spoil(p)
	return p
}

// refuse sends the packet with bytes behind it and wants it to be refused.
func refuse(t *suite.T, p *packet, behind []byte) {
	c := t.Dial()
	c.Send(append(p.bytes(), behind...))
	c.WantRefused()
}

// refuseBy is refuse for what is said of CONNACK. A server may refuse without one.
func refuseBy(t *suite.T, p *packet) {
	c := t.Dial()
	c.Send(p.bytes())
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame != nil:
		wantRefusal(t, frame)
		c.WantClosed()
	case open:
		t.Fatalf("neither CONNACK nor the end of the connection")
	default:
		t.Skipf("the server refuses without CONNACK")
	}
}

func refusedTakeOver(t *suite.T, r *refusal) {
	c := t.Connect()
	p := r.packet(t)
	p.id = text(c.ID)
	refuse(t, p, nil)
	c.Ping()
}

func refusedClean(t *suite.T, r *refusal) {
	id := t.ClientID("s")
	keep(t, id).Leave()
	p := r.packet(t)
	p.id = text(id)
	refuse(t, p, nil)
	c := keep(t, id)
	wantPresent(t, c, true)
}

func refusedPresent(t *suite.T, r *refusal) {
	id := t.ClientID("s")
	keep(t, id).Leave()
	p := r.packet(t)
	p.id = text(id)
	p.flags &^= flagClean
	refuseBy(t, p)
}

func refusedWill(t *suite.T, r *refusal) {
	topic := t.Topic("will")
	w := witness(t, topic)
	p := r.packet(t)
	user, password := p.username, p.password
	p.setWill(topic, "will of the refused")
	p.username, p.password = user, password
	refuse(t, p, nil)
	w.WantNothing()
	wantUnseen(w, topic)
}

func refusedPublish(t *suite.T, r *refusal) {
	topic := t.Topic("behind")
	w := witness(t, topic)
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("behind")}
	refuse(t, r.packet(t), m.Append(nil, t.Version()))
	w.WantNothing()
	wantUnseen(w, topic)
}

func refusedRetain(t *suite.T, r *refusal) {
	t.NeedRetain()
	topic := t.Topic("retained")
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("behind"), Retain: true}
	refuse(t, r.packet(t), m.Append(nil, t.Version()))
	wantUnseen(witness(t, topic), topic)
}
