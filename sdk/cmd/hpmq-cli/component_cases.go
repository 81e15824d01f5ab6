package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/trial"
)

// errCases says that a component does not answer as its golden cases say.
var errCases = errors.New("the component does not answer as its golden cases say")

// tested is the command component test.
type tested struct {
	*settings
	trying
	reach
	cases, record, out, call, replay string
	count                            int
	period                           time.Duration
	interpreter, all, force          bool
}

func newComponentTest(s *settings) *cobra.Command {
	k := &tested{settings: s}
	c := &cobra.Command{
		Use:   "test [FILE.wasm | DIR]",
		Short: "Hold a component to golden cases, record them, compare two versions",
		Long: `test asks a component what its golden cases say and compares the answers. They are in
cases/*.json, or in testdata/, beside the file. A file is an object:

  {
    "about": "the sentence that this holds the component to",
    "config": {"unit": "C"},
    "calls": [
      {"call": "upstream", "who": {"client-id": "dev1"}, "topic": "a", "payload": "21",
       "answer": [{"topic": "a", "payload": "21 C"}]}
    ]
  }

Calls and answers, in the words of wit/:

  authorize     action, topic, qos; "allow", "deny", "next", or {"decision": "allow" | "next" |
                reason code, "scope": "once" | "topic" | "action", "seconds": n}
  upstream,     topic, payload, qos, retain; "keep", "drop", or a list of messages
  downstream
  check         the same; "news", "repeated", "unchanged"
  route         topic, qos, retain; "deliver", "drop", or {"redirect", "copies", "reach"}
  on-message    the same; no answer, look at "published"
  on-client     action "connected" or "disconnected"; no answer
  on-timer      a number
  share         group, filter; "round-robin", "random", "sticky", "topic-hash"
  authenticate  credentials; "next", {"allow": {...}}, {"deny": code, "text"}, {"challenge": bytes}
  decode        input, state; {"state", "consumed", "requests": [...], "output", "close"}
  encode        event, state; {"state", "output", "wait"}

The calls of a codec's case are of one connection: without "state" it is what the call before left.
A request is {"connect": {...}}, publish, subscribe, unsubscribe, received, or "ping", "disconnect";
an event {"deliver": {"topic", "payload", "qos", "retain", "id"}}, connected, published, subscribed,
unsubscribed, disconnected, or "pong". Their fields are those of the contract (wit/codec.wit
in the project); of an answer, state and consumed are not looked at if they are left out.

Each call of a function that answers has an "answer"; a case that asks nothing is refused.
"wait_ms" lets time pass before a call, "last" says what was delivered before under topics, "logged"
what the message log has, [{"time", "client-id", "topic", "payload", "fate"}], and "published" what
the component must publish meanwhile. Bytes are text or {"hex": "00ff"}. A case of
configuration that must fail has "error" instead of calls.

--record makes a file of live messages: each is asked of the component, and the answer is the golden
one. --replay asks a recorded file of two versions, OLD.wasm and NEW.wasm, and shows where they
differ. It exits with 1 if a case fails, or if two versions differ.`,
		Example: `  hpmq-cli component test
  hpmq-cli component test ./vendor.wasm --cases vendor-cases/
  hpmq-cli component test --record 'dev/#' --out cases/live.json --count 100
  hpmq-cli component test --record 'dev/#' --target tls://10.0.0.7:8883 --for 1m --out c.json
  hpmq-cli component test --replay c.json ./vendor-v1.wasm ./vendor-v2.wasm`,
		ValidArgsFunction: wasmFiles,
		Args:              k.args,
		RunE:              func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	k.flags(c)
	return c
}

func (k *tested) flags(c *cobra.Command) {
	k.trying.register(c)
	k.reach.register(c)
	f := c.Flags()
	f.StringVar(&k.cases, "cases", "", "file or folder with golden cases (default: cases or "+
		"testdata beside the file)")
	f.BoolVar(&k.interpreter, "interpreter", false, "run on the interpreter, as on small devices")
	f.BoolVar(&k.all, "all", false, "print a line for each case, not for failures alone")
	f.StringVar(&k.record, "record", "", "topic filter: make a case of messages of a live broker")
	f.StringVar(&k.call, "call", "", "with --record: the function to ask "+
		"(default: that of the role)")
	f.StringVar(&k.out, "out", "", "with --record: the file to write")
	f.BoolVar(&k.force, "force", false, "with --record: replace the file if there is one")
	f.IntVar(&k.count, "count", 0, "with --record: end after so many messages")
	f.DurationVar(&k.period, "for", 0, "with --record: end after this time")
	f.StringVar(&k.replay, "replay", "", "file with cases to ask of OLD.wasm and NEW.wasm")
}

func (k *tested) args(_ *cobra.Command, args []string) error {
	switch {
	case k.replay != "" && k.record != "":
		return errors.New("--record and --replay: one at a time")
	case k.replay != "" && len(args) != 2:
		return errors.New("--replay wants two files, OLD.wasm and NEW.wasm")
	case k.replay == "" && len(args) > 1:
		return fmt.Errorf("one component at a time, not %s", strings.Join(args, ", "))
	case k.record != "" && k.out == "":
		return errors.New("--record wants a file: --out cases/NAME.json")
	case k.count < 0 || k.period < 0:
		return errors.New("--count and --for are not negative")
	case k.record != "":
		return validFilter("record", k.record)
	}
	return nil
}

func (k *tested) run(cmd *cobra.Command, args []string) error {
	switch {
	case k.record != "":
		return k.runRecord(cmd, args)
	case k.replay != "":
		return k.runReplay(cmd, args)
	}
	b, err := k.subject(args)
	if err != nil {
		return err
	}
	path := casesOf(b, k.cases)
	if path == "" {
		return usageError{fmt.Errorf("%s has no golden cases: write some as --help shows, into "+
			"cases/ beside it, or name them with --cases", b.file)}
	}
	all, err := cases.Load(path)
	if err != nil {
		return usageError{err}
	}
	outcomes, err := k.hold(cmd, b, all)
	if err != nil {
		return err
	}
	return k.tell(path, outcomes)
}

// hold holds a component to all cases.
func (k *tested) hold(cmd *cobra.Command, b *subject, all []cases.Case) ([]trial.Outcome, error) {
	t, err := k.openTrial(&k.trying, false, k.interpreter)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.Close() }() // what it held is memory
	in, err := k.inspect(cmd, t, b)
	if err != nil {
		return nil, notLinkable(b, err)
	}
	ref, err := k.ref(b)
	if err != nil {
		return nil, err
	}
	var outcomes []trial.Outcome
	for i := range all {
		out, err := t.Hold(cmd.Context(), trial.Subject{Ref: ref, Roles: in.Roles}, &all[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", b.file, all[i].Name, err)
		}
		outcomes = append(outcomes, out)
	}
	return outcomes, nil
}

// testReport is what a run of cases prints as JSON.
type testReport struct {
	Cases  []trial.Outcome `json:"cases"`
	Passed int             `json:"passed"`
	Failed int             `json:"failed"`
}

func (k *tested) tell(path string, outcomes []trial.Outcome) error {
	r := testReport{Cases: outcomes}
	calls, fuel := 0, uint64(0)
	for _, o := range outcomes {
		calls, fuel = calls+o.Calls, max(fuel, o.FuelMax)
		if len(o.Failures) > 0 {
			r.Failed++
		} else {
			r.Passed++
		}
	}
	if err := k.tellCases(&r); err != nil {
		return err
	}
	if !k.json {
		if err := k.printf("%d of %d cases of %s pass, %d calls, at most %s fuel a call", r.Passed,
			len(outcomes), path, calls, grouped(fuel)); err != nil {
			return err
		}
	}
	if r.Failed > 0 {
		return fmt.Errorf("%w: %d of %d failed", errCases, r.Failed, len(outcomes))
	}
	return nil
}

func (k *tested) tellCases(r *testReport) error {
	if k.json {
		return k.printJSON(r)
	}
	for _, o := range r.Cases {
		word := k.paint(green, "pass")
		if len(o.Failures) > 0 {
			word = k.paint(red, "FAIL")
		} else if !k.all {
			continue
		}
		if err := k.printf("%s  %s: %s", word, o.Name, printable(o.About)); err != nil {
			return err
		}
		for _, f := range o.Failures {
			if err := k.tellFailure(f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *tested) tellFailure(f trial.Failure) error {
	where := "configure"
	if f.Call >= 0 {
		where = fmt.Sprintf("call %d", f.Call)
	}
	return k.printf("      %s %s\n        got   %s\n        want  %s", where, printable(f.What),
		printable(f.Got), printable(f.Want))
}
