package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// fake is a broker that remembers what it was asked.
type fake struct {
	asked []any
	err   error
	wait  chan struct{}
}

func (f *fake) ask(args ...any) error {
	f.asked = append(f.asked, args...)
	if f.wait != nil {
		f.wait <- struct{}{}
		<-f.wait
	}
	return f.err
}

func (f *fake) Status(context.Context) (client.Status, error) {
	return client.Status{Version: "1.2.3", Node: "n"}, f.ask()
}

func (f *fake) Alarms(context.Context) ([]client.Alarm, error) { return nil, f.ask() }

func (f *fake) Listeners(context.Context) ([]client.Listener, error) {
	return []client.Listener{{Name: "mqtt", Bind: "tcp://127.0.0.1:1883"}}, f.ask()
}

func (f *fake) Listener(_ context.Context, name string) (client.Listener, error) {
	return client.Listener{Name: name}, f.ask(name)
}

func (f *fake) SetListener(_ context.Context, s Setting) (client.Listener, error) {
	return client.Listener{Name: s.Name}, f.ask(s)
}

func (f *fake) RemoveListener(_ context.Context, name string, r client.Removal) error {
	return f.ask(name, r)
}

func (f *fake) ReloadCertificates(_ context.Context, name string) (client.Listener, error) {
	return client.Listener{Name: name}, f.ask(name, "certificates")
}

func (f *fake) Link(context.Context) ([]client.Linked, error) { return nil, f.ask() }

func (f *fake) Failures(_ context.Context, listener string) ([]client.Failure, error) {
	return []client.Failure{{Kind: "trap"}}, f.ask(listener)
}

func (f *fake) Swap(_ context.Context, s client.Swap) (client.Swapped, error) {
	return client.Swapped{New: client.Linked{Name: s.Use}}, f.ask(s)
}

func (f *fake) Rollback(_ context.Context, r client.Rollback) (client.Swapped, error) {
	return client.Swapped{}, f.ask(r)
}

func (f *fake) Sessions(_ context.Context, after string, n int) ([]client.Session, error) {
	return []client.Session{{ClientID: "a"}}, f.ask(after, n)
}

func (f *fake) Kick(_ context.Context, id string) error { return f.ask(id) }

func (f *fake) broker() Broker {
	return Broker{Node: f, Listeners: f, Links: f, Sessions: f, Backups: f,
		Messages: f, Changes: f, Bundles: f,
		Quarantine: f}
}

func (f *fake) Submit(_ context.Context, n client.NewChange) (client.Change, error) {
	return client.Change{ID: n.ID}, f.ask(n)
}

func (f *fake) Changes(context.Context) ([]client.Change, error) { return nil, f.ask() }

func (f *fake) Change(_ context.Context, id string) (client.Change, error) {
	return client.Change{ID: id}, f.ask(id)
}

func (f *fake) Decide(_ context.Context, d Decision) (client.Change, error) {
	return client.Change{ID: d.ID}, f.ask(d)
}

func (f *fake) FollowChanges(_ context.Context, which Follow,
	visit func(*client.ChangeEvent) bool, pause func() bool) error {
	if err := f.ask(which); err != nil {
		return err
	}
	visit(&client.ChangeEvent{Seq: which.From + 1})
	pause()
	return nil
}

func (f *fake) Upload(_ context.Context, name string, b []byte) (client.Uploaded, error) {
	return client.Uploaded{Source: name}, f.ask(name, b)
}

func (f *fake) Quarantine(context.Context) ([]client.Quarantined, error) { return nil, f.ask() }

func (f *fake) Pardon(_ context.Context, digest, by string) error { return f.ask(digest, by) }

func (f *fake) Backups(context.Context) ([]client.Backup, error) { return nil, f.ask() }

func (f *fake) Backup(_ context.Context, n client.NewBackup) (client.Backup, error) {
	return client.Backup{Name: n.Name}, f.ask(n)
}

func (f *fake) VerifyBackup(_ context.Context, name string) (client.Verified, error) {
	return client.Verified{}, f.ask("verify", name)
}

func (f *fake) DeleteBackup(_ context.Context, name string) error { return f.ask(name) }

func (f *fake) Log(_ context.Context, q client.LogQuestion) (client.LogPage, error) {
	return client.LogPage{Next: 7, More: true}, f.ask(q)
}

func (f *fake) FollowLog(_ context.Context, q client.LogQuestion,
	visit func(*client.LogRecord) bool, pause func() bool) error {
	if err := f.ask(q); err != nil {
		return err
	}
	visit(&client.LogRecord{ID: 8})
	pause()
	return nil
}

