// Package publish serves hpmq:broker/publish: messages of a component's own. They wait in a bounded
// queue and leave it on a goroutine of their own, so a guest never waits for the broker. It does
// not know how a message gets into the broker.
package publish

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Name is the interface as a guest imports it.
const Name = "hpmq:broker/publish@0.1.0"

// From is the client id a component publishes by.
func From(component string) string { return "$component/" + component }

// Env is what the environment of a guest must answer.
type Env interface {
	Component() string
	Listener() string
}

// Apart is for the environment of guests that are to have no effect: what they publish is thrown
// away, and they are told that it went.
type Apart interface{ Apart() bool }

// Outlet takes the messages to the broker.
type Outlet interface {
	// Publish brings m in as a message of a client of listener. m belongs to the callee. It may
	// block.
	Publish(listener string, m *broker.Message)
}

// Config bounds what may wait.
type Config struct {
	QueueMessagesMax int
	QueueBytesMax    int64
	MessageBytesMax  int
}

// Default lets a burst wait without holding much memory.
func Default() Config {
	return Config{QueueMessagesMax: 4096, QueueBytesMax: 4 << 20, MessageBytesMax: 256 << 10}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.QueueMessagesMax < 1 || c.QueueBytesMax < 1 || c.MessageBytesMax < 1 {
		return errors.New("publish: every bound must be at least 1")
	}
	return nil
}

// The errors of Put, in the order of the WIT enum.
var (
	ErrInvalidTopic = errors.New("publish: invalid topic")
	ErrTooLarge     = errors.New("publish: message too large")
	ErrQueueFull    = errors.New("publish: queue full")
)

// Queue holds the messages on their way. Safe for concurrent use.
type Queue struct {
	cfg   Config
	items chan queued
	bytes atomic.Int64
}

type queued struct {
	listener string
	m        *broker.Message
}

// New is an empty queue.
func New(cfg Config) *Queue {
	return &Queue{cfg: cfg, items: make(chan queued, cfg.QueueMessagesMax)}
}

// Run takes the messages to out, in order, until ctx ends. It blocks.
func (q *Queue) Run(ctx context.Context, out Outlet) {
	for {
		select {
		case <-ctx.Done():
			return
		case it := <-q.items:
			q.bytes.Add(-size(it.m))
			out.Publish(it.listener, it.m)
		}
	}
}

// Put queues a copy of m as a message of env's component. It never blocks.
func (q *Queue) Put(env Env, m broker.Message) error {
	if !topic.ValidName(m.Topic) || !utf8.Valid(m.Topic) || m.QoS > mqtt.ExactlyOnce {
		return ErrInvalidTopic
	}
	if len(m.Topic)+len(m.Payload) > q.cfg.MessageBytesMax {
		return ErrTooLarge
	}
	m.From = From(env.Component())
	if q.bytes.Add(size(&m)) > q.cfg.QueueBytesMax {
		q.bytes.Add(-size(&m))
		return ErrQueueFull
	}
	kept := m.Keep()
	select {
	case q.items <- queued{env.Listener(), kept}:
		return nil
	default:
		q.bytes.Add(-size(kept))
		return ErrQueueFull
	}
}

func size(m *broker.Message) int64 { return int64(len(m.Topic) + len(m.Payload)) }

// Module is the interface for the engine.
func (q *Queue) Module() wasm.HostModule {
	return wasm.HostModule{Name: Name, Funcs: []wasm.HostFunc{{
		Name: "publish", Params: slices.Repeat([]wasm.ValueType{wasm.I32}, 7), Call: q.publish,
		Type: "(msg: record{topic: string, payload: list<u8>, qos: enum{at-most-once, " +
			"at-least-once, exactly-once}, retain: bool}) -> result<_, enum{invalid-topic, " +
			"too-large, queue-full}>",
	}}}
}

// publish: func(msg: message) -> result<_, error>
func (q *Queue) publish(g *wasm.Guest, stack []uint64) {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("publish is not served here")
	}
	if a, ok := env.(Apart); ok && a.Apart() {
		copy(abi.Area(g, stack[6], 2, 1), []byte{0, 0})
		return
	}
	if uint32(stack[4]) > uint32(mqtt.ExactlyOnce) {
		g.Trap("qos out of range")
	}
	err := q.Put(env, broker.Message{
		Topic:   abi.Text(g, stack[0], stack[1]),
		Payload: abi.Bytes(g, stack[2], stack[3]),
		QoS:     mqtt.QoS(stack[4]),
		Retain:  uint32(stack[5]) != 0,
	})
	area := abi.Area(g, stack[6], 2, 1)
	area[0], area[1] = 0, 0
	if err != nil {
		area[0], area[1] = 1, code(err)
	}
}

func code(err error) byte {
	switch {
	case errors.Is(err, ErrInvalidTopic):
		return 0
	case errors.Is(err, ErrTooLarge):
		return 1
	default:
		return 2
	}
}
