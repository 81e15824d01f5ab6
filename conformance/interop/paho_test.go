package interop

import (
	"context"
	"net"
	"testing"
	"time"

	paho5 "github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
)

// next waits for one message.
func next(t *testing.T, in <-chan message) message {
	t.Helper()
	select {
	case m := <-in:
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
		return message{}
	}
}

// client3 is paho.mqtt.golang, MQTT 3.1.1.
type client3 struct {
	c  paho3.Client
	in chan message
}

func dialPaho3(t *testing.T, addr, id string) client {
	t.Helper()
	x := &client3{in: make(chan message, 16)}
	o := paho3.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id)
	o.SetProtocolVersion(4).SetAutoReconnect(false)
	o.SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) {
		x.in <- message{m.Topic(), string(m.Payload()), m.Qos(), m.Retained()}
	})
	x.c = paho3.NewClient(o)
	done(t, x.c.Connect())
	return x
}

func done(t *testing.T, tok paho3.Token) {
	t.Helper()
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("no answer of the broker: %v", tok.Error())
	}
}

func (x *client3) Subscribe(t *testing.T, filter string, qos byte) {
	t.Helper()
	done(t, x.c.Subscribe(filter, qos, nil))
}

func (x *client3) Publish(t *testing.T, m message) {
	t.Helper()
	done(t, x.c.Publish(m.Topic, m.QoS, m.Retained, m.Payload))
}

func (x *client3) Next(t *testing.T) message { t.Helper(); return next(t, x.in) }

func (x *client3) Close() { x.c.Disconnect(250) }

// client5 is paho.golang, MQTT 5.0.
type client5 struct {
	c  *paho5.Client
	in chan message
}

func dialPaho5(t *testing.T, addr, id string) client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	x := &client5{in: make(chan message, 16)}
	x.c = paho5.NewClient(paho5.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho5.PublishReceived) (bool, error){
			func(p paho5.PublishReceived) (bool, error) {
				m := p.Packet
				x.in <- message{m.Topic, string(m.Payload), m.QoS, m.Retain}
				return true, nil
			},
		},
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	hi := &paho5.Connect{ClientID: id, CleanStart: true, KeepAlive: 30}
	if ack, err := x.c.Connect(ctx, hi); err != nil {
		t.Fatalf("connect: %v (%+v)", err, ack)
	}
	return x
}

func (x *client5) Subscribe(t *testing.T, filter string, qos byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	want := []paho5.SubscribeOptions{{Topic: filter, QoS: qos}}
	ack, err := x.c.Subscribe(ctx, &paho5.Subscribe{Subscriptions: want})
	if err != nil || ack.Reasons[0] != qos {
		t.Fatalf("subscribe: %v (%+v)", err, ack)
	}
}

func (x *client5) Publish(t *testing.T, m message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p := &paho5.Publish{Topic: m.Topic, QoS: m.QoS, Retain: m.Retained, Payload: []byte(m.Payload)}
	if _, err := x.c.Publish(ctx, p); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

func (x *client5) Next(t *testing.T) message { t.Helper(); return next(t, x.in) }

func (x *client5) Close() { _ = x.c.Disconnect(&paho5.Disconnect{}) }
