package interop

import (
	"crypto/tls"
	"testing"

	paho3 "github.com/eclipse/paho.mqtt.golang"
)

// client3 is paho.mqtt.golang, which speaks MQTT 3.1 and 3.1.1.
type client3 struct {
	c    paho3.Client
	in   chan message
	lost func() bool
}

func openPaho3(_ *testing.T, w *world) dialer {
	return func(t *testing.T, s settings) client {
		t.Helper()
		x := &client3{in: make(chan message, 256), lost: s.Lost}
		o := paho3.NewClientOptions().AddBroker(s.URL).SetClientID(s.ID)
		o.SetTLSConfig(&tls.Config{RootCAs: w.pool})
		o.SetProtocolVersion(map[string]uint{"3.1": 3, "3.1.1": 4}[s.Version])
		o.SetAutoReconnect(false).SetCleanSession(s.KeepSeconds == 0)
		if s.Will != nil {
			o.SetWill(s.Will.Topic, s.Will.Payload, s.Will.QoS, s.Will.Retained)
		}
		o.SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) {
			x.in <- message{m.Topic(), string(m.Payload()), m.Qos(), m.Retained(), ""}
		})
		x.c = paho3.NewClient(o)
		done(t, x.c.Connect())
		return x
	}
}

func done(t *testing.T, tok paho3.Token) {
	t.Helper()
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("no answer of the broker: %v", tok.Error())
	}
}

func (x *client3) Subscribe(t *testing.T, filter string, qos byte) byte {
	t.Helper()
	tok := x.c.Subscribe(filter, qos, nil)
	done(t, tok)
	for _, granted := range tok.(*paho3.SubscribeToken).Result() {
		return granted // of the filter, or of what is behind $share/NAME/
	}
	return 0x80
}

func (x *client3) Publish(t *testing.T, m message) {
	t.Helper()
	done(t, x.c.Publish(m.Topic, m.QoS, m.Retained, m.Payload))
}

func (x *client3) Next(t *testing.T) message { t.Helper(); return next(t, x.in) }

// Close waits until DISCONNECT is written, unless there is nobody to read it.
func (x *client3) Close() {
	if x.lost != nil && x.lost() {
		x.c.Disconnect(250)
		return
	}
	x.c.Disconnect(uint(patience.Milliseconds()))
}
