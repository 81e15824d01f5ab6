package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/registry"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
)

// The exit codes.
const (
	exitOK = iota
	// exitRefused: the broker said no, and nothing has changed, or a change is not done.
	exitRefused
	// exitUsage: the command line makes no sense, or names a file that cannot be read.
	exitUsage
	// exitUnreachable: no broker answered, or not to the end, or it lets the suite in nowhere.
	exitUnreachable
	// exitInterrupted: Ctrl-C or SIGTERM ended the command, as shells tell it.
	exitInterrupted = 130
)

// errInterrupted says that a signal ended the command.
var errInterrupted = errors.New("ended by a signal")

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// settings are the flags that every command has.
type settings struct {
	server, token, tokenFile string
	json                     bool
	streams
	started bool // a command began; what fails before is the command line
}

// usageError is an error of the person at the keyboard.
type usageError struct{ error }

// run runs one command line and answers its exit code.
func run(ctx context.Context, args []string, std streams) int {
	s := &settings{streams: std}
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	err := root.ExecuteContext(ctx)
	if err != nil && !s.started {
		err = usageError{fmt.Errorf("%w; see --help", err)}
	}
	if err != nil && !errors.Is(err, errStopped) && !errors.Is(err, errIll) {
		_, _ = fmt.Fprintf(std.err, "hpmq-cli: %s\n", printableLines(explain(err)))
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var refused *client.Error
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &refused):
		return exitRefused
	case errors.As(err, &usage), errors.Is(err, suite.ErrPattern):
		return exitUsage
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, suite.ErrUnreachable),
		errors.Is(err, suite.ErrRefused), errors.Is(err, errBroker), errors.Is(err, errClosed),
		errors.Is(err, client.ErrClosed):
		return exitUnreachable
	}
	return exitRefused
}

// explain adds what to do.
func explain(err error) string {
	text := err.Error()
	var refused *client.Error
	var unknown *tls.CertificateVerificationError
	var dial *net.OpError
	var step *link.StepError
	var distrusted *sign.Refusal
	var registered *registry.Error
	switch {
	case errors.As(err, &step):
		said := fmt.Sprintf("%s as %s is refused at step %s: %v\nto do: %s", step.Use, step.Role,
			step.Step, step.Err, step.Do)
		text = strings.Replace(text, step.Error(), said, 1)
	case errors.Is(err, context.Canceled):
	case errors.As(err, &distrusted):
		text = fmt.Sprintf("%s %s is not trusted: %s\nto do: %s", distrusted.Bundle.Name,
			distrusted.Bundle.Version, distrusted.Said, distrusted.Do)
	case errors.As(err, &registered):
		text = fmt.Sprintf("%s %s: %v\nto do: %s", registered.Op, registered.Ref, registered.Err,
			registered.Do)
		if errors.As(err, &unknown) {
			text += ", with --ca FILE"
		}
	case errors.Is(err, oci.ErrDigest), errors.Is(err, oci.ErrMissing):
		text += "\nto do: do not use it; get the bundle again from who made it"
	case errors.Is(err, client.ErrUnreachable):
		text += "\nis the broker running? start it with: hpmq   or name another with --server URL"
	case errors.Is(err, client.ErrClosed):
		text += "\nwhat was asked for may have been done: ask again what there is"
	case errors.As(err, &unknown):
		text += "\nname the authorities to trust with --ca FILE, or trust any with --insecure"
	case (errors.Is(err, suite.ErrUnreachable) || errors.Is(err, errBroker)) &&
		errors.As(err, &dial) && dial.Op == "dial":
		text += "\nis the broker running? name another listener with --target URL"
	case errors.As(err, &refused) && refused.Status == 401:
		text += "\npass the token with --token-file FILE or HPMQ_CLI_TOKEN"
	}
	return text
}

func newRoot(s *settings) *cobra.Command {
	root := &cobra.Command{
		Use:   "hpmq-cli",
		Short: "Operate an HPMQ broker",
		Long: `hpmq-cli asks a running broker through its admin API, tries brokers as a client,
and makes, tries, signs and ships components without one.

It exits with 0 if all is well, 1 if the broker refused (nothing has changed then) or a change is
not done, 2 if the command line makes no sense, 3 if no broker answered, or it went away before the
end, 130 if Ctrl-C or SIGTERM ended it.`,
		Example: `  hpmq-cli status
  hpmq-cli listener add secure --bind tls://:8883 --certificate server.pem --key server.key
  hpmq-cli link show
  hpmq-cli component new --lang c --role transformer vendor
  hpmq-cli component check ./vendor-v2.wasm
  hpmq-cli link swap --listener mqtt --role transformer --use ./vendor-v2.wasm
  hpmq-cli --server http://10.0.0.7:18083 --token-file admin.token clients list`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	f := root.PersistentFlags()
	f.StringVar(&s.server, "server", env("HPMQ_CLI_SERVER", client.DefaultServer),
		"admin API of the broker (HPMQ_CLI_SERVER)")
	f.StringVar(&s.token, "token", "",
		"bearer token; better HPMQ_CLI_TOKEN, which ps does not show")
	f.StringVar(&s.tokenFile, "token-file", "", "file with the bearer token")
	f.BoolVar(&s.json, "json", false, "print JSON, for programs, where a command has a result")
	root.Version = ownVersion()
	root.AddCommand(newVersion(s), newStatus(s), newLink(s), newListener(s), newClients(s),
		newPasswd(s), newCert(s), newConformance(s), newComponent(s), newWIT(s), newBundle(s),
		newStore(s), newBackup(s), newLog(s), newChange(s))
	s.watch(root)
	completeFlags(root)
	return root
}

// watch notes when a command begins. A group without a command of it prints its help.
func (s *settings) watch(c *cobra.Command) {
	if act := c.RunE; act != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			s.started = true
			return act(c, args)
		}
	} else {
		c.Args = noCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, sub := range c.Commands() {
		s.watch(sub)
	}
}

// noCommand refuses what stands where a command of a group should.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s has no command %q", c.CommandPath(), args[0])
	}
	return nil
}

// client answers a client of the broker that the flags name.
func (s *settings) client() (*client.Client, error) {
	token := s.token
	if token == "" {
		token = os.Getenv("HPMQ_CLI_TOKEN")
	}
	if s.tokenFile != "" {
		b, err := os.ReadFile(s.tokenFile)
		if err != nil {
			return nil, usageError{err}
		}
		token = string(b)
	}
	c, err := client.New(s.server, token)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
