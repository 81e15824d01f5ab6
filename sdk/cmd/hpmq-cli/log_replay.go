package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/send"
)

// replayMark is the user property of a message that is published again: its value is when it
// arrived first.
const replayMark = "hpmq-replay"

// replaying is the flags of a replay, and what was done.
type replaying struct {
	lookback
	reach
	speed, rate    float64
	retain, dryRun bool
	replayed       bool

	sender *send.Sender
	first  time.Time // of the records
	began  time.Time // the replay
	next   time.Time // before which the rate lets none go
	done   replay
}

// replay is what a replay prints as JSON.
type replay struct {
	Published int  `json:"published"`
	Skipped   int  `json:"skipped"`
	Replays   int  `json:"replays"`
	DryRun    bool `json:"dry_run,omitempty"`
}

func newLogReplay(s *settings) *cobra.Command {
	p := &replaying{lookback: lookback{settings: s}}
	c := &cobra.Command{
		Use:   "replay",
		Short: "Publish messages that went by once more",
		Long: `Publish messages that went by once more, as they arrived, to --target, with the times
between them divided by --speed. Each has the user property ` + replayMark + `, the time at which it
arrived first, besides the properties of MQTT 5 that it had; a message that expired in the meantime
gets its whole interval again. What is not in the log as it was, payload or properties, is left out,
and so is what a replay published, unless --replayed is given. Retained messages are published
without the flag, unless --retain is given.`,
		Example: "  hpmq-cli log replay --from 1h --to 30m --filter 'sensors/#' --dry-run\n" +
			"  hpmq-cli log replay --from 1h --speed 10 --target tcp://127.0.0.1:1884\n" +
			"  hpmq-cli log replay --from 1d --speed 0 --rate 500",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd) },
	}
	p.lookback.register(c)
	p.reach.register(c)
	f := c.Flags()
	f.Float64Var(&p.speed, "speed", 1, "2 is twice as fast as it was; 0 as fast as --rate allows")
	f.Float64Var(&p.rate, "rate", 1000, "messages a second at most; 0 is no bound")
	f.BoolVar(&p.retain, "retain", false, "with the retain flag, where they had it")
	f.BoolVar(&p.replayed, "replayed", false, "also what a replay published, with its first time")
	f.BoolVar(&p.dryRun, "dry-run", false, "publish nothing; show what would be")
	return c
}

func (p *replaying) run(cmd *cobra.Command) error {
	p.began = time.Now()
	q, err := p.question(p.began)
	if err != nil {
		return err
	}
	if p.speed < 0 || p.rate < 0 {
		return usageError{errors.New("--speed and --rate are not below 0")}
	}
	if q.To.IsZero() {
		q.To = p.began // what is published now is not published again
	}
	c, err := p.client()
	if err != nil {
		return err
	}
	if !p.dryRun {
		if err := p.connect(cmd.Context()); err != nil {
			return err
		}
		defer p.sender.Close()
	}
	_, _, err = eachPage(cmd.Context(), wanted{c, q, 0}, func(r *client.LogRecord) error {
		return p.one(cmd.Context(), r)
	})
	return errors.Join(p.tell(), err)
}

func (p *replaying) connect(ctx context.Context) error {
	target, err := suite.ParseTarget(p.target, p.tls)
	if err != nil {
		return usageError{fmt.Errorf("--target: %w", err)}
	}
	cfg := send.Config{ClientID: p.clientID, Username: p.username}
	if cfg.ClientID == "" {
		cfg.ClientID = "hpmq-cli-" + randomText()
	}
	if cfg.Password, err = p.secret(); err != nil {
		return usageError{err}
	}
	conn, err := target.Dial(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errBroker, p.target, err)
	}
	if p.sender, err = send.Open(ctx, conn, cfg); err != nil {
		return gone(ctx, p.target, err)
	}
	return nil
}

// one publishes a record when it is its turn.
func (p *replaying) one(ctx context.Context, r *client.LogRecord) error {
	switch {
	case r.Replayed && !p.replayed:
		p.done.Replays++
		return nil
	case r.PayloadHeld != "whole" || r.Properties != nil && r.Properties.Incomplete:
		p.done.Skipped++
		return nil
	}
	if p.dryRun {
		p.done.Published++
		return p.logLine(r)
	}
	if err := p.wait(ctx, r.Time); err != nil {
		return err
	}
	m := mqtt.Publish{
		Topic: []byte(r.Topic), Payload: r.Payload, QoS: mqtt.QoS(r.QoS),
		Retain: r.Retain && p.retain, Props: replayProps(r),
	}
	if err := p.sender.Publish(&m); err != nil {
		return gone(ctx, p.target, err)
	}
	p.done.Published++
	return nil
}

// replayProps are the properties of r, and the mark: that of the first replay stays.
func replayProps(r *client.LogRecord) mqtt.Props {
	var props mqtt.Props
	marked := false
	if p := r.Properties; p != nil {
		if p.PayloadFormat != nil {
			props = props.AppendByte(mqtt.PayloadFormatIndicator, byte(*p.PayloadFormat))
		}
		if p.ExpirySeconds > 0 {
			props = props.AppendUint32(mqtt.MessageExpiryInterval, p.ExpirySeconds)
		}
		if p.ContentType != nil {
			props = props.AppendBytes(mqtt.ContentType, []byte(*p.ContentType))
		}
		if p.ResponseTopic != nil {
			props = props.AppendBytes(mqtt.ResponseTopic, []byte(*p.ResponseTopic))
		}
		if len(p.CorrelationData) > 0 {
			props = props.AppendBytes(mqtt.CorrelationData, p.CorrelationData)
		}
		for _, u := range p.User {
			props = props.AppendUser([]byte(u.Name), []byte(u.Value))
			marked = marked || u.Name == replayMark
		}
	}
	if marked {
		return props
	}
	return props.AppendUser([]byte(replayMark), []byte(r.Time.UTC().Format(time.RFC3339Nano)))
}

// wait waits until what arrived at a time is to be published.
func (p *replaying) wait(ctx context.Context, arrived time.Time) error {
	if p.first.IsZero() {
		p.first, p.began = arrived, time.Now()
	}
	at := p.next
	if p.speed > 0 {
		due := p.began.Add(time.Duration(float64(arrived.Sub(p.first)) / p.speed))
		if due.After(at) {
			at = due
		}
	}
	if d := time.Until(at); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return errInterrupted
		}
	}
	if p.rate > 0 {
		p.next = time.Now().Add(time.Duration(float64(time.Second) / p.rate))
	}
	return nil
}

func (p *replaying) tell() error {
	p.done.DryRun = p.dryRun
	if p.json {
		if p.dryRun {
			return nil // the records are the result
		}
		return p.printJSON(p.done)
	}
	what := "published"
	if p.dryRun {
		what = "would be published"
	}
	return p.printf("%d %s, %d left out: they are not in the log as they were; %d left out: a "+
		"replay published them", p.done.Published, what, p.done.Skipped, p.done.Replays)
}
