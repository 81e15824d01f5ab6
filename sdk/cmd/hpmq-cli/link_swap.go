package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

const (
	// wasmBytesMax bounds a component here; the broker's own bound is lower.
	wasmBytesMax = 64 << 20
	// configBytesMax bounds the configuration of a component.
	configBytesMax = 1 << 20
)

// swap is what the flags of link swap say.
type swap struct {
	place
	position             int
	use, config, onFault string
	grants               []string
	step                 gradual
}

// gradual is what makes a change of a swap, step by step.
type gradual struct {
	bundle, dwell, keep string
	canary              []float64
	force               bool
}

func (g *gradual) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&g.bundle, "bundle", "", "a bundle instead of --use: a folder, a .tar, or "+
		"HOST/NAME:TAG in a registry")
	f.Float64SliceVar(&g.canary, "canary", nil, "percentages of the clients to serve first, step "+
		"by step: 5,25,100")
	f.StringVar(&g.dwell, "dwell", "1m", "how long each step of --canary takes")
	f.StringVar(&g.keep, "watch", "", "how long to be ready to go back by itself after all are "+
		"served: 5m")
	f.BoolVar(&g.force, "force", false, "take an older version than that in place, or "+
		"one in quarantine")
}

// asked is true if a change is asked for.
func (g *gradual) asked() bool { return g.bundle != "" || g.canary != nil || g.keep != "" }

