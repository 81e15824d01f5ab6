package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// prepare reads the flags into options.
func (c *conformance) prepare() error {
	if c.opts.Parallel < 1 || c.opts.CaseTimeout <= 0 || c.opts.ExpectTimeout <= 0 {
		return errors.New("--parallel, --case-timeout and --timeout must be above 0")
	}
	if c.opts.TimeLimit < 0 {
		return errors.New("--time-limit must be above 0, or 0 for none")
	}
	if (c.tls.CertFile == "") != (c.tls.KeyFile == "") {
		return errors.New("--cert and --key go together")
	}
	if err := c.prepareVersions(); err != nil {
		return err
	}
	if err := c.preparePassword(); err != nil {
		return err
	}
	return c.prepareTargets()
}

func (c *conformance) prepareVersions() error {
	c.opts.Versions = nil
	for _, text := range c.versions {
		known := []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
		at := slices.IndexFunc(known, func(v mqtt.Version) bool {
			return v.String() == text || v == mqtt.V5 && text == "5"
		})
		if at < 0 {
			return fmt.Errorf("--versions: %q is none of 3.1, 3.1.1, 5.0", text)
		}
		c.opts.Versions = append(c.opts.Versions, known[at])
	}
	if len(c.opts.Versions) == 0 {
		return errors.New("--versions: name at least one of 3.1, 3.1.1, 5.0")
	}
	return nil
}

// preparePassword finds the password: of the flag, of the file, of the environment. That of the
// environment may be meant for another broker: it goes with a user name alone.
func (c *conformance) preparePassword() error {
	switch {
	case c.opts.Username == "" && (c.opts.Password != "" || c.passwordFile != ""):
		return errors.New("a password goes with a user name; add --username NAME")
	case c.opts.Password != "" && c.passwordFile != "":
		return errors.New("--password and --password-file: leave out one, best --password")
	case c.passwordFile != "":
		f, err := os.Open(c.passwordFile)
		if err != nil {
			return fmt.Errorf("--password-file: %w", err)
		}
		defer f.Close()
		if c.opts.Password, err = firstLine(f); err != nil {
			return fmt.Errorf("--password-file: %s: %w", c.passwordFile, err)
		}
	case c.opts.Username != "" && c.opts.Password == "":
		c.opts.Password = os.Getenv("HPMQ_CLI_PASSWORD")
	}
	return nil
}

func (c *conformance) prepareTargets() error {
	var err error
	if c.opts.Target, err = c.parseTarget("--target", c.target); err != nil {
		return err
	}
	secure := secured(c.target)
	c.opts.Extra = make(map[string]*suite.Target)
	for name, text := range c.extra {
		if !slices.Contains([]string{suite.Limited, suite.Guarded, suite.Enhanced}, name) {
			return fmt.Errorf("--extra: %q is none of limited, guarded, enhanced", name)
		}
		if c.opts.Extra[name], err = c.parseTarget("--extra "+name, text); err != nil {
			return err
		}
		secure = secure || secured(text)
	}
	if c.tls != (suite.TLS{}) && !secure {
		return errors.New("--ca, --cert, --key and --insecure are for tls and wss, and no target " +
			"is; leave them out, or name --target tls://HOST:PORT or wss://HOST:PORT/PATH")
	}
	return nil
}

// secured is true for targets that begin with a TLS handshake.
func secured(target string) bool {
	return strings.HasPrefix(target, "tls:") || strings.HasPrefix(target, "wss:")
}

// parseTarget refuses credentials in the URL: it stands in the report.
func (c *conformance) parseTarget(flag, text string) (*suite.Target, error) {
	if u, err := url.Parse(text); err == nil && u.User != nil {
		return nil, fmt.Errorf("%s: no user name and password here; use --username and "+
			"--password-file", flag)
	}
	return suite.ParseTarget(text, c.tls)
}
