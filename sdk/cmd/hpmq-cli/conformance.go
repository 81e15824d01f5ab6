package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// errNotConforming says that a broker broke a statement.
var errNotConforming = errors.New("the broker does not keep to the standard")

// conformance is the command of that name.
type conformance struct {
	*settings
	target   string
	versions []string
	extra    map[string]string
	tls      suite.TLS
	opts     suite.Options

	jsonFile, junitFile, htmlFile string
	passwordFile                  string
	all, list, compare, progress  bool
}

func newConformance(s *settings) *cobra.Command {
	c := &conformance{settings: s, opts: suite.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "conformance [A.json B.json]",
		Short: "Judge any MQTT broker by the statements of the standards",
		Long: `conformance speaks to a broker as good and bad clients do and says which normative
statements of MQTT 3.1.1 and 5.0 it keeps. It needs no access but a listener. What it leaves in the
broker it takes away again.

Some statements are about what a server does that is configured so. They are judged on further
listeners, as far as there are any:
  limited   Maximum QoS 0, no retained messages, no wildcard and no shared subscriptions, no
            subscription identifiers, Server Keep Alive 5, Receive Maximum 4, Topic Alias
            Maximum 4, Maximum Packet Size 4096
  guarded   lets in --username with --password alone, refuses topics below ` +
			suite.DeniedTopic + `
  enhanced  knows the authentication method ` + suite.EnhancedMethod + ` alone

On a terminal it tells how far it is. Ctrl-C and SIGTERM end it early; what was judged until then is
printed and written all the same, the rest is "not run". Files are written when the run is over and
replace those of the name then: a run that meets no broker leaves them as they are.

A case that gets no connection is an error: it says nothing of the statements it is about.

It exits with 0 if no case failed, 1 if one did or came to no verdict (or, with --compare, two runs
differ), 2 if the command line makes no sense, 3 if there is no broker or it lets nobody in, 130 if
Ctrl-C or SIGTERM ended it.`,
		Example: `  hpmq-cli conformance
  hpmq-cli conformance --target tls://127.0.0.1:8883 --ca ca.pem --versions 5.0
  hpmq-cli conformance --target ws://127.0.0.1:8083/mqtt --junit out.xml --html out.html
  hpmq-cli conformance --username u --password-file password.txt
  hpmq-cli conformance --progress --report hpmq.json > hpmq.txt
  hpmq-cli conformance --only MQTT-3.1.2-24 --all
  hpmq-cli conformance --only 'publish/*' --versions 3.1.1,5.0 --report hpmq.json
  hpmq-cli conformance --extra limited=tcp://127.0.0.1:1884,guarded=tcp://127.0.0.1:1885
  hpmq-cli conformance --compare mosquitto.json hpmq.json
  hpmq-cli --json conformance --compare mosquitto.json hpmq.json
  hpmq-cli conformance --list`,
		Args: c.args,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.flags(cmd)
	return cmd
}

func (c *conformance) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.target, "target", "tcp://127.0.0.1:1883",
		"the listener to judge: tcp, tls, ws or wss ://HOST:PORT, or unix:///PATH")
	f.StringToStringVar(&c.extra, "extra", nil, "further listeners, as limited=URL,guarded=URL")
	f.StringVar(&c.tls.CAFile, "ca", "",
		"PEM file of the authorities to trust; empty: the system's")
	f.StringVar(&c.tls.CertFile, "cert", "", "PEM file of a client certificate to show")
	f.StringVar(&c.tls.KeyFile, "key", "", "PEM file of its key")
	f.BoolVar(&c.tls.Insecure, "insecure", false, "trust any certificate")
	f.StringVar(&c.opts.Username, "username", "", "user name for CONNECT")
	f.StringVar(&c.opts.Password, "password", "",
		"password for CONNECT, which ps shows; better --password-file or HPMQ_CLI_PASSWORD")
	f.StringVar(&c.passwordFile, "password-file", "",
		"file with the password in its first line; or set HPMQ_CLI_PASSWORD")
	f.StringSliceVar(&c.versions, "versions", []string{"3.1", "3.1.1", "5.0"}, "versions to judge")
	f.StringSliceVar(&c.opts.Only, "only", nil, "cases by name or pattern, or ids of statements")
	f.IntVar(&c.opts.Parallel, "parallel", c.opts.Parallel, "cases that run at once")
	f.DurationVar(&c.opts.CaseTimeout, "case-timeout", c.opts.CaseTimeout, "limit of one case")
	f.DurationVar(&c.opts.TimeLimit, "time-limit", 10*time.Minute,
		"limit of the whole run, 0 for none; what is left then is not run")
	f.DurationVar(&c.opts.ExpectTimeout, "timeout", c.opts.ExpectTimeout,
		"limit of one thing that a case waits for")
	f.StringVar(&c.jsonFile, "report", "", "write the report as JSON to this file")
	f.StringVar(&c.junitFile, "junit", "", "write the report as JUnit XML to this file")
	f.StringVar(&c.htmlFile, "html", "", "write the report as one HTML page to this file")
	f.BoolVar(&c.progress, "progress", false,
		"tell how far the run is every 10 s, where standard error is no terminal")
	f.BoolVar(&c.all, "all", false,
		"print a line for each case and statement, not for failures alone")
	f.BoolVar(&c.list, "list", false, "print the statements with their cases; asks no broker")
	f.BoolVar(&c.compare, "compare", false, "print where two reports differ; asks no broker")
}

func (c *conformance) args(_ *cobra.Command, args []string) error {
	switch {
	case c.compare && len(args) != 2:
		return errors.New("--compare wants two files that --report wrote")
	case !c.compare && len(args) > 0:
		return fmt.Errorf("%q is not expected; name the broker with --target", args[0])
	}
	return nil
}
