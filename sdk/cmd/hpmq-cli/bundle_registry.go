package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle/registry"
)

// registryHelp is said by the commands that speak with one.
const registryHelp = `

The registry is spoken with by TLS, without it on this machine alone or with --plain-http. --ca
names what its certificate is held against, in the place of the system's; a registry on this machine
is spoken with by TLS then, too. If it asks who is there it is told HPMQ_CLI_REGISTRY_USERNAME and
HPMQ_CLI_REGISTRY_PASSWORD, or what a file of docker's form has for it: that of --credentials, else
config.json in DOCKER_CONFIG or ~/.docker.`

// remote is the flags of commands that speak with a registry.
type remote struct {
	plain           bool
	ca, credentials string
}

func (r *remote) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&r.plain, "plain-http", false, "speak without TLS with a registry that has none")
	f.StringVar(&r.ca, "ca", "", "PEM file of the authorities to trust; empty: the system's")
	f.StringVar(&r.credentials, "credentials", "", "file with credentials, as docker login makes "+
		"it")
}

// client is one as the flags and the environment say.
func (r *remote) client() (*registry.Client, error) {
	cfg := registry.Default()
	cfg.PlainHTTP, cfg.CredentialsFile = r.plain, r.credentials
	cfg.Username = os.Getenv("HPMQ_CLI_REGISTRY_USERNAME")
	cfg.Password = os.Getenv("HPMQ_CLI_REGISTRY_PASSWORD")
	if err := r.trusts(&cfg); err != nil {
		return nil, usageError{fmt.Errorf("--ca: %w", err)}
	}
	if cfg.CredentialsFile == "" {
		cfg.CredentialsFile = dockerConfig()
	} else if _, err := os.Stat(cfg.CredentialsFile); err != nil {
		return nil, usageError{err}
	}
	c, err := registry.New(cfg)
	if err != nil {
		return nil, usageError{fmt.Errorf("%w: set HPMQ_CLI_REGISTRY_USERNAME and "+
			"HPMQ_CLI_REGISTRY_PASSWORD, or neither", err)}
	}
	return c, nil
}

// trusts reads the file of --ca.
func (r *remote) trusts(cfg *registry.Config) error {
	if r.ca == "" {
		return nil
	}
	if r.plain {
		return errors.New("with --plain-http there is no certificate: leave one of them out")
	}
	text, err := os.ReadFile(r.ca)
	if err != nil {
		return err
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s has no certificate: write it as PEM", r.ca)
	}
	return nil
}

// dockerConfig is where docker keeps what the user logged in with, "" if there is none.
func dockerConfig() string {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".docker")
	}
	file := filepath.Join(dir, "config.json")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}
