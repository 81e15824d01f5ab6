package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newLog(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "log",
		Short: "Look back into the messages of listeners that are logged",
		Long: `Look back into the messages of listeners that are logged (log in the configuration of
a listener): what arrived, what components made of it, and what became of it.`,
	}
	c.AddCommand(newLogQuery(s), newLogTail(s), newLogReplay(s))
	return c
}

// lookback is the flags that say which records are wanted.
type lookback struct {
	*settings
	filter, publisher, listener, outcome, from, to string
}

func (a *lookback) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.filter, "filter", "", "topic filter, of the topics messages arrived on")
	f.StringVar(&a.publisher, "client", "", "client id of the publisher")
	f.StringVar(&a.listener, "listener", "", "name of the listener")
	f.StringVar(&a.outcome, "outcome", "", "delivered, suppressed, dropped or denied")
	outcomes := []string{"delivered", "suppressed", "dropped", "denied"}
	_ = c.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions(outcomes, // it is there
		cobra.ShellCompDirectiveNoFileComp))
	f.StringVar(&a.from, "from", "", "since when: 10m, 2h or 1d ago, or 2026-01-31T15:04:05Z")
	f.StringVar(&a.to, "to", "", "up to when, as --from")
}

// question is what the flags ask.
func (a *lookback) question(now time.Time) (q client.LogQuestion, err error) {
	q = client.LogQuestion{
		Filter: a.filter, ClientID: a.publisher, Listener: a.listener, Outcome: a.outcome,
	}
	if a.filter != "" {
		if err := validFilter("filter", a.filter); err != nil {
			return q, usageError{err}
		}
	}
	if q.From, err = moment("from", a.from, now); err == nil {
		q.To, err = moment("to", a.to, now)
	}
	return q, err
}

// moment reads a time, or how long ago it was; nothing is the zero time.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04",
		"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--%s %q is no time: write 10m, 2h or 1d for that "+
		"long ago, 2026-01-31T15:04:05Z, or 2026-01-31 15:04 on this machine's clock", flag, text)}
}

// logPage is how many records are asked for at once.
const logPage = 500

func newLogQuery(s *settings) *cobra.Command {
	a := lookback{settings: s}
	var limit int
	var newest bool
	c := &cobra.Command{
		Use:   "query",
		Short: "Show messages that went by",
		Long: `Show messages that went by, the oldest first. With --json it is a JSON object a
line.`,
		Example: "  hpmq-cli log query --filter 'sensors/#' --from 10m\n" +
			"  hpmq-cli log query --outcome suppressed --client pump-7 --newest --limit 20\n" +
			"  hpmq-cli log query --from 2026-01-31T15:00:00Z --to 2026-01-31T16:00:00Z --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := a.question(time.Now())
			if err != nil {
				return err
			}
			if limit < 0 {
				return usageError{errors.New("--limit is not below 0; 0 is all")}
			}
			q.Newest = newest
			return a.logQuery(cmd, q, limit)
		},
	}
	a.register(c)
	c.Flags().IntVar(&limit, "limit", 100, "how many at most; 0 is all")
	c.Flags().BoolVar(&newest, "newest", false, "the newest first")
	return c
}

func (s *settings) logQuery(cmd *cobra.Command, q client.LogQuestion, limit int) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	p := s.logPrinter()
	missed, more, err := eachPage(cmd.Context(), wanted{c, q, limit}, p.print)
	if err == nil {
		err = p.flush()
	}
	if err == nil && more && !s.json {
		_, err = fmt.Fprintf(s.err, "there are more: --limit 0 shows all\n")
	}
	if err == nil && missed > 0 {
		_, err = fmt.Fprintf(s.err, "%d messages went unlogged meanwhile\n", missed)
	}
	return err
}

// wanted are at most limit records, 0 for all, that answer a question.
type wanted struct {
	from     *client.Client
	question client.LogQuestion
	limit    int
}

// eachPage visits what is wanted, a page after the other.
func eachPage(
	ctx context.Context, w wanted, visit func(*client.LogRecord) error,
) (missed uint64, more bool, err error) {
	for n := 0; w.limit == 0 || n < w.limit; {
		q := &w.question
		if q.Limit = logPage; w.limit > 0 {
			q.Limit = min(logPage, w.limit-n)
		}
		page, err := w.from.Log(ctx, *q)
		if err != nil {
			return missed, false, err
		}
		for i := range page.Records {
			if err := visit(&page.Records[i]); err != nil {
				return missed, false, err
			}
		}
		n += len(page.Records)
		missed += page.Missed
		if q.Cursor, more = page.Next, page.More; !more {
			break
		}
	}
	return missed, more, nil
}

func newLogTail(s *settings) *cobra.Command {
	a := lookback{settings: s}
	c := &cobra.Command{
		Use:   "tail",
		Short: "Show messages as they go by, until Ctrl-C",
		Example: "  hpmq-cli log tail\n" +
			"  hpmq-cli log tail --filter 'sensors/#' --from 5m --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := a.question(time.Now())
			if err != nil {
				return err
			}
			return a.logTail(cmd, q)
		},
	}
	a.register(c)
	return c
}

func (s *settings) logTail(cmd *cobra.Command, q client.LogQuestion) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	var failed error
	err = c.FollowLog(cmd.Context(), q, func(r *client.LogRecord) bool {
		failed = s.logLine(r)
		return failed == nil
	})
	if cmd.Context().Err() != nil {
		return errStopped
	}
	if err == nil && failed == nil {
		err = fmt.Errorf("%w: %s", errClosed, c.Server())
	}
	if failed != nil {
		return failed
	}
	return err
}

// logLine prints one record at once.
func (s *settings) logLine(r *client.LogRecord) error {
	if s.json {
		return json.NewEncoder(s.out).Encode(r)
	}
	row := logRow(r)
	for i := range row {
		if row[i] = printable(row[i]); row[i] == "" {
			row[i] = "-"
		}
	}
	return s.printf("%s", strings.Join(row, "  "))
}

// logPrinter prints records: rows of a table, or a line each.
func (s *settings) logPrinter() *logTable { return &logTable{s: s} }

type logTable struct {
	s    *settings
	rows [][]string
}

func (t *logTable) print(r *client.LogRecord) error {
	if t.s.json {
		return json.NewEncoder(t.s.out).Encode(r)
	}
	t.rows = append(t.rows, logRow(r))
	if len(t.rows) < logPage {
		return nil
	}
	return t.flush()
}

func (t *logTable) flush() error {
	if t.s.json {
		return nil
	}
	rows := t.rows
	t.rows = nil
	return t.s.table([]string{
		"TIME", "LISTENER", "CLIENT ID", "TOPIC", "QOS", "BYTES", "OUTCOME", "TO", "WHY",
	}, rows)
}

func logRow(r *client.LogRecord) []string {
	why := strings.TrimSpace(r.Component + " " + r.Reason)
	topic := r.Topic
	for _, b := range r.Became {
		if b.Topic != r.Topic {
			topic += " → " + b.Topic
		}
	}
	return []string{
		r.Time.Local().Format("2006-01-02 15:04:05.000"), r.Listener, r.ClientID, topic,
		strconv.Itoa(r.QoS), strconv.Itoa(r.PayloadBytes), r.Outcome, strconv.Itoa(r.Receivers),
		why,
	}
}