// serve runs the API over f and answers a client of it.
func serve(t *testing.T, cfg Config, f *fake) (*client.Client, *httptest.Server) {
	t.Helper()
	h, err := NewHandler(cfg, f.broker())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// TestRequestsReachTheBroker sends every request of sdk/client and looks at what the broker was
// asked.
func TestRequestsReachTheBroker(t *testing.T) {
	ctx := t.Context()
	swap := client.Swap{
		Listener: "l", Role: "router", Position: 1, Use: "u", Wasm: []byte{0, 0xff, 'a'},
		Config: map[string]any{"a.b": []any{1.5, "x"}}, Grants: []string{"kv"}, OnFault: "open",
	}
	text := []byte("bind: tls://:1\n")
	drain := client.Removal{Connections: client.Drain, DrainTimeout: time.Minute}
	for name, c := range map[string]sending{
		"status": {func(c *client.Client) error { _, err := c.Status(ctx); return err }, nil},
		"alarms": {func(c *client.Client) error { _, err := c.Alarms(ctx); return err }, nil},
		"listeners": {func(c *client.Client) error { _, err := c.Listeners(ctx); return err },
			nil},
		"link": {func(c *client.Client) error { _, err := c.Link(ctx); return err }, nil},
		"failures": {func(c *client.Client) error { _, err := c.Failures(ctx, "l~1"); return err },
			[]any{"l~1"}},
		"listener": {func(c *client.Client) error { _, err := c.Listener(ctx, "l~1"); return err },
			[]any{"l~1"}},
		"add": {func(c *client.Client) error { _, err := c.AddListener(ctx, text); return err },
			[]any{Setting{New: true, Text: text}}},
		"put": {func(c *client.Client) error {
			_, err := c.PutListener(ctx, "l", text)
			return err
		}, []any{Setting{Name: "l", Text: text}}},
		"change": {func(c *client.Client) error {
			_, err := c.ChangeListener(ctx, "l", text)
			return err
		}, []any{Setting{Name: "l", Change: true, Text: text}}},
		"remove": {func(c *client.Client) error {
			return c.RemoveListener(ctx, "l", client.Removal{})
		}, []any{"l", client.Removal{}}},
		"drain": {func(c *client.Client) error { return c.RemoveListener(ctx, "l", drain) },
			[]any{"l", drain}},
		"certificates": {func(c *client.Client) error {
			_, err := c.ReloadCertificates(ctx, "l")
			return err
		}, []any{"l", "certificates"}},
		"swap": {func(c *client.Client) error { _, err := c.Swap(ctx, swap); return err },
			[]any{swap}},
		"rollback": {func(c *client.Client) error {
			_, err := c.Rollback(ctx, client.Rollback{Listener: "l", Role: "router"})
			return err
		}, []any{client.Rollback{Listener: "l", Role: "router"}}},
		"clients": {func(c *client.Client) error {
			_, err := c.Sessions(ctx, "x&y", 7)
			return err
		},
			[]any{"x&y", 7}},
		"kick": {func(c *client.Client) error { return c.Kick(ctx, "a/b c%2F?#") },
			[]any{"a/b c%2F?#"}},
		"kick dots": {func(c *client.Client) error { return c.Kick(ctx, "..") }, []any{".."}},
	} {
		t.Run(name, func(t *testing.T) { c.reaches(t) })
	}
}

// sending is a request, and what the broker is asked by it.
type sending struct {
	send func(*client.Client) error
	want []any
}

func (s sending) reaches(t *testing.T) {
	f := &fake{}
	cl, _ := serve(t, Default(), f)
	if err := s.send(cl); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.asked, s.want) {
		t.Errorf("asked %#v, want %#v", f.asked, s.want)
	}
}

