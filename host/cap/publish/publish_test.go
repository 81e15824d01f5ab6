package publish

import (
	"context"
	"errors"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

type env struct{}

func (env) Component() string { return "rules" }
func (env) Listener() string  { return "main" }

// outlet hands on what it gets.
type outlet chan *broker.Message

func (o outlet) Publish(_ string, m *broker.Message) { o <- m }

func msg(topic, payload string) broker.Message {
	return broker.Message{Topic: []byte(topic), Payload: []byte(payload)}
}

func TestPublish(t *testing.T) {
	q := New(Default())
	m := msg("a/b", "x")
	if err := q.Put(env{}, m); err != nil {
		t.Fatal(err)
	}
	m.Payload[0] = '?' // it was the guest's memory
	ctx, cancel := context.WithCancel(context.Background())
	out := make(outlet)
	done := make(chan struct{})
	go func() { q.Run(ctx, out); close(done) }()
	got := <-out
	if string(got.Topic) != "a/b" || string(got.Payload) != "x" || got.From != "$component/rules" {
		t.Errorf("%+v", got)
	}
	cancel()
	<-done
	if n := q.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are counted in an empty queue", n)
	}
}

func TestWhatIsRefused(t *testing.T) {
	q := New(Config{QueueMessagesMax: 2, QueueBytesMax: 10, MessageBytesMax: 8})
	for _, c := range []struct {
		m    broker.Message
		want error
	}{
		{msg("", "x"), ErrInvalidTopic},
		{msg("a/#", "x"), ErrInvalidTopic},
		{msg("a\xff", "x"), ErrInvalidTopic},
		{broker.Message{Topic: []byte("a"), QoS: 3}, ErrInvalidTopic},
		{msg("a", "12345678"), ErrTooLarge},
		{msg("a", "12345"), nil},
		{msg("a", "12345"), ErrQueueFull}, // bytes
		{msg("a", ""), nil},
		{msg("a", ""), ErrQueueFull}, // messages
	} {
		if err := q.Put(env{}, c.m); !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v, want %v", c.m.Topic, c.m.Payload, err, c.want)
		}
	}
	if n := q.bytes.Load(); n != 7 {
		t.Errorf("%d bytes are counted, 7 wait", n)
	}
}
