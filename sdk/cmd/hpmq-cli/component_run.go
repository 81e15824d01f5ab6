package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/follow"
)

// ran is the command component run.
type ran struct {
	*settings
	trying
	reach
	filter, call, publish string
	count                 int
}

func newComponentRun(s *settings) *cobra.Command {
	k := &ran{settings: s}
	c := &cobra.Command{
		Use:   "run [FILE.wasm | DIR] --filter FILTER",
		Short: "Feed messages of a live broker through a component and print what comes out",
		Long: `run subscribes to a broker as a client, asks the component about each message, and
prints the message and the answer. The broker is not changed: what the component answers goes
nowhere, unless --publish-under names a prefix; then the messages of a transformer's answer are
published below it. A codec is asked for the bytes by which its client would be sent the message.

The client id and the listener that the component sees are "live".`,
		Example: `  hpmq-cli component run --filter 'dev/#'
  hpmq-cli component run ./vendor.wasm --filter 'dev/+/up' --config vendor.json --count 10
  hpmq-cli component run --filter 'dev/#' --target tls://10.0.0.7:8883 --username u
  hpmq-cli component run --filter 'dev/#' --publish-under trial`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: wasmFiles,
		RunE:              func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	k.trying.register(c)
	k.reach.register(c)
	f := c.Flags()
	f.StringVar(&k.filter, "filter", "", "topic filter to subscribe to")
	f.StringVar(&k.call, "call", "", "the function to ask: upstream, downstream, check, route, "+
		"authorize, on-message or encode (default: the first that its roles have)")
	f.StringVar(&k.publish, "publish-under", "", "prefix to publish answers under")
	f.IntVar(&k.count, "count", 0, "end after so many messages")
	mustHave(c, "filter")
	return c
}

// passed is a message and what became of it.
type passed struct {
	Topic   cases.Bytes     `json:"topic"`
	Payload cases.Bytes     `json:"payload"`
	QoS     byte            `json:"qos"`
	Retain  bool            `json:"retain"`
	Call    string          `json:"call"`
	Answer  json.RawMessage `json:"answer,omitempty"`
	Error   string          `json:"error,omitempty"`
	Fuel    uint64          `json:"fuel"`
	// Skipped says that a broker would not ask: the topic is none that the component wants.
	Skipped bool `json:"skipped,omitempty"`
	// Published is what the component published itself.
	Published []cases.Message `json:"published,omitempty"`
}

func (k *ran) valid() error {
	switch {
	case strings.ContainsAny(k.publish, "+#"):
		return errors.New("--publish-under is a topic, without + and #")
	case k.count < 0:
		return errors.New("--count is not negative; 0 is without end")
	case k.publish != "" && strings.HasPrefix(k.filter, k.publish+"/"):
		return fmt.Errorf("--publish-under %s: all of --filter %s is below it, and what is below "+
			"it is left out, or it would go round for ever; name another prefix", k.publish,
			k.filter)
	}
	return validFilter("filter", k.filter)
}

// below says whether topics below the prefix match the filter.
func below(prefix, filter string) bool {
	for _, level := range strings.Split(prefix, "/") {
		first, rest, more := strings.Cut(filter, "/")
		if first == "#" {
			return true
		}
		if !more || first != "+" && first != level {
			return false
		}
		filter = rest
	}
	return true
}

func (k *ran) run(cmd *cobra.Command, args []string) error {
	if err := k.valid(); err != nil {
		return usageError{err}
	}
	b, err := k.subject(args)
	if err != nil {
		return err
	}
	l, err := k.openLive(cmd, &k.trying, b, k.call)
	if err != nil {
		return err
	}
	defer l.close()
	f, err := k.follow(cmd.Context(), k.filter)
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if k.publish != "" && below(k.publish, k.filter) {
		_, _ = fmt.Fprintf(k.err, "messages below %s/ are left out\n", k.publish)
	}
	for n := 0; k.count == 0 || n < k.count; n++ {
		err := k.one(cmd.Context(), f, l)
		if errors.Is(err, errInterrupted) && n > 0 {
			return errStopped
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one takes one message through the component. What was published under the prefix is left out: it
// would go round for ever.
func (k *ran) one(ctx context.Context, f *follow.Follower, l *live) error {
	m, err := f.Next()
	for err == nil && k.publish != "" && strings.HasPrefix(string(m.Topic), k.publish+"/") {
		m, err = f.Next()
	}
	if err != nil {
		return gone(ctx, k.target, err)
	}
	call := l.call(&m)
	p := passed{
		Topic: bytes.Clone(m.Topic), Payload: bytes.Clone(m.Payload), QoS: byte(m.QoS),
		Retain: m.Retain, Call: call.Function,
	}
	if !l.wants(m.Topic) {
		p.Skipped = true
		return k.tell(&p)
	}
	p.Answer, err = l.ask(ctx, &call)
	if err != nil {
		p.Error = err.Error()
	}
	if l.probe == nil {
		return err
	}
	_, _, p.Fuel = l.probe.Fuel()
	for _, own := range l.trial.Published() {
		p.Published = append(p.Published, cases.Message{
			Topic: own.Topic, Payload: own.Payload, QoS: byte(own.QoS), Retain: own.Retain,
		})
	}
	if err := k.tell(&p); err != nil {
		return err
	}
	if k.publish == "" || l.answer.Case != "replace" || p.Error != "" {
		return nil
	}
	for _, out := range l.answer.Messages {
		topic := append([]byte(k.publish+"/"), out.Topic...)
		if err := f.Publish(topic, out.Payload, out.Retain); err != nil {
			return gone(ctx, k.target, err)
		}
	}
	return nil
}

// tell prints a line for the message and one for each that came out.
func (k *ran) tell(p *passed) error {
	if k.json {
		return json.NewEncoder(k.out).Encode(p) // a line a message
	}
	before := messageText(cases.Message{Topic: p.Topic, Payload: p.Payload})
	if err := k.printf("%s", before); err != nil {
		return err
	}
	lines := []string{}
	var list []cases.Message
	switch {
	case p.Skipped:
		lines = append(lines, k.paint(faint, "not asked: no topic that it wants"))
	case p.Error != "":
		lines = append(lines, k.paint(red, printable(p.Error)))
	case json.Unmarshal(p.Answer, &list) == nil:
		for _, m := range list {
			lines = append(lines, messageText(m))
		}
	default:
		lines = append(lines, k.paint(green, printable(string(p.Answer))))
	}
	for _, m := range p.Published {
		lines = append(lines, "publishes "+messageText(m))
	}
	for _, line := range lines {
		if err := k.printf("  → %s", line); err != nil {
			return err
		}
	}
	return nil
}

func messageText(m cases.Message) string {
	return printable(string(m.Topic)) + " " + printable(string(m.Payload))
}