func TestRequestsAboutChangesReachTheBroker(t *testing.T) {
	ctx := t.Context()
	wish := client.NewChange{
		ID:     "Router_2.1:a/b@c+d-e",
		Items:  []client.ChangeItem{{Listener: "l", Role: "router", Source: "s"}},
		Canary: &client.CanaryPlan{Steps: []client.CanaryStep{{Percent: 5, Dwell: "30s"}}},
	}
	for name, c := range map[string]sending{
		"submit": {func(c *client.Client) error { _, err := c.Submit(ctx, wish); return err },
			[]any{wish}},
		"changes": {func(c *client.Client) error { _, err := c.Changes(ctx); return err }, nil},
		"one change": {func(c *client.Client) error {
			_, err := c.Change(ctx, "a/b c?")
			return err
		}, []any{"a/b c?"}},
		"cancel": {func(c *client.Client) error {
			_, err := c.Cancel(ctx, "x", "ann")
			return err
		}, []any{Decision{"x", Cancel, "ann", ""}}},
		"promote": {func(c *client.Client) error {
			_, err := c.Promote(ctx, "x", "canary", "")
			return err
		}, []any{Decision{"x", Promote, "", "canary"}}},
		"roll back": {func(c *client.Client) error {
			_, err := c.RollbackChange(ctx, "x", "ann")
			return err
		}, []any{Decision{"x", Rollback, "ann", ""}}},
		"events": {func(c *client.Client) error {
			return c.FollowChanges(ctx, 7, func(*client.ChangeEvent) bool { return false })
		}, []any{Follow{From: 7}}},
		"events of one": {func(c *client.Client) error {
			return c.FollowChange(ctx, "a/b c", func(*client.ChangeEvent) bool { return false })
		}, []any{Follow{Change: "a/b c"}}},
		"events from now": {func(c *client.Client) error {
			return c.FollowNow(ctx, func(*client.ChangeEvent) bool { return false })
		}, []any{Follow{Now: true}}},
		"upload": {func(c *client.Client) error {
			_, err := c.Upload(ctx, "n m", []byte{0, 1})
			return err
		}, []any{"n m", []byte{0, 1}}},
		"quarantine": {func(c *client.Client) error {
			_, err := c.Quarantine(ctx)
			return err
		}, nil},
		"pardon": {func(c *client.Client) error { return c.Pardon(ctx, "sha256:01", "ann") },
			[]any{"sha256:01", "ann"}},
	} {
		t.Run(name, func(t *testing.T) { c.reaches(t) })
	}
}

func TestErrorsBecomeStatusCodes(t *testing.T) {
	for status, err := range map[int]error{
		http.StatusNotFound:            fmt.Errorf("app: listener x: %w", ErrNotFound),
		http.StatusServiceUnavailable:  fmt.Errorf("log: too many: %w", ErrBusy),
		http.StatusConflict:            fmt.Errorf("app: listener x: %w", ErrConflict),
		http.StatusUnprocessableEntity: fmt.Errorf("link: not wasm: %w", ErrRefused),
		http.StatusInternalServerError: errors.New("disk on fire"),
	} {
		f := &fake{err: err}
		c, _ := serve(t, Default(), f)
		var e *client.Error
		_, got := c.Swap(t.Context(), client.Swap{Listener: "l", Role: "router"})
		if !errors.As(got, &e) || e.Status != status || e.Detail != err.Error() {
			t.Errorf("%v: got %#v", err, got)
		}
	}
}

func TestEmptyListIsNoNull(t *testing.T) {
	_, s := serve(t, Default(), &fake{})
	res, err := http.Get(s.URL + "/api/v1/link")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, _ = b.ReadFrom(res.Body)
	if got := strings.TrimSpace(b.String()); got != "[]" {
		t.Errorf("got %s", got)
	}
}

