// Package registry knows how a bundle goes to an OCI registry and comes from one, its signatures
// with it: by the referrers API, or by the tag that stands for it where a registry has none.
//
// It does not know whether a bundle is to be trusted: what it brings is what its digest says, of a
// bounded size, and no more than that.
package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// SignaturesMax bounds the signatures of one bundle that are brought.
const SignaturesMax = sign.EnvelopesMax

// referrerPagesMax bounds how many answers a list of referrers may take.
const referrerPagesMax = 16

// ErrNotFound says that the registry has no such bundle.
var ErrNotFound = errors.New("the registry does not have it")

// Config is how registries are spoken with.
type Config struct {
	// PlainHTTP lets any registry be spoken with without TLS, where it takes none. A registry on a
	// loopback address always is, unless there are RootCAs.
	PlainHTTP bool
	// RootCAs are what certificates are held against; nil are those of the system.
	RootCAs *x509.CertPool
	// CredentialsFile is a configuration of docker: auths, or programs that know them. Empty: none.
	CredentialsFile string
	// Username and Password go over CredentialsFile, for whichever registry asks.
	Username, Password string
	// TimeMax bounds one push, pull or resolve.
	TimeMax time.Duration
	// Transport carries the requests and does not look at RootCAs; nil is one of the standard
	// library.
	Transport http.RoundTripper
}

// Default is the Config that is told nothing.
func Default() Config {
	return Config{TimeMax: 10 * time.Minute} // 128 MiB at 2 Mbit/s
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.TimeMax <= 0:
		return errors.New("registry: TimeMax must be more than 0")
	case (c.Username == "") != (c.Password == ""):
		return errors.New("registry: a user name and a password are given together")
	}
	return nil
}

// Error is a registry that was not spoken with to the end.
type Error struct {
	// Op is push, pull or resolve; Ref is of what.
	Op, Ref string
	// Do is what the operator can do.
	Do  string
	Err error
}

// Error says what went wrong, and the way out, in one line: some of it are the registry's words.
func (e *Error) Error() string {
	text := fmt.Sprintf("registry: %s %s: %v; to do: %s", e.Op, e.Ref, e.Err, e.Do)
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Client speaks with registries. Several may use it at once.
type Client struct {
	cfg  Config
	wait func(context.Context, time.Duration) error // a test owns it
}

// New answers a client. It reads nothing yet.
func New(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, wait: sleep}, nil
}

// parse reads HOST[:PORT]/NAME[:TAG][@DIGEST].
func parse(text string) (registry.Reference, error) {
	ref, err := registry.ParseReference(strings.TrimPrefix(text, "oci://"))
	if err != nil {
		return ref, errors.New("it is no name of a bundle in a registry")
	}
	return ref, nil
}

// repository is where ref is, with the means to reach it.
func (c *Client) repository(ref registry.Reference) (*remote.Repository, error) {
	credential, err := c.credential(ref.Registry)
	if err != nil {
		return nil, err
	}
	base := c.cfg.Transport
	if base == nil {
		base = transport(c.cfg.RootCAs)
	}
	local := loopback(ref.Registry) && c.cfg.RootCAs == nil
	return &remote.Repository{
		Client: &auth.Client{
			Client: &http.Client{Transport: retry.NewTransport(&conditional{
				base: counted{secured{base, c.cfg.PlainHTTP, local}},
			})},
			Header:     http.Header{"User-Agent": {"hpmq"}},
			Cache:      auth.NewCache(),
			Credential: credential,
		},
		Reference:            ref,
		PlainHTTP:            local || c.cfg.PlainHTTP,
		ReferrerListMaxPages: referrerPagesMax,
		// Registries refuse to delete unless they are told otherwise: old lists of referrers stay.
		SkipReferrersGC: true,
	}, nil
}

// transport does not wait for ever for a registry that says nothing.
func transport(roots *x509.CertPool) http.RoundTripper {
	dial := &net.Dialer{Timeout: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout: 30 * time.Second, TLSClientConfig: &tls.Config{RootCAs: roots},
	}
}

// secured lets nothing out without TLS that was not asked for, redirects included.
type secured struct {
	base  http.RoundTripper
	plain bool
	// local is a registry on this machine: none other sends to what listens here alone.
	local bool
}

var errPlain = errors.New("it was sent on to a place without TLS")

func (s secured) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !s.plain && !(s.local && loopback(r.URL.Host)) {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, fmt.Errorf("%w: %s", errPlain, r.URL.Redacted())
	}
	return s.base.RoundTrip(r)
}

// loopback says whether only this machine is behind host, which may have a port.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// credential is what the registry is told when it asks.
func (c *Client) credential(host string) (auth.CredentialFunc, error) {
	if c.cfg.Username != "" {
		return auth.StaticCredential(host, auth.Credential{
			Username: c.cfg.Username, Password: c.cfg.Password,
		}), nil
	}
	if c.cfg.CredentialsFile != "" {
		store, err := credentials.NewStore(c.cfg.CredentialsFile, credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("the file with credentials: %w", err)
		}
		return credentials.Credential(store), nil
	}
	return auth.StaticCredential(host, auth.EmptyCredential), nil
}

// failed adds what to do about err.
func failed(op, ref string, err error) error {
	e := &Error{Op: op, Ref: ref, Err: err}
	var known *Error
	var answer *errcode.ErrorResponse
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		known.Op, known.Ref = op, ref
		return known
	case errors.Is(err, errdef.ErrNotFound):
		e.Err, e.Do = ErrNotFound, "look at the name, the tag and the registry"
	case errors.Is(err, auth.ErrBasicCredentialNotFound),
		errors.As(err, &answer) && answer.StatusCode == http.StatusUnauthorized,
		errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden:
		e.Do = "give a user name and a password that may do it, or a file of docker's with them"
	case errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest &&
		answer.URL != nil && answer.URL.Scheme == "http":
		e.Do = "if the registry speaks TLS, name the certificates that its own is held against " +
			"(hpmq-cli: --ca FILE): one on this machine is asked without it else"
	case errors.Is(err, errPlain):
		e.Do = "allow plain http if you trust the network between"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Do = "the registry has no TLS: allow plain http if you trust the network between"
	case errors.As(err, &certificate):
		e.Do = "see that it is the right host, and name the certificates that its own is held " +
			"against"
	case errors.As(err, &dial):
		e.Do = "look whether the registry runs and can be reached from here"
	case errors.Is(err, context.DeadlineExceeded):
		e.Do = "try again; the registry is slow, or the way to it"
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Do = "try again; the registry ended in the middle"
	default:
		e.Do = "try again; if it stays so, see what the registry says of it in its log"
	}
	return e
}

// do makes an error with its own way out.
func do(way, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Do: way}
}
