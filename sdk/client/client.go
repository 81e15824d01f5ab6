// Package client knows how a program talks to the admin API of an HPMQ broker: the words of the API
// as Go types, and the requests. It knows no command line and nothing of the broker's inside.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// DefaultServer is where a broker that was told nothing has its admin API.
const DefaultServer = "http://127.0.0.1:18083"

// Base is the path all requests begin with.
const Base = "/api/v1"

// answerBytesMax bounds the answer of a broker.
const answerBytesMax = 16 << 20

// ErrUnreachable: no broker answered.
var ErrUnreachable = errors.New("no answer")

// ErrClosed: a broker was there, and its answer has no end, or no beginning. What was asked for may
// have been done.
var ErrClosed = errors.New("the broker ended or went away")

// Client asks one broker. It is safe for concurrent use.
type Client struct {
	server string
	token  string
	http   *http.Client
}

// New answers a client of the broker whose admin API is at server, as http://host:port. token may
// be empty. It opens nothing.
func New(server, token string) (*Client, error) {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("client: %q is no server; write %s", server, DefaultServer)
	}
	return &Client{
		server: u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/"),
		token:  strings.TrimSpace(token),
		http:   &http.Client{Timeout: 2 * time.Minute}, // a swap compiles, on a small box for long
	}, nil
}

// Server is the address the client asks.
func (c *Client) Server() string { return c.server }

// Status asks how the broker is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.do(ctx, http.MethodGet, "/status", nil, &out)
}

// Alarms asks what an operator must see to now.
func (c *Client) Alarms(ctx context.Context) ([]Alarm, error) {
	var out []Alarm
	return out, c.do(ctx, http.MethodGet, "/alarms", nil, &out)
}

// Link asks which component serves which role of which listener.
func (c *Client) Link(ctx context.Context) ([]Linked, error) {
	var out []Linked
	return out, c.do(ctx, http.MethodGet, "/link", nil, &out)
}

// Swap puts a component in the place of another while messages flow.
func (c *Client) Swap(ctx context.Context, s Swap) (Swapped, error) {
	var out Swapped
	return out, c.do(ctx, http.MethodPost, "/link/swap", s, &out)
}

// Rollback brings back what the last swap of a role replaced.
func (c *Client) Rollback(ctx context.Context, r Rollback) (Swapped, error) {
	var out Swapped
	return out, c.do(ctx, http.MethodPost, "/link/rollback", r, &out)
}

// Sessions asks for at most limit sessions in the order of their client ids, from the first after
// the given one on.
func (c *Client) Sessions(ctx context.Context, after string, limit int) ([]Session, error) {
	q := url.Values{"after": {after}, "limit": {strconv.Itoa(limit)}}
	var out []Session
	return out, c.do(ctx, http.MethodGet, "/clients?"+q.Encode(), nil, &out)
}

// Kick disconnects a client.
func (c *Client) Kick(ctx context.Context, clientID string) error {
	return c.do(ctx, http.MethodDelete, "/clients/"+segment(clientID), nil, nil)
}

// do sends in and reads the answer into out; either may be nil. An answer that is an error comes as
// *Error.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	kind := "application/json"
	if text, ok := in.(document); ok {
		body, kind = bytes.NewReader(text), "application/yaml"
	} else if b, ok := in.(binary); ok {
		body, kind = bytes.NewReader(b), "application/octet-stream"
	} else if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("client: encode: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.server+Base+path, body)
	if err != nil {
		return fmt.Errorf("client: request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // without the method and path in front
		}
		return c.unanswered(err)
	}
	defer func() { _ = res.Body.Close() }()
	return read(res, out)
}

// unanswered tells a broker that went away with what it was asked from one that was not there.
func (c *Client) unanswered(err error) error {
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, cut) {
			return fmt.Errorf("client: %w: %s: %w", ErrClosed, c.server, err)
		}
	}
	return fmt.Errorf("client: %w from %s: %w", ErrUnreachable, c.server, err)
}

func read(res *http.Response, out any) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, answerBytesMax+1))
	switch {
	case err != nil:
		return fmt.Errorf("client: %w: %w", ErrClosed, err)
	case len(b) > answerBytesMax:
		return errors.New("client: read: the answer is too large")
	case res.StatusCode >= 400:
		return readError(res, b)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("client: the answer is not that of an HPMQ broker: %w", err)
	}
	return nil
}

func readError(res *http.Response, b []byte) error {
	e := &Error{Status: res.StatusCode}
	if err := json.Unmarshal(b, e); err != nil || e.Detail == "" && e.Title == "" {
		e.Title = http.StatusText(res.StatusCode)
	}
	e.Status = res.StatusCode
	return e
}

// segment writes s as one segment of a path, dots too: a path of "..", even escaped, would be
// cleaned away.
func segment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}
