package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle/registry"
)

// registryHelp is said by the commands that speak with one.
const registryHelp = `

The registry is spoken with by TLS, without it on this machine alone or with --plain-http. If it
asks who is there it is told HPMQ_CLI_REGISTRY_USERNAME and HPMQ_CLI_REGISTRY_PASSWORD, or what a
file of docker's form has for it: that of --credentials, else config.json in DOCKER_CONFIG or
~/.docker.`

// remote is the flags of commands that speak with a registry.
type remote struct {
	plain       bool
	credentials string
}

func (r *remote) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&r.plain, "plain-http", false, "speak without TLS with a registry that has none")
	f.StringVar(&r.credentials, "credentials", "", "file with credentials, as docker login makes "+
		"it")
}

// client is one as the flags and the environment say.
func (r *remote) client() (*registry.Client, error) {
	cfg := registry.Default()
	cfg.PlainHTTP, cfg.CredentialsFile = r.plain, r.credentials
	cfg.Username = os.Getenv("HPMQ_CLI_REGISTRY_USERNAME")
	cfg.Password = os.Getenv("HPMQ_CLI_REGISTRY_PASSWORD")
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
