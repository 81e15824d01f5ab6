package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/trial"
)

// errChecked says that a component would be refused; why is printed.
var errChecked = errors.New("a broker would refuse it as it is asked for here: see above")

// check is the command component check.
type check struct {
	*settings
	trying
	linkFile, listener, cases string
}

func newComponentCheck(s *settings) *cobra.Command {
	k := &check{settings: s}
	c := &cobra.Command{
		Use:   "check [FILE.wasm | DIR]",
		Short: "Say what a component is, and whether a broker would link it",
		Long: `check compiles a component and starts it as a broker would, and prints what it is:
the form, the roles its exports fit, the versions of the contracts it speaks and which of them this
broker asks, what it imports and which of that a link must grant, the topics it asks for, the memory
it starts with, the fuel that starting and configuring took, and that of its golden cases if it has
any.

With --grants it says whether these suffice; with --link, whether the links of a broker's
configuration that use this file do. It exits with 1 if a broker would refuse the component.`,
		Example: `  hpmq-cli component check
  hpmq-cli component check ./vendor.wasm --config vendor.json
  hpmq-cli component check ./vendor.wasm --grants kv,history
  hpmq-cli component check ./vendor.wasm --link /etc/hpmq/hpmq.yaml --listener mqtt --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: wasmFiles,
		RunE:              func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	k.register(c)
	f := c.Flags()
	f.StringSliceVar(&k.grants, "grants", nil, "what a link would grant: kv, history, publish; "+
		"--grants= for nothing (without it: all)")
	f.StringVar(&k.linkFile, "link", "", "YAML file with the configuration of a broker")
	f.StringVar(&k.listener, "listener", "", "with --link: only the link of this listener")
	f.StringVar(&k.cases, "cases", "", "file or folder with golden cases (default: cases or "+
		"testdata beside the file)")
	return c
}

// checked is what a check found.
type checked struct {
	File    string          `json:"file"`
	Form    string          `json:"form"`
	Name    string          `json:"name,omitempty"`
	Version string          `json:"version,omitempty"`
	Digest  string          `json:"digest"`
	Size    int             `json:"size"`
	Roles   []link.Role     `json:"roles"`
	Speaks  []checkedSpoken `json:"speaks"`
	Imports []checkedImport `json:"imports"`
	// Grants are what a link must grant, each once.
	Grants  []string `json:"grants"`
	Exports []string `json:"exports"`
	// ArgumentBlock says that it takes its arguments in a block.
	ArgumentBlock bool `json:"argument_block"`
	// ByHandle says that it gets payloads above 16 KiB by handle.
	ByHandle bool            `json:"payloads_by_handle"`
	Started  []started       `json:"started"`
	Cases    *checkedCases   `json:"cases,omitempty"`
	Links    []checkedLinked `json:"links,omitempty"`
}

// checkedSpoken is an interface of the contracts that it exports.
type checkedSpoken struct {
	Name string `json:"name"`
	// Asked says that this broker asks it; Served are the versions that it serves of it.
	Asked  bool   `json:"asked"`
	Served string `json:"served"`
}

// checkedImport is an interface it imports.
type checkedImport struct {
	Name string `json:"name"`
	// Grant is what the link must grant for it, empty if every component has it.
	Grant string `json:"grant,omitempty"`
}

// started is how it started in one role.
type started struct {
	Role          link.Role `json:"role"`
	Inbound       []string  `json:"inbound"`
	Outbound      []string  `json:"outbound"`
	MemoryBytes   uint32    `json:"memory_bytes"`
	StartFuel     uint64    `json:"start_fuel"`
	ConfigureFuel uint64    `json:"configure_fuel"`
	Refused       string    `json:"refused,omitempty"`
	ToDo          string    `json:"to_do,omitempty"`
}

// checkedCases sums its golden cases up.
type checkedCases struct {
	Path    string `json:"path"`
	Cases   int    `json:"cases"`
	Failed  int    `json:"failed"`
	Calls   int    `json:"calls"`
	FuelMax uint64 `json:"fuel_max"`
}

// checkedLinked is whether one link would have it.
type checkedLinked struct {
	Where   string   `json:"where"`
	Grants  []string `json:"grants"`
	Refused string   `json:"refused,omitempty"`
	ToDo    string   `json:"to_do,omitempty"`
}

func (k *check) run(cmd *cobra.Command, args []string) error {
	b, err := k.subject(args)
	if err != nil {
		return err
	}
	t, err := k.openTrial(&k.trying, false, false)
	if err != nil {
		return err
	}
	defer func() { _ = t.Close() }() // what it held is memory
	in, err := k.inspect(cmd, t, b)
	if err != nil {
		return notLinkable(b, err)
	}
	c := k.describe(b, &in)
	if err := k.start(cmd.Context(), t, b, c); err != nil {
		return err
	}
	if err := k.holdCases(cmd.Context(), t, b, c); err != nil {
		return err
	}
	if k.linkFile != "" {
		if err := k.links(cmd.Context(), t, b, c); err != nil {
			return usageError{err}
		}
	}
	if err := k.print(c); err != nil {
		return err
	}
	return c.verdict()
}

// notLinkable adds to why a module cannot be compiled what to do.
func notLinkable(b *subject, err error) error {
	if errors.Is(err, wasm.ErrImports) {
		return fmt.Errorf("%s: %w\nno link can grant these: build it against wit/ as this broker "+
			"has it, and for WASI against preview 1 or 0.2", b.file, err)
	}
	return fmt.Errorf("%s: %w", b.file, err)
}

func (k *check) describe(b *subject, in *link.Inspection) *checked {
	c := &checked{
		File: b.file, Form: b.form(), Name: in.Name, Version: in.Version, Digest: in.Digest,
		Size: in.Size, Roles: in.Roles, Exports: in.Exports, ArgumentBlock: in.Block,
		ByHandle: in.ByHandle, Speaks: []checkedSpoken{}, Imports: []checkedImport{},
		Grants: []string{}, Started: []started{},
	}
	for _, s := range in.Speaks {
		c.Speaks = append(c.Speaks, checkedSpoken{s.Name, s.Asked, s.Served})
	}
	for _, im := range in.Imports {
		one := checkedImport{Name: im.Name}
		if !im.Always {
			one.Grant = im.Capability
		}
		if one.Grant != "" && !slices.Contains(c.Grants, one.Grant) {
			c.Grants = append(c.Grants, one.Grant)
		}
		c.Imports = append(c.Imports, one)
	}
	return c
}

// start starts it in each role that it fits.
func (k *check) start(ctx context.Context, t *trial.Trial, b *subject, c *checked) error {
	ref, err := k.ref(b)
	if err != nil {
		return err
	}
	for _, role := range c.Roles {
		s := started{Role: role, Inbound: []string{}, Outbound: []string{}}
		p, err := t.Probe(ctx, role, ref)
		var step *link.StepError
		switch {
		case errors.As(err, &step):
			s.Refused, s.ToDo = fmt.Sprintf("at step %s: %v", step.Step, step.Err), step.Do
		case err != nil:
			return err
		default:
			in, out := p.Interest()
			s.Inbound, s.Outbound = append(s.Inbound, in...), append(s.Outbound, out...)
			s.StartFuel, s.ConfigureFuel, _ = p.Fuel()
			s.MemoryBytes = p.Memory()
			p.Close()
		}
		c.Started = append(c.Started, s)
	}
	return nil
}

// casesOf is where the golden cases of a component are: as the flag says, or beside it.
func casesOf(b *subject, flag string) string {
	if flag != "" {
		return flag
	}
	for _, name := range []string{"cases", "testdata"} {
		dir := filepath.Join(filepath.Dir(b.file), name)
		if found, err := filepath.Glob(filepath.Join(dir, "*.json")); err == nil && found != nil {
			return dir
		}
	}
	return ""
}

// holdCases runs the golden cases, if there are any.
func (k *check) holdCases(ctx context.Context, t *trial.Trial, b *subject, c *checked) error {
	path := casesOf(b, k.cases)
	if path == "" || len(c.Roles) == 0 {
		return nil
	}
	all, err := cases.Load(path)
	if err != nil {
		return usageError{err}
	}
	ref, err := k.ref(b)
	if err != nil {
		return err
	}
	ref.Grants = trial.Grantable() // whether grants suffice is another question
	c.Cases = &checkedCases{Path: path, Cases: len(all)}
	for i := range all {
		out, err := t.Hold(ctx, trial.Subject{Ref: ref, Roles: c.Roles}, &all[i])
		if err != nil {
			return fmt.Errorf("%s: %w", all[i].Name, err)
		}
		c.Cases.Calls += out.Calls
		c.Cases.FuelMax = max(c.Cases.FuelMax, out.FuelMax)
		if len(out.Failures) > 0 {
			c.Cases.Failed++
		}
	}
	return nil
}

// verdict is the error that makes the exit code.
func (c *checked) verdict() error {
	if len(c.Roles) == 0 {
		return errChecked
	}
	for _, s := range c.Started {
		if s.Refused != "" {
			return errChecked
		}
	}
	for _, l := range c.Links {
		if l.Refused != "" {
			return errChecked
		}
	}
	if c.Cases != nil && c.Cases.Failed > 0 {
		return fmt.Errorf("%d golden cases fail: see hpmq-cli component test", c.Cases.Failed)
	}
	return nil
}
