package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/follow"
	"github.com/hpmq/hpmq/sdk/topic"
)

// errBroker says that a broker cannot be reached or does not let the command in.
var errBroker = errors.New("no messages from the broker")

// errClosed is a broker that was there, and is no more.
var errClosed = errors.New("the broker closed the connection")

// errStopped says that a signal ended what had begun to print: there is no more to tell.
var errStopped = fmt.Errorf("after some messages: %w", errInterrupted)

// validFilter refuses what is no topic filter.
func validFilter(flag, filter string) error {
	if !topic.ValidFilter([]byte(filter)) {
		return fmt.Errorf("--%s %q is no topic filter: + and # stand for whole levels, # at the "+
			"end alone", flag, filter)
	}
	return nil
}

// gone says why there are no more messages.
func gone(ctx context.Context, target string, err error) error {
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w: %s", errClosed, target)
	}
	return fmt.Errorf("%w: %s: %w", errBroker, target, err)
}

// reach is the flags by which a command reaches a listener as a client.
type reach struct {
	target, username, password, passwordFile, clientID string
	tls                                                suite.TLS
}

func (r *reach) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&r.target, "target", "tcp://127.0.0.1:1883",
		"the listener: tcp, tls, ws or wss ://HOST:PORT, or unix:///PATH")
	f.StringVar(&r.clientID, "client-id", "", "client identifier (default: hpmq-cli-RANDOM)")
	f.StringVar(&r.username, "username", "", "user name for CONNECT")
	f.StringVar(&r.password, "password", "",
		"password for CONNECT, which ps shows; better --password-file or HPMQ_CLI_PASSWORD")
	f.StringVar(&r.passwordFile, "password-file", "", "file with the password in its first line")
	f.StringVar(&r.tls.CAFile, "ca", "",
		"PEM file of the authorities to trust; empty: the system's")
	f.StringVar(&r.tls.CertFile, "cert", "", "PEM file of a client certificate to show")
	f.StringVar(&r.tls.KeyFile, "key", "", "PEM file of its key")
	f.BoolVar(&r.tls.Insecure, "insecure", false, "trust any certificate")
}

// follow subscribes. The Follower must be closed.
func (r *reach) follow(ctx context.Context, filter string) (*follow.Follower, error) {
	target, err := suite.ParseTarget(r.target, r.tls)
	if err != nil {
		return nil, usageError{fmt.Errorf("--target: %w", err)}
	}
	cfg := follow.Config{
		ClientID: r.clientID, Username: r.username, Password: r.password, Filter: filter,
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "hpmq-cli-" + randomText()
	}
	if cfg.Password, err = r.secret(); err != nil {
		return nil, usageError{err}
	}
	conn, err := target.Dial(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errBroker, r.target, err)
	}
	f, err := follow.Open(ctx, conn, cfg)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, gone(ctx, r.target, err)
	}
	return f, nil
}

// secret is the password: of the flag, of the file, of the environment.
func (r *reach) secret() (string, error) {
	if r.passwordFile != "" {
		f, err := os.Open(r.passwordFile)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		defer func() { _ = f.Close() }()
		return firstLine(f)
	}
	if r.password == "" && r.username != "" {
		return os.Getenv("HPMQ_CLI_PASSWORD"), nil
	}
	return r.password, nil
}

func randomText() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return hex.EncodeToString(b[:])
}
