package suite

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Options are what the user of the suite says.
type Options struct {
	// Target is the listener that is judged.
	Target *Target
	// Extra are the targets Limited, Guarded, Enhanced, as far as there are any.
	Extra map[string]*Target
	// Username and Password are sent in CONNECT; empty for none.
	Username, Password string
	// Versions to judge.
	Versions []mqtt.Version
	// Only are patterns of names (connect/*) or ids of statements, of which one must fit; nil: all.
	Only []string
	// Parallel is how many cases run at once.
	Parallel int
	// CaseTimeout bounds one case, ExpectTimeout one thing it waits for.
	CaseTimeout, ExpectTimeout time.Duration
	// ReturnTimeout is how long a server that ended may take to be back.
	ReturnTimeout time.Duration
	// TimeLimit bounds the run; 0 does not. What is left is not run then.
	TimeLimit time.Duration
	// Progress is told of each result as it comes, from several goroutines; nil: nobody is.
	Progress func(Result)
	// Warn is told of what a run could not take away again; nil: nobody is.
	Warn func(text string)
}

// DefaultOptions suit a broker near by.
func DefaultOptions() Options {
	return Options{
		Versions: []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}, Parallel: 16,
		CaseTimeout:   30 * time.Second,
		ExpectTimeout: 5 * time.Second, ReturnTimeout: 10 * time.Second,
	}
}

// Outcome is what came of one run of a case.
type Outcome string

// The outcomes. Errored: there was no connection, or the case itself is broken; it says nothing of
// the server. Skipped: the server does not offer what the case is about, and may. NotRun: the case
// needs a target that there is none of.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Errored Outcome = "error"
	Skipped Outcome = "skipped"
	NotRun  Outcome = "not run"
)

// Result is one run of one case with one version.
type Result struct {
	Case       string        `json:"case"`
	Version    string        `json:"version"`
	Statements []string      `json:"statements,omitempty"`
	Text       string        `json:"text"`
	Outcome    Outcome       `json:"outcome"`
	Reason     string        `json:"reason,omitempty"`
	Faults     []string      `json:"faults,omitempty"`
	Transcript []string      `json:"transcript,omitempty"`
	Took       time.Duration `json:"took_ns"`

	struck bool // it failed while the server ended
}

// runner is one run of the suite.
type runner struct {
	opts *Options
	id   string
	outages
}

// job is one case with one version.
type job struct {
	c      *Case
	v      mqtt.Version
	number int
}

// ErrPattern says that a word of Options.Only fits no case and no statement.
var ErrPattern = errors.New("suite: fits no case and no statement")

// ErrTimeLimit says that Options.TimeLimit ended the run; there are results all the same.
var ErrTimeLimit = errors.New("suite: the time limit of the run is over")

// Run runs the cases and answers their results in the order of the cases. Without results the error
// says why nothing was judged: no broker, no case. With results it says that the run was ended
// early, by ctx or by TimeLimit. It blocks until all is done.
func Run(ctx context.Context, cases []Case, opts Options) ([]Result, error) {
	r, jobs, err := prepare(ctx, cases, &opts)
	if err != nil {
		return nil, err
	}
	return r.judge(ctx, jobs)
}

// judge runs the jobs of prepare.
func (r *runner) judge(ctx context.Context, jobs []job) ([]Result, error) {
	limited := ctx
	if r.opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, r.opts.TimeLimit)
		defer cancel()
	}
	results := make([]Result, len(jobs))
	r.batch(limited, jobs, results, r.opts.Parallel, false)
	r.batch(limited, jobs, results, 1, true)
	r.again(limited, jobs, results)
	r.leftovers()
	if limited.Err() != nil && ctx.Err() == nil {
		return results, ErrTimeLimit
	}
	return results, ctx.Err()
}

