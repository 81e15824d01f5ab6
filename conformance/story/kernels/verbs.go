package kernels

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/story"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// tick is how often a kernel is told the time.
const tick = 100 * time.Millisecond

// Do implements story.Driver.
func (w *World) Do(c *story.Command) error {
	verbs := map[string]func(*story.Command) error{
		"given": w.given, "advance": w.advance, "slow": w.slow,
		"wait": w.wait, "deaf": w.deaf, "drain": w.drain,
		"peers": w.doPeers, "store": w.doStore, "policy": w.doPolicy, "allow": w.allow,
		"answer": w.answer, "shutdown": w.shutdown, "kick": w.kick, "restart": w.restart,
		"close-listener": w.closeListener, "host": w.host,
	}
	do, ok := verbs[c.Verb]
	if !ok {
		return story.ErrUnsupported
	}
	return do(c)
}

// given sets the world up: loops=2, sessions-max=1, queued-messages-max=1 and queued-bytes-max=1
// of each loop, store=now|event, auth=users|asked, durable, and limits by the names of their
// fields, as in receive-max=2.
func (w *World) given(c *story.Command) error {
	if w.kernels != nil {
		return errors.New("must stand before the first connection")
	}
	for _, a := range c.Args {
		switch {
		case a.Key == "loops":
			n, err := c.Number("loops", 1)
			if err != nil {
				return err
			}
			w.cfg.Peers = int(n)
		case w.bound(a.Key) != nil:
			n, err := c.Number(a.Key, 0)
			if err != nil {
				return err
			}
			*w.bound(a.Key) = int(n)
		case a.Key == "store":
			w.store = newStore(w, a.Value == "event")
		case a.Key == "auth":
			w.auth = &auth{w: w, asked: a.Value == "asked", users: map[string]string{}}
			w.lis.Auth = w.auth
		case a.Key == "" && a.Value == "durable":
			w.cfg.Durable = true
		default:
			if err := w.limit(c, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// bound is what of a kernel's Config has that name, or nil.
func (w *World) bound(name string) *int {
	switch name {
	case "sessions-max":
		return &w.cfg.SessionsMax
	case "queued-messages-max":
		return &w.cfg.QueuedMessagesMax
	case "queued-bytes-max":
		return &w.cfg.QueuedBytesMax
	}
	return nil
}

// limit sets the field of broker.Limits with that name, hyphens for capitals; a bare word sets a
// bool.
func (w *World) limit(c *story.Command, a story.Arg) error {
	name := a.Key
	if name == "" {
		name = a.Value
	}
	limits := reflect.ValueOf(&w.lis.Limits).Elem()
	for i := range limits.NumField() {
		if !strings.EqualFold(limits.Type().Field(i).Name, strings.ReplaceAll(name, "-", "")) {
			continue
		}
		f := limits.Field(i)
		if f.Kind() == reflect.Bool {
			f.SetBool(true)
			return nil
		}
		n, err := c.Number(a.Key, 0)
		if f.CanInt() {
			f.SetInt(int64(n))
		} else {
			f.SetUint(n)
		}
		return err
	}
	return fmt.Errorf("no limit %q", name)
}

// advance lets the time pass, tick by tick.
func (w *World) advance(c *story.Command) error {
	d, err := c.Duration(0)
	for ; err == nil && d > 0; d -= tick {
		w.now += broker.Time(min(d, tick).Milliseconds())
		for _, k := range w.kernels {
			k.Tick(w.now)
		}
		for n := 0; len(w.wire) > 0 && !w.holding; n++ {
			if n > settleMax {
				return errors.New("kernels do not come to rest")
			}
			w.move()
		}
	}
	return err
}

// slow takes away the room of a connection.
func (w *World) slow(c *story.Command) error {
	cn, err := w.named(c)
	if err == nil {
		cn.room = -1
	}
	return err
}

// wait has a rate hold back what goes to a connection.
func (w *World) wait(c *story.Command) error {
	cn, err := w.named(c)
	if err == nil {
		cn.room = 0
	}
	return err
}

// deaf has a rate hold back what a connection sends, until it is told so again.
func (w *World) deaf(c *story.Command) error {
	cn, err := w.named(c)
	if err == nil {
		cn.Held()
		cn.deaf = !cn.deaf
	}
	return err
}

// drain gives a connection its room back.
func (w *World) drain(c *story.Command) error {
	cn, err := w.named(c)
	if err == nil {
		cn.room = roomMax
		cn.kernel.Writable(w.now, cn.c)
	}
	return err
}

func (w *World) named(c *story.Command) (*conn, error) {
	name, err := c.Pos(0)
	if err != nil {
		return nil, err
	}
	return w.conn(name)
}

// doPeers stops the frames between kernels (peers wait), lets them all go (peers go) or so many
// (peers go 1).
func (w *World) doPeers(c *story.Command) error {
	if c.Flag("wait") {
		w.holding = true
		return nil
	}
	if !c.Flag("go") {
		return errors.New("wait or go")
	}
	if _, err := c.Pos(1); err != nil {
		w.holding = false
		return nil
	}
	n, err := count(c, 1)
	for ; err == nil && n > 0 && len(w.wire) > 0; n-- {
		w.move()
	}
	return err
}

// count answers the number that stands at position i.
func count(c *story.Command, i int) (int, error) {
	s, err := c.Pos(i)
	if err != nil {
		return 0, err
	}
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n, nil
}

func (w *World) shutdown(c *story.Command) error {
	r, err := reason(c, 0)
	for _, k := range w.kernels {
		k.Shutdown(w.now, r)
	}
	return err
}

func (w *World) closeListener(c *story.Command) error {
	r, err := reason(c, 0)
	for _, k := range w.kernels {
		k.CloseListener(w.now, w.lis, r)
	}
	return err
}

func (w *World) kick(c *story.Command) error {
	id, err := c.Pos(0)
	if err != nil {
		return err
	}
	r, err := reason(c, 1)
	found := false
	for _, k := range w.kernels {
		found = k.Kick(w.now, id, r) || found
	}
	if err == nil && !found {
		err = errors.New("nobody to kick")
	}
	return err
}

func reason(c *story.Command, i int) (mqtt.ReasonCode, error) {
	s, err := c.Pos(i)
	if err != nil {
		return 0, err
	}
	code, err := story.ReasonCode(s)
	return mqtt.ReasonCode(code), err
}

// restart throws the kernels away and starts new ones over the same Store, with the sessions in it.
func (w *World) restart(*story.Command) error {
	for name, c := range w.conns {
		c.gone = true
		delete(w.conns, name)
	}
	w.kernels, w.wire = nil, nil
	if w.store == nil {
		w.build()
		return nil
	}
	w.store.pending = nil
	return w.restore()
}

// host publishes in the name of the host: host TOPIC PAYLOAD qos=1 retain.
func (w *World) host(c *story.Command) error {
	topic, err := c.Pos(0)
	if err != nil {
		return err
	}
	payload, err := c.Pos(1)
	if err != nil {
		return err
	}
	qos, err := c.Number("qos", 0)
	m := broker.Message{Topic: []byte(topic), Payload: []byte(payload), QoS: mqtt.QoS(qos),
		Retain: c.Flag("retain")}
	w.build()
	w.kernels[0].Publish(w.now, w.lis, &m)
	return err
}
