package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/trial"
)

// recordedMax bounds the messages of one record.
const recordedMax = 100_000

// functionFor is the function of the component's roles that a live message is asked of: the one
// named, or the first that takes a message.
func functionFor(named string, roles []link.Role) (string, error) {
	var all []string
	for _, function := range []string{
		"upstream", "downstream", "check", "route", "authorize", "on-message", "encode",
	} {
		role, err := link.ParseRole(cases.RoleOf(function))
		if err == nil && slices.Contains(roles, role) {
			all = append(all, function)
		}
	}
	switch {
	case len(all) == 0:
		return "", errors.New("none of its roles is asked about messages")
	case named == "":
		return all[0], nil
	case !slices.Contains(all, named):
		return "", fmt.Errorf("--call %s is no function of the component's roles; there are %s",
			named, strings.Join(all, ", "))
	}
	return named, nil
}

// live asks a component about messages of a broker.
type live struct {
	trial    *trial.Trial
	ref      link.Ref
	role     link.Role
	function string
	probe    *link.Probe
	answer   link.Answer
}

// openLive makes the guest.
func (s *settings) openLive(
	cmd *cobra.Command, f *trying, b *subject, call string,
) (*live, error) {
	t, err := s.openTrial(f, true, false)
	if err != nil {
		return nil, err
	}
	l := &live{trial: t}
	in, err := s.inspect(cmd, t, b)
	if err == nil {
		l.function, err = functionFor(call, in.Roles)
		if err != nil {
			err = usageError{err}
		}
	}
	if err == nil {
		l.role, err = link.ParseRole(cases.RoleOf(l.function))
	}
	if err == nil {
		l.ref, err = f.ref(b)
	}
	if err == nil {
		l.probe, err = t.Probe(cmd.Context(), l.role, l.ref)
	}
	if err != nil {
		_ = t.Close() // what it held is memory
		return nil, err
	}
	return l, nil
}

func (l *live) close() {
	if l.probe != nil {
		l.probe.Close()
	}
	_ = l.trial.Close() // what it held is memory
}

// call is a message as a call of the function, copied.
func (l *live) call(m *mqtt.Publish) cases.Call {
	if l.function == "encode" {
		message := cases.Message{
			Topic: bytes.Clone(m.Topic), Payload: bytes.Clone(m.Payload), QoS: byte(m.QoS),
			Retain: m.Retain,
		}
		return cases.Call{Function: l.function, Event: &cases.Event{
			Deliver: &cases.Publication{Message: message, ID: uint32(m.QoS)},
		}}
	}
	return cases.Call{
		Function: l.function, Who: &cases.Who{ClientID: "live", Listener: "live"},
		Topic: bytes.Clone(m.Topic), Payload: bytes.Clone(m.Payload), QoS: byte(m.QoS),
		Retain: m.Retain, Action: map[bool]string{true: "publish"}[l.function == "authorize"],
	}
}

// wants says whether a broker would ask the component about the topic.
func (l *live) wants(topic []byte) bool { return l.probe.Wants(l.function, topic) }

// ask asks the component. After a fault of the guest there is a new one.
func (l *live) ask(ctx context.Context, c *cases.Call) (json.RawMessage, error) {
	q := trial.QuestionOf(c)
	err := l.probe.Ask(&q, &l.answer)
	if err == nil {
		l.trial.Happened(string(c.Topic), c.Payload)
		return trial.TextOf(&q, &l.answer)
	}
	l.probe.Close()
	var again error
	if l.probe, again = l.trial.Probe(ctx, l.role, l.ref); again != nil {
		l.probe = nil
		return nil, errors.Join(err, again)
	}
	return nil, err
}

// recording is the file that a record is to be. It stands beside its place until it is whole.
type recording struct {
	*os.File
	to string
}