// prepare looks at the cases and meets the targets.
func prepare(ctx context.Context, cases []Case, opts *Options) (*runner, []job, error) {
	if err := Check(cases); err != nil {
		return nil, nil, err
	}
	if err := checkOnly(cases, opts.Only); err != nil {
		return nil, nil, err
	}
	id := make([]byte, 4)
	_, _ = rand.Read(id)
	r := &runner{opts: opts, id: hex.EncodeToString(id)}
	if err := r.probe(ctx, opts.Target); err != nil {
		return nil, nil, unmet(opts.Target.String(), err)
	}
	for name, extra := range opts.Extra {
		err := r.probe(ctx, extra)
		// Guarded and Enhanced need not let this client in, but must be there.
		there := errors.Is(err, errNoAnswer) || errors.Is(err, ErrRefused)
		if err != nil && (name == Limited || !there) {
			return nil, nil, unmet(name+": "+extra.String(), err)
		}
	}
	return r, r.jobs(cases), nil
}

// checkOnly wants every word to fit something: one that does not is a slip of the pen.
func checkOnly(cases []Case, only []string) error {
	for _, word := range only {
		one := &runner{opts: &Options{Only: []string{word}}}
		fits := func(c Case) bool {
			return slices.ContainsFunc(c.For(), func(v mqtt.Version) bool {
				return one.wanted(&c, v)
			})
		}
		if !slices.ContainsFunc(cases, fits) {
			return fmt.Errorf("%w: %q; --list has the names", ErrPattern, word)
		}
	}
	return nil
}

func (r *runner) jobs(cases []Case) []job {
	var jobs []job
	for i := range cases {
		c := &cases[i]
		for _, v := range c.For() {
			if slices.Contains(r.opts.Versions, v) && r.wanted(c, v) {
				jobs = append(jobs, job{c, v, len(jobs)})
			}
		}
	}
	return jobs
}

func (r *runner) wanted(c *Case, v mqtt.Version) bool {
	if len(r.opts.Only) == 0 {
		return true
	}
	for _, only := range r.opts.Only {
		if ok, _ := path.Match(only, c.Name); ok || only == c.Name {
			return true
		}
		for _, id := range c.Statements(v) {
			if id == only || strings.HasSuffix(id, "/"+strings.Trim(only, "[]")) {
				return true
			}
		}
	}
	return false
}

// batch runs the jobs that are, or are not, alone.
func (r *runner) batch(ctx context.Context, jobs []job, results []Result, n int, alone bool) {
	feed := make(chan int)
	var workers sync.WaitGroup
	for range max(1, n) {
		workers.Go(func() {
			for i := range feed {
				results[i] = r.one(ctx, jobs[i])
				if r.opts.Progress != nil && !results[i].struck {
					r.opts.Progress(results[i])
				}
			}
		})
	}
	for i, j := range jobs {
		if j.c.Alone == alone {
			feed <- i
		}
	}
	close(feed)
	workers.Wait()
}

// one runs one case with one version.
func (r *runner) one(ctx context.Context, j job) Result {
	res := Result{Case: j.c.Name, Version: j.v.String(), Statements: j.c.Statements(j.v),
		Text: j.c.Text, Outcome: NotRun}
	target := r.opts.Target
	if j.c.Target != "" {
		target = r.opts.Extra[j.c.Target]
	}
	switch {
	case ctx.Err() != nil:
		res.Reason = reasonEnded
		return res
	case r.gone.Load():
		res.Reason = reasonGone
		return res
	case target == nil:
		res.Reason = "needs a target " + j.c.Target
		return res
	case j.c.WebSocket && !target.webSocket():
		res.Reason = "is about WebSocket"
		return res
	}
	since := r.count.Load()
	ended := res
	r.run(ctx, j, target, &res)
	if d, ok := ctx.Deadline(); ctx.Err() != nil || ok && !time.Now().Before(d) {
		// It was cut off: whatever it saw is no verdict.
		ended.Reason = reasonEnded
		return ended
	}
	bad := res.Outcome == Failed || res.Outcome == Errored
	res.struck = bad && r.struck(ctx, target, since)
	return res
}

