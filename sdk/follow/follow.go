// Package follow reads the messages of a topic filter from a broker, as a small client of MQTT
// 3.1.1, which all brokers speak. It does not know how a connection is made.
package follow

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const version = mqtt.V311

// Bounds of a conversation.
const (
	frameBytesMax = 16 << 20
	keepAlive     = 60 * time.Second
	pingEvery     = 30 * time.Second
	// answerTimeout is how long the broker may take to let a client in.
	answerTimeout = 10 * time.Second
)

// Config says who follows what.
type Config struct {
	ClientID           string
	Username, Password string
	Filter             string
}

// RefusedError is a broker that does not let a client in, or not subscribe.
type RefusedError struct {
	What   string
	Reason mqtt.ReasonCode
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("follow: %s is refused: %v", e.What, e.Reason)
}

// Follower is a connection with one subscription. Next belongs to one goroutine; Publish and Close
// may be called by all.
type Follower struct {
	conn net.Conn
	ctx  context.Context
	have []byte
	used int // of have, by the message that Next gave last

	mu   sync.Mutex // held to write
	stop func() bool
	done chan struct{}
	once sync.Once
}

// Open takes conn, which is the Follower's from now on, and subscribes with QoS 1. The end of ctx
// ends the Follower.
func Open(ctx context.Context, conn net.Conn, cfg Config) (*Follower, error) {
	f := &Follower{conn: conn, ctx: ctx, done: make(chan struct{})}
	f.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(answerTimeout)) // a socket that cannot fails to read
	if err := f.enter(cfg); err != nil {
		f.Close()
		return nil, f.why(err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	go f.ping()
	return f, nil
}

func (f *Follower) enter(cfg Config) error {
	hello := mqtt.Connect{
		Version: version, CleanStart: true, KeepAlive: uint16(keepAlive / time.Second),
		ClientID:    []byte(cfg.ClientID),
		HasUsername: cfg.Username != "", Username: []byte(cfg.Username),
		HasPassword: cfg.Password != "", Password: []byte(cfg.Password),
	}
	if err := f.write(hello.Append(nil)); err != nil {
		return err
	}
	frame, err := f.next()
	if err != nil {
		return err
	}
	var connack mqtt.Connack
	if err := connack.Decode(version, frame); err != nil {
		return err
	}
	if connack.Reason.Failed() {
		return &RefusedError{"the connection", connack.Reason}
	}
	list := []mqtt.Subscription{{Filter: []byte(cfg.Filter), QoS: mqtt.AtLeastOnce}}
	if err := f.write(mqtt.AppendSubscribe(nil, version, 1, nil, list)); err != nil {
		return err
	}
	if frame, err = f.next(); err != nil {
		return err
	}
	var suback mqtt.Suback
	if err := suback.Decode(version, frame); err != nil {
		return err
	}
	if len(suback.Reasons) != 1 || suback.Reasons[0].Failed() {
		return &RefusedError{"the subscription to " + cfg.Filter, mqtt.UnspecifiedError}
	}
	return nil
}

// why puts the end of the context before what it led to.
func (f *Follower) why(err error) error {
	if f.ctx.Err() != nil {
		return fmt.Errorf("follow: %w", f.ctx.Err())
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("follow: %w", err)
}

func (f *Follower) write(b []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.conn.Write(b)
	return err
}

// next is the next packet, borrowed until the one after it.
func (f *Follower) next() ([]byte, error) {
	f.have = f.have[f.used:]
	f.used = 0
	for {
		n, err := mqtt.Frame(f.have, frameBytesMax)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			f.used = n
			return f.have[:n:n], nil
		}
		room := make([]byte, 32<<10)
		got, err := f.conn.Read(room)
		f.have = append(f.have, room[:got]...)
		if err != nil && got == 0 {
			return nil, err
		}
	}
}

// ping keeps the connection.
func (f *Follower) ping() {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-f.done:
			return
		case <-t.C:
			ping := mqtt.Ping{Type: mqtt.PINGREQ}
			if f.write(ping.Append(nil, version)) != nil {
				return // Next sees it too
			}
		}
	}
}

// Next blocks until a message comes and acknowledges it. Its bytes are borrowed until the next
// call.
func (f *Follower) Next() (mqtt.Publish, error) {
	var p mqtt.Publish
	for {
		frame, err := f.next()
		if err != nil {
			return p, f.why(err)
		}
		if mqtt.TypeOf(frame) != mqtt.PUBLISH {
			continue
		}
		if err := p.Decode(version, frame); err != nil {
			return p, f.why(err)
		}
		if p.QoS > mqtt.AtMostOnce {
			ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: p.PacketID}
			if err := f.write(ack.Append(nil, version)); err != nil {
				return p, f.why(err)
			}
		}
		return p, nil
	}
}

// Publish sends a message with QoS 0.
func (f *Follower) Publish(topic, payload []byte, retain bool) error {
	p := mqtt.Publish{Topic: topic, Payload: payload, Retain: retain}
	if err := f.write(p.Append(nil, version)); err != nil {
		return f.why(err)
	}
	return nil
}

// Close says goodbye and closes the connection.
func (f *Follower) Close() {
	f.once.Do(func() {
		close(f.done)
		f.stop()
		_ = f.write((&mqtt.Disconnect{}).Append(nil, version)) // it is over in any case
		_ = f.conn.Close()
	})
}
