package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/client"
)

// changeBytesMax bounds a file with a change.
const changeBytesMax = 1 << 20

// bundleBytesMax bounds what is sent to a broker; its own bound may be lower.
const bundleBytesMax = oci.BytesMax

// order is a change that somebody asks for.
type order struct {
	file string
	wait bool
}

// submitLong shows every key that a change may have.
const submitLong = `Ask for a change that a file describes, in YAML or JSON. Of this only the items
are needed, with listener, role and source; without an id one is made up:

  id: router-2.1            # safe to submit again: the same change is answered
  reason: ticket 4711       # by: who asks; without it USER@HOST
  items:                    # all or none
    - listener: mqtt
      role: router
      position: 0           # in the chain of the role; the one after the last adds a component
      source: registry.example/acme/router:2.1
      component: router     # of a bundle that has several; remove: true takes out what is there
      config: {rules: []}   # left out, this and what follows: as it is in the place
      env: {REGION: west}
      grants: [kv]
      on_fault: closed
      limits: {fuel: 5000000, start_fuel: 100000000, depth_max: 1000, memory_bytes_max: 16777216}
  shadow: {for: 1m, sample: 0.1, match_min: 0.99}   # answer unheard first
  canary:                   # then serve some; canary: {} is 1, 10, 50 % of the clients for 1m each
    steps: [{percent: 5, dwell: 1m}, {percent: 25, dwell: 5m}]
    clients: [meter-7]      # beside these; percent: 0 is them alone
    tenants: []
    filters: [lab/#]
    all: false              # true: only who is in each of these that is there
  watch: 10m                # then serve all; after that the old version is let go
  thresholds:               # what makes it go by itself; left out: as here
    calls_min: 50           # questions before a share counts
    faults_min: 0           # faults that count before that; 0: none
    faults: 0.01            # questions without an answer, above the share of the old version
    latency_ratio: 4        # times the old version's, below which 90 of 100 answers stay
    latency_min: 20us       # nothing is slow below
    latency_max: 0s         # slow whatever the old version takes; 0: none
    refused: 0              # by how much the share of refusals may differ; 0: as it likes
    quiet: promote          # a step that had less than calls_min; rollback: end it
  force: false              # take an older version, or one in quarantine

A source is the name of a component that comes with the broker, HOST/NAME:TAG of a bundle in a
registry, or a file: a .wasm, or a bundle as a folder or a .tar, relative to the file of the change.
A change that has ended does not begin again by its id: if that was not as done, it exits with 1.`

func newChangeSubmit(s *settings) *cobra.Command {
	var o order
	c := &cobra.Command{
		Use:   "submit -f FILE",
		Short: "Ask for a change",
		Long:  submitLong,
		Example: "  hpmq-cli change submit -f router.yaml --wait\n" +
			"  hpmq-cli change submit -f - < router.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := s.readChange(o.file)
			if err != nil {
				return usageError{err}
			}
			dir := filepath.Dir(o.file)
			return s.submit(cmd.Context(), n, submission{dir: dir, wait: o.wait})
		},
	}
	f := c.Flags()
	f.StringVarP(&o.file, "file", "f", "", "the change, in YAML or JSON; - is standard input")
	f.BoolVar(&o.wait, "wait", false, "follow it until it ends, and exit with 1 if it is not "+
		"done, with 3 if the broker ends before it")
	mustHave(c, "file")
	return c
}

func (s *settings) readChange(name string) (n client.NewChange, err error) {
	var text []byte
	if name == "-" {
		text, err = io.ReadAll(io.LimitReader(s.in, changeBytesMax+1))
	} else {
		text, err = readFile(name, changeBytesMax)
	}
	if err != nil {
		return n, err
	}
	b, err := configs.JSON(name, text)
	if err != nil {
		return n, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return n, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// submission is how a change is submitted: paths are relative to dir.
type submission struct {
	dir  string
	wait bool
}

// submit sends what a change brings, then the change.
func (s *settings) submit(ctx context.Context, n client.NewChange, how submission) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if n.ID == "" {
		n.ID = "change-" + rand.Text()[:10]
	}
	if n.By == "" {
		n.By = operatorName()
	}
	for i := range n.Items {
		source := &n.Items[i].Source
		if !isFile(how.dir, *source) {
			continue
		}
		name, b, err := bringFile(how.dir, *source)
		if err != nil {
			return usageError{err}
		}
		up, err := c.Upload(ctx, name, b)
		if err != nil {
			return err
		}
		*source = up.Source
	}
	change, err := c.Submit(ctx, n)
	if err != nil {
		return err
	}
	return s.submitted(ctx, c, &change, how.wait)
}

// submitted says what a change is that was submitted, or what becomes of it.
func (s *settings) submitted(
	ctx context.Context, c *client.Client, change *client.Change, wait bool,
) error {
	over := final(change.State)
	switch {
	case over && change.State != "done":
		if s.json {
			if err := s.printJSON(change); err != nil {
				return err
			}
		}
		return fmt.Errorf("%w\nthat id is used up: to try again, give the change a new one",
			notDone(&client.ChangeEvent{Change: change.ID, State: change.State, Of: change.Of,
				Why: change.Why, By: change.EndedBy}))
	case wait:
		err := s.watchChange(ctx, c, change)
		if errors.Is(err, errStopped) {
			_, _ = fmt.Fprintf(s.err, "%s goes on: %s follows it, %s ends it\n",
				printable(change.ID), s.command("change watch "+change.ID),
				s.command("change cancel "+change.ID))
		}
		return err
	case s.json:
		return s.printJSON(change)
	case over:
		return s.printf("%s is done", printable(change.ID))
	}
	return s.printf("%s is %s; follow it with: hpmq-cli change watch %s", printable(change.ID),
		change.State, printable(change.ID))
}

// isFile tells a file from a name or a reference: a path that is there is one.
func isFile(dir, source string) bool {
	switch filepath.Ext(source) {
	case ".wasm", ".tar":
		return true
	}
	if strings.HasPrefix(source, ".") || filepath.IsAbs(source) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, source))
	return err == nil && strings.ContainsRune(filepath.ToSlash(source), '/')
}

// bringFile reads a .wasm or a bundle, of a folder as a tar.
func bringFile(dir, path string) (name string, b []byte, err error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	info, err := os.Stat(path)
	if err != nil {
		return name, nil, err
	}
	if !info.IsDir() {
		b, err = readFile(path, bundleBytesMax)
		return name, b, err
	}
	l, err := oci.Open(path)
	if err != nil {
		return name, nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	var tar bytes.Buffer
	err = l.WriteTar(&tar)
	return filepath.Base(path), tar.Bytes(), err
}

// operatorName is who types, for the audit; the broker says otherwise who it is without one.
func operatorName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	host, err := os.Hostname()
	if err != nil {
		return u.Username
	}
	return u.Username + "@" + host
}
