package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/admin"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/host/witness"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// logName is the folder of the message log in the data folder.
const logName = "log"

// openMessageLog opens the message log, and the linker of the components that redact what goes into
// it: they sit with the one goroutine that writes, so it is a linker of one loop. Both come before
// the loops, and end after them.
func (a *App) openMessageLog(context.Context) error {
	dir := a.dataPath(logName)
	if dir == "" {
		return nil
	}
	cfg := witness.Default()
	loops := a.shardConfig()
	cfg.Dir, cfg.Loops = dir, loops.Loops()
	cfg.FreeBytesMin, cfg.Free = int64(a.cfg.Store.FreeBytesMin), store.FreeBytes
	if a.space != nil {
		cfg.Free = a.space
	}
	cfg.Now = func() broker.Time { return broker.Time(a.now()) }
	cfg.Trouble, cfg.Found = a.logTrouble, a.logFound
	cfg.Settle = func(ctx context.Context) error { return a.loops.Settle(ctx) }
	w, err := witness.Open(cfg)
	if err != nil {
		return fmt.Errorf("app: message log: %w", err)
	}
	l, err := a.newLinker(1, w)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	a.witness, a.redactors = w, l
	a.later("redactors", l.Close)
	a.later("message log", func(context.Context) error { return w.Close() })
	return nil
}

// logTrouble is witness.Config.Trouble. It runs with a log locked.
func (a *App) logTrouble(listener string, err error) {
	a.unlogged.set(listener, err)
	if err != nil {
		a.log.Error("app: messages go unlogged until the device takes them again", "listener",
			listener, "error", err)
		return
	}
	a.log.Warn("app: messages are logged again", "listener", listener)
}

// logFound tells of a message log that is not as it was left. It is called before there are alarms.
func (a *App) logFound(listener string, rep msglog.Report) {
	if rep.CutBytes > 0 {
		a.log.Info("app: message log: the torn end is cut off: the broker ended while it wrote",
			"listener", listener, "bytes", rep.CutBytes)
	}
	if rep.Damaged > 0 {
		a.logDamaged.Add(int64(rep.Damaged))
		a.log.Warn("app: message log: what is behind the damage in these files is not found",
			"listener", listener, "files", rep.Damaged)
	}
	if len(rep.Aside) > 0 {
		a.logAside.Add(int64(len(rep.Aside)))
		a.log.Error("app: message log: a newer version of the broker wrote these files: they are "+
			"set aside, as they were; for what is in them give them their names back and start "+
			"that version", "listener", listener, "files", rep.Aside)
	}
}

// redactor is the spec of what redacts the log of a listener, nil if nothing does. What it cannot
// answer is not kept.
func redactor(cfg *configs.Listener) (link.Spec, error) {
	if cfg.Log == nil || cfg.Log.Redact == nil {
		return nil, nil
	}
	ref, err := refOf(cfg.Log.Redact)
	ref.OnFault = link.FaultClosed
	return link.Spec{link.RoleTransformer: {ref}}, err
}

// relinkRedactor links what redacts the log of a listener, or lets go of what did.
func (c *changeover) relinkRedactor(ctx context.Context, w *want, d *door) error {
	l := c.app.redactors
	if l == nil || !w.relink && reflect.DeepEqual(d.cfg.Log, w.next.Log) {
		return nil
	}
	was := d.cfg
	if w.redact == nil {
		c.commits = append(c.commits, func() error { return ignoreUnknown(l.Unlink(d.key)) })
		return nil
	}
	if err := l.Link(ctx, d.key, w.redact); err != nil {
		return fmt.Errorf("app: log.redact: %w", renamed(err, d.key, w.next.Name))
	}
	c.undos = append(c.undos, func() error {
		before, err := redactor(&was)
		if before == nil || err != nil || w.door == nil {
			return errors.Join(err, ignoreUnknown(l.Unlink(d.key)))
		}
		return l.Link(context.Background(), d.key, before)
	})
	return nil
}

// ignoreUnknown leaves out that there was nothing to unlink.
func ignoreUnknown(err error) error {
	if errors.Is(err, link.ErrUnknownListener) {
		return nil
	}
	return err
}

// policies answers the policies of a door: those of its link, with the message log before
// them if its messages are logged.
func (a *App) policies(d *door, cfg *configs.Listener) (func(loop int) broker.Policy, error) {
	inside := func(loop int) broker.Policy { return a.linker.Policy(d.key, loop) }
	m := cfg.Log
	if m == nil {
		return inside, nil
	}
	if a.witness == nil {
		return nil, fmt.Errorf("app: listener %s: log: needs a data folder: %w", cfg.Name,
			errRefused)
	}
	s := witness.Settings{
		Filters: m.Filters, PayloadBytesMax: int(m.PayloadBytesMax),
		BytesMax: int64(min(m.BytesMax, math.MaxInt64)), AgeMax: m.AgeMax.Std(),
	}
	switch m.Payload {
	case configs.PayloadNone:
		s.Payload = witness.None
	case configs.PayloadRedacted:
		s.Payload, s.Redactor = witness.Redacted, a.redactors.Policy(d.key, 0)
	}
	tap, err := a.witness.Tap(cfg.Name, s, inside)
	if err != nil {
		return nil, fmt.Errorf("app: listener %s: %w", cfg.Name, err)
	}
	return tap, nil
}

