package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/trial"
)

// benched is the command component bench.
type benched struct {
	*settings
	trying
	cases, engine string
	topic         int
	payload       int
	period        time.Duration
}

func newComponentBench(s *settings) *cobra.Command {
	k := &benched{settings: s}
	c := &cobra.Command{
		Use:   "bench [FILE.wasm | DIR]",
		Short: "Measure what calls of a component cost",
		Long: `bench asks a component again and again, with fuel, depth and memory limits on, and
prints what one call costs, from the message to the answer as the broker has it: nanoseconds, fuel
(about one wasm instruction each), allocations of the host, and the memory of the guest.

Without --cases each function of its roles is asked about one message of --topic and --payload
bytes; with --cases, about the calls of these, in turn.`,
		Example: `  hpmq-cli component bench
  hpmq-cli component bench ./vendor.wasm --config vendor.json --payload 4096
  hpmq-cli component bench ./vendor.wasm --cases cases/ --engine compiler --for 5s --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: wasmFiles,
		RunE:              func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	k.register(c)
	f := c.Flags()
	f.StringVar(&k.cases, "cases", "", "file or folder with golden cases to ask")
	f.StringVar(&k.engine, "engine", "both", "compiler, interpreter or both")
	f.IntVar(&k.topic, "topic", 32, "bytes of the topic")
	f.IntVar(&k.payload, "payload", 256, "bytes of the payload, a JSON object")
	f.DurationVar(&k.period, "for", time.Second, "time to measure each function")
	// The only error is a flag that is not there, a bug.
	_ = c.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions(
		[]string{"both", "compiler", "interpreter"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// measured is a line of what a bench prints.
type measured struct {
	Role     link.Role `json:"role"`
	Function string    `json:"function"`
	Form     string    `json:"form"`
	Engine   string    `json:"engine"`
	trial.Measure
}

func (k *benched) check() error {
	switch {
	case k.engine != "both" && k.engine != "compiler" && k.engine != "interpreter":
		return fmt.Errorf("--engine %q is none of compiler, interpreter, both", k.engine)
	case k.topic < 4 || k.topic > 65535 || k.payload < 0 || k.payload > 1<<20:
		return errors.New("--topic is from 4 to 65535 bytes, --payload from 0 to 1048576")
	case k.period <= 0:
		return errors.New("--for must be above 0")
	}
	return nil
}

func (k *benched) run(cmd *cobra.Command, args []string) error {
	if err := k.check(); err != nil {
		return usageError{err}
	}
	b, err := k.subject(args)
	if err != nil {
		return err
	}
	var all []measured
	for _, engine := range []string{"compiler", "interpreter"} {
		if k.engine != "both" && k.engine != engine {
			continue
		}
		some, err := k.measure(cmd, b, engine)
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	return k.tell(all)
}

// measure measures all roles on one engine.
func (k *benched) measure(cmd *cobra.Command, b *subject, engine string) ([]measured, error) {
	t, err := k.openTrial(&k.trying, true, engine == "interpreter")
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.Close() }() // what it held is memory
	in, err := k.inspect(cmd, t, b)
	if err != nil {
		return nil, notLinkable(b, err)
	}
	if len(in.Roles) == 0 {
		return nil, fmt.Errorf("%s fits no role: see hpmq-cli component check", b.file)
	}
	var all []measured
	for _, role := range in.Roles {
		questions, err := k.questions(b, role)
		if err != nil {
			return nil, err
		}
		for _, q := range questions {
			m, err := k.function(cmd, t, b, q)
			if err != nil {
				return nil, err
			}
			m.Role, m.Function, m.Form, m.Engine = role, q.function, b.form(), engine
			all = append(all, m)
		}
	}
	return all, nil
}

// asked is the questions of one function.
type asked struct {
	role      link.Role
	function  string
	config    []byte
	questions []link.Question
}

func (k *benched) function(
	cmd *cobra.Command, t *trial.Trial, b *subject, q asked,
) (m measured, err error) {
	ref, err := k.ref(b)
	if err != nil {
		return m, err
	}
	if ref.Config == nil {
		ref.Config = q.config
	}
	t.Reset()
	p, err := t.Probe(cmd.Context(), q.role, ref)
	if err != nil {
		return m, err
	}
	defer p.Close()
	end := k.busy(fmt.Sprintf("measuring %s", q.function))
	defer end()
	m.Measure, err = t.Bench(cmd.Context(), p, q.questions, k.period)
	return m, err
}

// questions are what a role is asked.
func (k *benched) questions(b *subject, role link.Role) ([]asked, error) {
	path := k.cases
	switch {
	case path != "":
	case role != link.RoleCodec:
		return k.usual(role), nil
	default:
		if path = casesOf(b, ""); path == "" {
			return nil, usageError{fmt.Errorf("only the author of %s knows what its clients say: "+
				"write golden cases (component test --help), or name them with --cases", b.file)}
		}
	}
	all, err := cases.Load(path)
	if err != nil {
		return nil, usageError{err}
	}
	var out []asked
	for i := range all {
		out = addCalls(out, role, &all[i])
	}
	if out == nil {
		return nil, usageError{fmt.Errorf("%s has no call of %s", path, role)}
	}
	return out, nil
}

// addCalls adds the calls of a case to those of their function. The first case of a function says
// how it is configured; others that are configured otherwise are left out.
func addCalls(out []asked, role link.Role, c *cases.Case) []asked {
	for i := range c.Calls {
		call := &c.Calls[i]
		if cases.RoleOf(call.Function) != role.String() || c.Error != "" {
			continue
		}
		at := -1
		for j := range out {
			if out[j].function == call.Function {
				at = j
			}
		}
		if at < 0 {
			out, at = append(out, asked{role: role, function: call.Function,
				config: c.Config}), len(out)
		}
		if string(out[at].config) != string(c.Config) {
			continue
		}
		q := trial.QuestionOf(call)
		if i == 0 && q.State == nil {
			q.State = []byte{} // a codec's connection begins
		}
		out[at].questions = append(out[at].questions, q)
	}
	return out
}

// usual is one message for each function.
func (k *benched) usual(role link.Role) []asked {
	topic := "dev/" + strings.Repeat("x", k.topic-4)
	password := cases.Bytes("secret")
	username := "user"
	call := cases.Call{
		Who: &cases.Who{ClientID: "device-7", Username: username, Address: "192.0.2.1",
			Listener: "mqtt"},
		Topic: cases.Bytes(topic), Payload: cases.Bytes(jsonObject(k.payload)), Action: "publish",
		Group: "group", Filter: "dev/#", Credentials: &cases.Credentials{
			ClientID: "device-7", Username: &username, Password: &password, Address: "192.0.2.1",
		},
	}
	var out []asked
	for _, function := range cases.Functions() {
		if cases.RoleOf(function) != role.String() {
			continue
		}
		call.Function = function
		q := []link.Question{trial.QuestionOf(&call)}
		out = append(out, asked{role: role, function: function, questions: q})
	}
	return out
}

// jsonObject is an object of n bytes, or as short as there is one.
func jsonObject(n int) string {
	const start, end = `{"temp":21.5,"pad":"`, `"}`
	if n < len(start)+len(end) {
		return `{}`[:min(n, 2)]
	}
	return start + strings.Repeat("x", n-len(start)-len(end)) + end
}

func (k *benched) tell(all []measured) error {
	if k.json {
		return k.printJSON(all)
	}
	rows := make([][]string, 0, len(all))
	for _, m := range all {
		rows = append(rows, []string{
			m.Role.String(), m.Function, m.Form, m.Engine,
			strconv.FormatFloat(m.Nanoseconds, 'f', 0, 64), strconv.FormatFloat(m.Fuel, 'f', 0, 64),
			strconv.FormatFloat(m.Allocations, 'f', 2, 64), bytesText(int(m.MemoryBytes)),
			strconv.Itoa(m.Calls),
		})
	}
	return k.table([]string{"role", "function", "form", "engine", "ns", "fuel", "allocations",
		"memory", "calls"}, rows)
}