// openRecording finds out before the first message whether the file can be written.
func openRecording(to string, force bool) (*recording, error) {
	info, err := os.Stat(to)
	if err == nil && info.IsDir() {
		return nil, fmt.Errorf("--out %s is a folder; name a file in it", to)
	}
	if err == nil && !force {
		return nil, fmt.Errorf("--out %s is there already; name another file, or replace it with "+
			"--force", to)
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".recording-*")
	if err != nil {
		return nil, fmt.Errorf("--out %s: %w", to, err)
	}
	return &recording{f, to}, nil
}

// drop leaves nothing behind, if the recording was not kept.
func (r *recording) drop() {
	_ = r.Close()
	_ = os.Remove(r.Name())
}

// keep writes the case into its place.
func (r *recording) keep(c *cases.Case) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if _, err = r.Write(append(text, '\n')); err == nil {
		err = r.Chmod(0o644)
	}
	if err == nil {
		err = r.Close()
	}
	if err == nil {
		err = os.Rename(r.Name(), r.to)
	}
	if err != nil {
		return usageError{fmt.Errorf("--out %s: %w", r.to, err)}
	}
	return nil
}

// runRecord writes what was gathered also if a fault or the broker ends it.
func (k *tested) runRecord(cmd *cobra.Command, args []string) error {
	b, err := k.subject(args)
	if err != nil {
		return err
	}
	file, err := openRecording(k.out, k.force)
	if err != nil {
		return usageError{err}
	}
	defer file.drop()
	l, err := k.openLive(cmd, &k.trying, b, k.call)
	if err != nil {
		return err
	}
	defer l.close()
	c := cases.Case{
		About:  fmt.Sprintf("recorded from %s of %s with %s", k.record, k.target, b.name()),
		Config: l.ref.Config,
	}
	failed := k.gather(cmd.Context(), l, &c)
	if len(c.Calls) == 0 {
		return failed
	}
	if err := file.keep(&c); err != nil {
		return errors.Join(failed, err)
	}
	if k.json && failed == nil {
		return k.printJSON(map[string]any{"file": k.out, "calls": len(c.Calls)})
	}
	return errors.Join(failed, k.printf("%s: %d calls of %s", k.out, len(c.Calls), l.function))
}

// gather takes messages until there are enough, the time is over, or a signal ends it.
func (k *tested) gather(parent context.Context, l *live, c *cases.Case) error {
	ctx := parent
	if k.period > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, k.period)
		defer cancel()
	}
	f, err := k.follow(ctx, k.record)
	if err != nil {
		return k.ended(parent, err, 0)
	}
	defer f.Close()
	if !k.json {
		_, _ = fmt.Fprintf(k.err, "recording %s; Ctrl-C ends it\n", k.record)
	}
	most := recordedMax
	if k.count > 0 {
		most = min(most, k.count)
	}
	for unwanted := 0; len(c.Calls) < most; {
		m, err := f.Next()
		if err != nil && ctx.Err() != nil && len(c.Calls) > 0 {
			return nil // what was gathered is kept
		}
		if err != nil {
			return k.ended(parent, err, unwanted)
		}
		if !l.wants(m.Topic) {
			unwanted++
			continue
		}
		call := l.call(&m)
		if call.Answer, err = l.ask(ctx, &call); err != nil {
			return err
		}
		c.Calls = append(c.Calls, call)
	}
	return nil
}

// ended says why nothing more is gathered: a signal, the time, or the broker.
func (k *tested) ended(parent context.Context, err error, unwanted int) error {
	switch {
	case parent.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		var usage usageError
		if errors.As(err, &usage) || errors.Is(err, errBroker) || errors.Is(err, errClosed) {
			return err
		}
		return gone(parent, k.target, err)
	case unwanted > 0:
		return fmt.Errorf("%d messages on %s in %s, none of a topic that the component wants",
			unwanted, k.record, inWords(k.period))
	}
	return fmt.Errorf("no messages on %s in %s", k.record, inWords(k.period))
}

// inWords is a time for people: "1 s".
func inWords(d time.Duration) string {
	if d%time.Second == 0 && d < time.Hour {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return d.String()
}
