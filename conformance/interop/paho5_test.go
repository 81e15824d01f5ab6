package interop

import (
	"context"
	"crypto/tls"
	"net/url"
	"testing"

	"github.com/eclipse/paho.golang/autopaho"
	paho5 "github.com/eclipse/paho.golang/paho"
)

// client5 is paho.golang, which speaks MQTT 5.0.
type client5 struct {
	c  *autopaho.ConnectionManager
	in chan message
}

func openPaho5(_ *testing.T, w *world) dialer {
	return func(t *testing.T, s settings) client {
		t.Helper()
		x := &client5{in: make(chan message, 256)}
		failed := make(chan error, 1)
		o := autopaho.ClientConfig{
			ServerUrls:                    []*url.URL{parse(t, s.URL)},
			TlsCfg:                        &tls.Config{RootCAs: w.pool},
			KeepAlive:                     30,
			ConnectTimeout:                patience,
			CleanStartOnInitialConnection: s.KeepSeconds == 0,
			SessionExpiryInterval:         s.KeepSeconds,
			OnConnectionDown:              func() bool { return false },
			OnConnectError: func(err error) {
				select {
				case failed <- err:
				default:
				}
			},
			ClientConfig: paho5.ClientConfig{
				ClientID:      s.ID,
				PacketTimeout: patience,
				OnPublishReceived: []func(paho5.PublishReceived) (bool, error){
					func(p paho5.PublishReceived) (bool, error) {
						x.in <- received(p.Packet)
						return true, nil
					},
				},
			},
		}
		if s.Will != nil {
			o.WillMessage, o.WillProperties = lastWill(s.Will)
		}
		x.dial(t, o, failed)
		return x
	}
}

// dial waits until it is connected, or has failed for the first time.
func (x *client5) dial(t *testing.T, o autopaho.ClientConfig, failed <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	var err error
	if x.c, err = autopaho.NewConnection(ctx, o); err != nil {
		t.Fatal(err)
	}
	up := make(chan error, 1)
	go func() { up <- x.c.AwaitConnection(ctx) }()
	select {
	case err = <-up:
	case err = <-failed:
	}
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
}

func lastWill(w *will) (*paho5.WillMessage, *paho5.WillProperties) {
	m := &paho5.WillMessage{
		Topic: w.Topic, Payload: []byte(w.Payload), QoS: w.QoS, Retain: w.Retained,
	}
	return m, &paho5.WillProperties{
		WillDelayInterval: &w.DelaySeconds,
		User:              userProperties(w.Properties),
	}
}

func userProperties(properties string) (user paho5.UserProperties) {
	for _, p := range pairs(properties) {
		user.Add(p[0], p[1])
	}
	return user
}

func received(p *paho5.Publish) message {
	var list [][2]string
	for _, u := range p.Properties.User {
		list = append(list, [2]string{u.Key, u.Value})
	}
	return message{p.Topic, string(p.Payload), p.QoS, p.Retain, joined(list)}
}

func (x *client5) Subscribe(t *testing.T, filter string, qos byte) byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	want := []paho5.SubscribeOptions{{Topic: filter, QoS: qos}}
	ack, err := x.c.Subscribe(ctx, &paho5.Subscribe{Subscriptions: want})
	if err != nil {
		t.Fatalf("subscribe: %v (%+v)", err, ack)
	}
	return ack.Reasons[0]
}

func (x *client5) Publish(t *testing.T, m message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p := &paho5.Publish{Topic: m.Topic, QoS: m.QoS, Retain: m.Retained, Payload: []byte(m.Payload)}
	p.Properties = &paho5.PublishProperties{User: userProperties(m.Properties)}
	if _, err := x.c.Publish(ctx, p); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

func (x *client5) Next(t *testing.T) message { t.Helper(); return next(t, x.in) }

func (x *client5) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = x.c.Disconnect(ctx)
}
