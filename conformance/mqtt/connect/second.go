package connect

import (
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// secondCases are about a CONNECT that is not the first.
func secondCases() []suite.Case {
	const claims = "3.1.1/MQTT-3.1.0-2 5.0/MQTT-3.1.0-2 5.0/MQTT-3.2.0-2"
	return []suite.Case{{
		Name: "connect/second-connect-closes", Claims: claims, Versions: since311(),
		Text: "A client sends the same CONNECT again: it is shut out without a second CONNACK.",
		Run:  secondConnect,
	}, {
		Name: "connect/second-connect-in-one-write", Claims: claims, Versions: since311(),
		Text: "Two CONNECTs arrive in one write: there is one CONNACK at most, then the end.",
		Run:  twoConnects,
	}, {
		Name: "connect/second-connect-takes-over-nobody", Claims: claims, Versions: since311(),
		Text: "A client sends a second CONNECT with the identifier of another client: it is shut " +
			"out, the other stays.",
		Run: secondConnectOfAnother,
	}, {
		Name: "connect/second-connect-counts-as-failure", Versions: since311(),
		Claims: "3.1.1/MQTT-3.1.2-8 5.0/MQTT-3.1.2-8",
		Text: "A client with a will sends a second CONNECT with another will: the first will is " +
			"published, the second is not.",
		Run: secondConnectWills,
	}}
}

// wantEndAfterConnack wants the end of the connection, without a CONNACK before it.
func wantEndAfterConnack(t *suite.T, c *suite.Client) {
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame == nil && open:
		t.Fatalf("the server did not close the connection")
	case frame == nil:
		return
	case t.V5() && mqtt.TypeOf(frame) == mqtt.DISCONNECT:
		if r := readDisconnect(t, frame); !suite.Fits(r, nil) {
			t.Errorf("DISCONNECT says %s, want %s", r, mqtt.ProtocolError)
		}
		c.WantEnd()
	default:
		t.Fatalf("want the end of the connection, got %s", mqtt.TypeOf(frame))
	}
}

// readDisconnect is the reason of a DISCONNECT.
func readDisconnect(t *suite.T, frame []byte) mqtt.ReasonCode {
	var p mqtt.Disconnect
	if err := p.Decode(t.Version(), frame); err != nil {
		t.Fatalf("the server's DISCONNECT: %v", err)
	}
	return p.Reason
}

func secondConnect(t *suite.T) {
	p := t.Connecting()
	c := t.Dial()
	c.Connect(p)
	c.Send(p.Append(nil))
	wantEndAfterConnack(t, c)
}

func twoConnects(t *suite.T) {
	b := t.Connecting().Append(nil)
	c := t.Dial()
	c.Send(append(b, b...))
	frame, open := c.Poll(t.Options().ExpectTimeout)
	if frame == nil {
		if open {
			t.Fatalf("the server did not close the connection")
		}
		return // a reset may have swallowed the CONNACK
	}
	if mqtt.TypeOf(frame) != mqtt.CONNACK {
		t.Fatalf("want CONNACK first, got %s", mqtt.TypeOf(frame))
	}
	wantEndAfterConnack(t, c)
}

func secondConnectOfAnother(t *suite.T) {
	other := t.Connect()
	c := t.Connect()
	c.Send(t.Connecting(suite.Named(other.ID)).Append(nil))
	wantEndAfterConnack(t, c)
	other.Ping()
}

func secondConnectWills(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	c := t.Connect(suite.WithWill(mqtt.Will{Topic: []byte(topic), Payload: []byte("first")}))
	c.Send(t.Connecting(suite.Named(c.ID), suite.WithWill(mqtt.Will{Topic: []byte(topic),
		Payload: []byte("second")})).Append(nil))
	for end := time.Now().Add(t.Options().ExpectTimeout); ; {
		frame, open := c.Poll(time.Until(end))
		if frame == nil && open {
			t.Skipf("the server did not close, which other cases judge")
		}
		if frame == nil {
			break
		}
	}
	w.WantMessage(topic, "first")
	wantUnseen(w, topic)
}