func newLinkSwap(s *settings) *cobra.Command {
	var w swap
	c := &cobra.Command{
		Use:   "swap --listener NAME --role ROLE --use FILE.wasm",
		Short: "Put a component in the place of another while messages flow",
		Long: `Put a component in the place of another while messages flow.

The new one is compiled and checked beside the old one. If it is no good the broker says why, and
nothing has changed. Connected clients get the new one at once. A position after the last adds a
component.

A component may import log and config, and what --grant names. Without --grant, one of the same
name as the old one keeps what that was granted; else a component that comes with the broker gets
what its manifest asks for, and a file gets nothing more. A file that calls itself like a component
that comes with the broker is named "file:" and that, so it keeps nothing of the broker's own.

What is swapped in outlives the broker, until the listener's link in its configuration is another.
With --bundle, --canary or --watch it is a change, see hpmq-cli change, that is followed until it
ends: if the new one does badly it goes by itself.`,
		Example: `  hpmq-cli link swap --listener mqtt --role transformer --use ./vendor-v2.wasm
  hpmq-cli link swap --listener mqtt --role authorizer --use authorizer-rules --config rules.json
  hpmq-cli link swap --listener mqtt --role router --position 1 --use ./spread.wasm --grant kv
  hpmq-cli link swap --listener mqtt --role router --canary 5,25,100 --dwell 30s \
    --bundle registry.example/acme/router:2.1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.linkSwap(c, &w) },
	}
	w.flags(c)
	f := c.Flags()
	f.IntVar(&w.position, "position", 0, "place in the chain of the role; the one after the last "+
		"adds a component")
	f.StringVar(&w.use, "use", "", "a .wasm file, or the name of a default component")
	f.StringVar(&w.config, "config", "", "JSON file with the component's configuration "+
		"(without it that of the old one stays)")
	f.StringSliceVar(&w.grants, "grant", nil, "capabilities beside log and config: kv, history, "+
		"publish; --grant= for none (without it: see above)")
	f.StringVar(&w.onFault, "on-fault", "", "open or closed: what holds when the component fails")
	w.step.flags(c)
	c.MarkFlagsOneRequired("use", "bundle")
	c.MarkFlagsMutuallyExclusive("use", "bundle")
	return c
}

func (s *settings) linkSwap(cmd *cobra.Command, w *swap) error {
	if cmd.Flags().Changed("dwell") && w.step.canary == nil {
		return usageError{errors.New("--dwell says how long the steps of --canary take: name " +
			"them, --canary 5,25,100")}
	}
	if w.step.asked() {
		n, err := w.change(cmd.Flags().Changed("grant"))
		if err != nil {
			return usageError{err}
		}
		return s.submit(cmd.Context(), n, submission{dir: ".", wait: true})
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	req, err := w.request(cmd.Flags().Changed("grant"))
	if err != nil {
		return usageError{err}
	}
	done, err := c.Swap(cmd.Context(), req)
	if err != nil {
		return err
	}
	return s.printSwapped(done)
}

// request reads the files that the flags name. granted tells no grants from none said.
func (w *swap) request(granted bool) (client.Swap, error) {
	req := client.Swap{
		Listener: w.listener, Role: w.role, Position: w.position, Use: w.use, OnFault: w.onFault,
		Force: w.step.force, By: w.who(),
	}
	if granted {
		req.Grants = append([]string{}, w.grants...)
	}
	if strings.HasSuffix(w.use, ".wasm") || strings.ContainsRune(w.use, os.PathSeparator) {
		code, err := readFile(w.use, wasmBytesMax)
		if err != nil {
			return req, err
		}
		req.Wasm = code
		req.Use = strings.TrimSuffix(filepath.Base(w.use), ".wasm")
	}
	if w.config != "" {
		text, err := readFile(w.config, configBytesMax)
		if err != nil {
			return req, err
		}
		if err := json.Unmarshal(text, &req.Config); err != nil || req.Config == nil {
			return req, fmt.Errorf("%s must be a JSON object: %w", w.config,
				errors.Join(err, errNoObject(req.Config)))
		}
	}
	return req, nil
}

// change is w as a change. Files are sent by who submits it.
func (w *swap) change(granted bool) (n client.NewChange, err error) {
	without := *w
	without.use = ""
	req, err := without.request(granted)
	source := w.use
	if w.step.bundle != "" {
		source = w.step.bundle
		if _, err := os.Stat(source); err == nil && !isFile("", source) {
			source = "." + string(os.PathSeparator) + source
		}
	}
	n = client.NewChange{
		Items: []client.ChangeItem{{
			Listener: w.listener, Role: w.role, Position: w.position, Source: source,
			Config: req.Config, Grants: req.Grants, OnFault: w.onFault,
		}},
		Watch: w.step.keep, Force: w.step.force, By: w.who(),
	}
	if w.step.canary != nil {
		n.Canary = &client.CanaryPlan{}
	}
	for _, percent := range w.step.canary {
		n.Canary.Steps = append(n.Canary.Steps, client.CanaryStep{
			Percent: percent, Dwell: w.step.dwell,
		})
	}
	return n, err
}

func errNoObject(m map[string]any) error {
	if m == nil {
		return errors.New("no object")
	}
	return nil
}

// readFile reads a file that has something in it.
func readFile(name string, bytesMax int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, bytesMax+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > bytesMax {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, bytesMax)
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%s is empty: was it built?", name)
	}
	return b, nil
}

func (s *settings) printSwapped(d client.Swapped) error {
	if s.json {
		return s.printJSON(d)
	}
	keeps := ""
	if d.Keeps != nil {
		keeps = "; keeps grants " + printable(strings.Join(d.Keeps, ", ")) + " of " +
			printable(d.New.Name)
	}
	if d.Unrecorded != "" {
		keeps += "; " + printable(d.Unrecorded)
	}
	return s.printf("%s %s[%d]: %s → %s (prepared in %d ms, changed over in %d µs)%s",
		d.Listener, d.Role, d.Position, named(d.Old), named(d.New),
		d.PrepareMillis, d.CommitMicros, keeps)
}

// named says which component in a few words.
func named(l client.Linked) string {
	if l.Name == "" {
		return "nothing"
	}
	words := []string{printable(l.Name)}
	if l.Version != "" {
		words = append(words, printable(l.Version))
	}
	return strings.Join(append(words, short(l.Digest)), " ")
}