// TestHostileRequests: each is answered with its status and a problem, and the broker is not asked.
func TestHostileRequests(t *testing.T) {
	const swap, rollback = "/api/v1/link/swap", "/api/v1/link/rollback"
	change := func(id string) string {
		return `{"id":"` + id + `","items":[{"listener":"l","role":"r","source":"s"}]}`
	}
	wasm := `{"listener":"l","role":"r","wasm":"` + strings.Repeat("A", 100<<10) + `"}`
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"no path":        {"GET", "/", "", 404},
		"other version":  {"GET", "/api/v2/status", "", 404},
		"no json":        {"POST", swap, "{", 400},
		"wrong type":     {"POST", swap, `{"listener":1,"role":"router"}`, 422},
		"missing":        {"POST", swap, `{"listener":"l"}`, 422},
		"unknown key":    {"POST", rollback, `{"listener":"l","role":"r","x":1}`, 422},
		"no base64":      {"POST", swap, `{"listener":"l","role":"r","wasm":"*"}`, 422},
		"negative place": {"POST", swap, `{"listener":"l","role":"r","position":-1}`, 422},
		"too large":      {"POST", rollback, `"` + strings.Repeat("A", 1<<20) + `"`, 413},
		"large wasm":     {"POST", swap, wasm, 413},
		"no settings":    {"PUT", "/api/v1/listeners/l", "", 400},
		"large settings": {"PUT", "/api/v1/listeners/l", strings.Repeat("A", 1<<20), 413},
		"no such word":   {"DELETE", "/api/v1/listeners/l?connections=drop", "", 422},
		"no duration":    {"DELETE", "/api/v1/listeners/l?drain_timeout=soon", "", 422},
		"limit":          {"GET", "/api/v1/clients?limit=100000", "", 422},
		"log outcome":    {"GET", "/api/v1/log?outcome=lost", "", 422},
		"log time":       {"GET", "/api/v1/log?from=noon", "", 422},
		"log limit":      {"GET", "/api/v1/log?limit=1001", "", 422},
		"log follow":     {"GET", "/api/v1/log?follow=true&order=newest", "", 422},
		"no items":       {"POST", "/api/v1/changes", `{"id":"x","items":[]}`, 422},
		"no id":          {"POST", "/api/v1/changes", `{"items":[{"role":"r"}]}`, 422},
		"id of words":    {"POST", "/api/v1/changes", change("a b/c"), 422},
		"id as a flag":   {"POST", "/api/v1/changes", change("-f"), 422},
		"id of commands": {"POST", "/api/v1/changes", change("x;y"), 422},
		"id of dots":     {"POST", "/api/v1/changes", change(".."), 422},
		"no event":       {"GET", "/api/v1/events?from=first", "", 422},
		"no parameter":   {"POST", "/api/v1/changes/x/promote?form=draining", "", 422},
		"no body":        {"POST", "/api/v1/changes/x/promote", `{"from":"draining"}`, 422},
		"body to look":   {"GET", "/api/v1/changes", `{}`, 422},
		"nothing sent":   {"POST", "/api/v1/bundles?name=x", "", 400},
		"method":         {"PUT", "/api/v1/status", "", 405},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			cfg := Default()
			cfg.WasmBytesMax = 8 << 10
			_, s := serve(t, cfg, f)
			req, err := http.NewRequest(c.method, s.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %s", got)
			}
			if res.StatusCode != c.want || f.asked != nil {
				t.Errorf("status %d, want %d; asked %v", res.StatusCode, c.want, f.asked)
			}
		})
	}
}

// TestOpenAPI holds the description of the API against openapi.json, so that a change of it is
// seen.
func TestOpenAPI(t *testing.T) {
	_, s := serve(t, Default(), &fake{})
	res, err := http.Get(s.URL + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw, got bytes.Buffer
	_, _ = raw.ReadFrom(res.Body)
	if err := json.Indent(&got, raw.Bytes(), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, raw.Bytes())
	}
	got.WriteByte('\n')
	if *rewrite {
		if err := os.WriteFile("openapi.json", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("openapi.json differs (%v); anew: go test ./host/admin -rewrite", err)
	}
}

func TestConfigNeedsATokenBeyondLoopback(t *testing.T) {
	cfg := Default()
	cfg.Loopback = false
	if _, err := NewHandler(cfg, (&fake{}).broker()); err == nil {
		t.Error("an open API for the whole network passes")
	}
}

func TestOtherMethodsAreNamed(t *testing.T) {
	_, s := serve(t, Default(), &fake{})
	for path, want := range map[string]string{
		"/api/v1/status": "GET", "/api/v1/listeners": "GET, POST",
		"/api/v1/listeners/a%2Fb": "GET, PUT, PATCH, DELETE", "/api/v1/nothing": "",
	} {
		req, err := http.NewRequestWithContext(t.Context(), "TRACE", s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		status := http.StatusMethodNotAllowed
		if want == "" {
			status = http.StatusNotFound
		}
		if resp.StatusCode != status || resp.Header.Get("Allow") != want {
			t.Errorf("%s: %d, Allow %q", path, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}

func TestTimesOfRemoval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1d": 24 * time.Hour, "24h": 24 * time.Hour, "90s": 90 * time.Second, "0": 1, "0d": 1,
		"2d": 0, "-1s": 0, "d": 0, "300d": 0, "1.5d": 0,
	} {
		r, err := removal("", text)
		if (err == nil) != (want > 0) || err == nil && r.DrainTimeout != want {
			t.Errorf("%s: %v, %v", text, r.DrainTimeout, err)
		}
	}
}

func TestRequestsAboutBackupsReachTheBroker(t *testing.T) {
	ctx := t.Context()
	f := &fake{}
	c, _ := serve(t, Default(), f)
	_, err := c.Backups(ctx)
	_, err2 := c.Backup(ctx, client.NewBackup{Name: "b"})
	_, err3 := c.VerifyBackup(ctx, "b")
	if err := errors.Join(err, err2, err3, c.DeleteBackup(ctx, "b.1")); err != nil {
		t.Fatal(err)
	}
	want := []any{client.NewBackup{Name: "b"}, "verify", "b", "b.1"}
	if !reflect.DeepEqual(f.asked, want) {
		t.Errorf("asked %v, want %v", f.asked, want)
	}
}