func (r *runner) run(whole context.Context, j job, target *Target, res *Result) {
	ctx, cancel := context.WithTimeout(whole, r.opts.CaseTimeout)
	defer cancel()
	t := &T{run: r, c: j.c, version: j.v, target: target, number: j.number, ctx: ctx}
	// A run that is ended waits for nothing that a case waits for.
	defer context.AfterFunc(whole, t.hangUp)()
	start := time.Now()
	t.log.start = start
	t.guard(func() { j.c.Run(t) })
	t.clean()
	res.Took = time.Since(start)
	t.verdict(res)
}

func (t *T) verdict(res *Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	res.Faults, res.Reason = t.faults, t.skipped
	switch {
	case t.errored:
		res.Outcome, res.Transcript = Errored, t.log.text()
	case len(t.faults) > 0:
		res.Outcome, res.Transcript = Failed, t.log.text()
	case t.skipped != "":
		res.Outcome = Skipped
	default:
		res.Outcome = Passed
	}
}

// guard runs f until it returns or ends the case. Any other panic is a bug of the case, told as a
// fault.
func (t *T) guard(f func()) {
	defer func() {
		v := recover()
		if _, ended := v.(stop); v != nil && !ended {
			t.errored = true
			t.Errorf("the case itself is broken: %v\n%s", v, debug.Stack())
		}
	}()
	f()
}

// deadline is when the case is out of time.
func (t *T) deadline() time.Time {
	d, _ := t.ctx.Deadline()
	return d
}

// ErrUnreachable says that there is no broker to judge.
var ErrUnreachable = errors.New("suite: no broker at the target")

// ErrRefused says that there is a broker and that it lets no client in.
var ErrRefused = errors.New("suite: the broker refuses the client; are user name, password and " +
	"client certificate right?")

// reasonEnded is why a case was not run, or not to its end.
const reasonEnded = "the run was ended early"

// unmet says why a target is not judged.
func unmet(target string, err error) error {
	if errors.Is(err, ErrRefused) {
		return fmt.Errorf("%s: %w", target, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrUnreachable, target, err)
}

// errNoAnswer says that nothing at the target speaks MQTT.
var errNoAnswer = errors.New("there is something, and it answers CONNECT neither by 5.0 nor by " +
	"3.1.1; is it an MQTT broker, on this transport?")

// probe asks a target what it offers.
func (r *runner) probe(ctx context.Context, target *Target) error {
	conn, err := target.dial(ctx)
	if err != nil {
		return err
	}
	_ = conn.Close()
	var why []string
	answer := errNoAnswer
	for _, v := range []mqtt.Version{mqtt.V5, mqtt.V311} {
		ctx, cancel := context.WithTimeout(ctx, r.opts.ExpectTimeout)
		t := &T{run: r, c: &Case{}, version: v, target: target, number: int(v), ctx: ctx}
		t.guard(func() { t.meet(target) })
		cancel()
		t.clean()
		if len(t.faults) == 0 {
			return nil
		}
		if t.refused {
			answer = ErrRefused
		}
		why = append(why, fmt.Sprintf("with %s: %s", v, t.faults[0]))
	}
	return fmt.Errorf("%w; %s", answer, strings.Join(why, "; "))
}

// meet reads what the target says of itself. Whether it says so as it must is for the cases: here
// any CONNACK that lets the client in will do.
func (t *T) meet(target *Target) {
	c := t.Dial()
	c.Send(t.Connecting(Named("c" + t.run.id + "probe")).Append(nil))
	frame := c.Expect(mqtt.CONNACK)
	var p mqtt.Connack
	err := p.Decode(t.version, frame)
	switch {
	case err != nil && len(frame) == 4 && frame[3] != 0:
		// A server of 3.1.1 answers a client of 5.0 in its own words.
		t.refused = true
		t.Fatalf("CONNACK of 3.1.1 with return code %d", frame[3])
	case err == nil && p.Reason != mqtt.Success:
		t.refused = true
		t.Fatalf("CONNACK %s", reasonText(p.Reason))
	case err == nil && t.version == mqtt.V5:
		target.server = ServerOf(p.Props)
	}
	c.Disconnect()
}
