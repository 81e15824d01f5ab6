package wire

import (
	"strconv"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// graceOfDisconnect is how long a server may take to close where it must or should.
const graceOfDisconnect = 5 * time.Second

// faultsMax is how many wrong rows of a table a case shows before it ends.
const faultsMax = 3

// bench is what a case prepares packets with.
type bench struct {
	t      *suite.T
	pub    *suite.Client // sends messages
	watch  *suite.Client // receives the wills of connections that willing made
	wills  int
	faults int
}

// delivered is a connection that a message of QoS q was sent to, and its packet identifier. It is
// not acknowledged.
func (b *bench) delivered(q mqtt.QoS) (*suite.Client, uint16) {
	b.t.NeedQoS(q)
	if b.pub == nil {
		b.pub = b.t.Connect()
	}
	topic := b.t.Topic("d")
	c := b.t.Connect()
	c.Subscribe(topic, q)
	b.pub.PublishText(topic, "message", q)
	return c, c.ReadPublish().PacketID
}

// willing is a connection with a will that is watched.
func (b *bench) willing(options ...suite.Option) *suite.Client {
	topic := b.t.Topic("will")
	if b.watch == nil {
		b.watch = b.t.Connect()
		b.watch.Subscribe(topic, mqtt.AtMostOnce)
	}
	b.wills++
	return b.t.Connect(append(options, suite.WithWill(mqtt.Will{Topic: []byte(topic),
		Payload: b.payload()}))...)
}

func (b *bench) payload() []byte { return []byte("will " + strconv.Itoa(b.wills)) }

// wantWill wants the will of the last connection that willing made.
func (b *bench) wantWill() {
	b.t.Note("the will must come")
	for string(b.watch.ReadPublish().Payload) != string(b.payload()) {
		b.t.Note("that is the will of another connection")
	}
}

// wantNoWill wants that the will does not come, once the server has closed or c has.
func (b *bench) wantNoWill(c *suite.Client) {
	if _, ended := c.Look(graceOfDisconnect); !ended {
		b.t.Note("the server left it to the client to close")
		c.Close()
	}
	b.watch.WantNothing()
}

// rejected wants a packet to be taken for an error. It answers whether the table should go on.
func (b *bench) rejected(s *specimen, c *suite.Client, reasons ...mqtt.ReasonCode) bool {
	if s.typ == mqtt.CONNECT {
		c.WantRefused(reasons...)
		return true
	}
	if !c.WantRejected(reasons...) {
		b.faults++
	}
	if s.typ == mqtt.DISCONNECT {
		b.wantWill()
	}
	return b.faults < faultsMax
}

// accepted wants a packet to be taken: it was sent, and the connection goes on.
func (b *bench) accepted(s *specimen, c *suite.Client) {
	switch s.typ {
	case mqtt.CONNECT:
		if p := c.ReadConnack(); p.Reason != mqtt.Success {
			b.t.Fatalf("CONNACK says %s", p.Reason)
		}
	case mqtt.DISCONNECT:
		b.wantNoWill(c)
	default:
		c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
		c.Await(mqtt.PINGRESP)
	}
}

// about is what a case says of itself: its name without the room, its claims, its text.
type about struct{ name, claims, text string }

// errorCase is a case that changes a specimen. Its versions are those of the specimen.
func errorCase(s specimen, a about, run func(b *bench, s *specimen)) suite.Case {
	return suite.Case{Name: "wire/" + a.name, Claims: a.claims, Versions: s.versions(),
		Target: s.target, Text: a.text, Run: func(t *suite.T) { run(&bench{t: t}, &s) }}
}