// logBytesMax bounds the payloads of one answer.
const logBytesMax = 4 << 20

var errNoLog = fmt.Errorf("app: nothing is logged without a data folder: %w", admin.ErrNotFound)

// Log is admin.Messages.
func (o *operator) Log(ctx context.Context, q client.LogQuestion) (client.LogPage, error) {
	var page client.LogPage
	w, question, err := o.logQuestion(q)
	if err != nil {
		return page, err
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	a, err := w.Look(ctx, question, func(r *msglog.Record) bool {
		page.Records = append(page.Records, logRecord(r))
		return true
	})
	page.Next, page.More, page.Missed = a.Next, a.More, a.Missed
	return page, logError(err)
}

// logTimeout bounds one look into the log.
const logTimeout = 30 * time.Second

// FollowLog is admin.Messages. It ends with the node.
func (o *operator) FollowLog(
	ctx context.Context, q client.LogQuestion, visit func(*client.LogRecord) bool,
	pause func() bool,
) error {
	w, question, err := o.logQuestion(q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.life, cancel)()
	err = w.Follow(ctx, question, func(r *msglog.Record) bool {
		out := logRecord(r)
		return visit(&out)
	}, pause)
	return logError(err)
}

// logQuestion puts a question in the words of the log.
func (o *operator) logQuestion(q client.LogQuestion) (*witness.Witness, witness.Question, error) {
	if o.witness == nil {
		return nil, witness.Question{}, errNoLog
	}
	out := witness.Question{
		Listener: q.Listener, Max: min(max(q.Limit, 1), admin.LogMax), BytesMax: logBytesMax,
	}
	outcome, err := msglog.ParseOutcome(q.Outcome)
	out.Query = msglog.Query{
		Filter: q.Filter, Client: q.ClientID, Outcome: outcome, Newest: q.Newest, After: q.Cursor,
	}
	if q.Newest {
		out.After, out.Before = 0, q.Cursor
	}
	if !q.From.IsZero() {
		out.From = max(1, q.From.UnixMilli()) // 0 is no bound
	}
	if !q.To.IsZero() {
		out.To = q.To.UnixMilli()
	}
	if err = errors.Join(err, out.Validate()); err != nil {
		return nil, out, fmt.Errorf("%w: %w", errRefused, err)
	}
	return o.witness, out, nil
}

// logError is err in the words of the admin API.
func logError(err error) error {
	switch {
	case errors.Is(err, witness.ErrUnknown):
		return fmt.Errorf("%w: %w", admin.ErrNotFound, err)
	case errors.Is(err, witness.ErrBusy):
		return fmt.Errorf("%w: %w", admin.ErrBusy, err)
	}
	return err
}

// logRecord is a copy of r in the words of the admin API.
func logRecord(r *msglog.Record) client.LogRecord {
	out := client.LogRecord{
		ID: r.ID, Time: time.UnixMilli(r.Time).UTC(), Listener: r.Listener,
		ClientID: string(r.Client), Username: string(r.User), Address: string(r.Address),
		Tenant: string(r.Tenant), LogPart: logPart(&r.Part),
		Properties: logProperties(r), Replayed: r.Replayed,
	}
	for i := range r.Became {
		out.Became = append(out.Became, logPart(&r.Became[i]))
	}
	return out
}

func logPart(p *msglog.Part) client.LogPart {
	return client.LogPart{
		Topic: string(p.Topic), QoS: int(p.QoS), Retain: p.Retain,
		Payload: append([]byte(nil), p.Payload...), PayloadBytes: int(p.Size),
		PayloadHeld: p.Held.String(), Outcome: p.Outcome.String(), Component: string(p.By),
		Reason: string(p.Why), Receivers: int(p.Receivers), Lost: int(p.Lost),
	}
}

// logProperties is nil for a message that had none.
func logProperties(r *msglog.Record) *client.LogProperties {
	if len(r.Properties) == 0 && r.Expiry == 0 && !r.Incomplete {
		return nil
	}
	out := &client.LogProperties{ExpirySeconds: r.Expiry, Incomplete: r.Incomplete}
	props := mqtt.Props(r.Properties)
	if b, ok := props.Byte(mqtt.PayloadFormatIndicator); ok {
		n := int(b)
		out.PayloadFormat = &n
	}
	text := func(id mqtt.PropID) *string {
		b, ok := props.Bytes(id)
		if !ok {
			return nil
		}
		s := string(b)
		return &s
	}
	out.ContentType, out.ResponseTopic = text(mqtt.ContentType), text(mqtt.ResponseTopic)
	if b, ok := props.Bytes(mqtt.CorrelationData); ok {
		out.CorrelationData = append([]byte{}, b...)
	}
	props.Users(func(name, value []byte) bool {
		out.User = append(out.User, client.LogProperty{Name: string(name), Value: string(value)})
		return true
	})
	return out
}
