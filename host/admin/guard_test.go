package admin

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/client"
)

func TestGuard(t *testing.T) {
	loopback := Default()
	remote := Default()
	remote.Loopback, remote.Token = false, "a-long-enough-token"
	const own = "localhost:1"
	type h = map[string]string
	for name, c := range map[string]struct {
		cfg    Config
		host   string
		header map[string]string
		want   int
	}{
		"localhost":       {loopback, "localhost:18083", nil, 200},
		"LOCALHOST":       {loopback, "LOCALHOST", nil, 200},
		"address":         {loopback, "127.0.0.1:18083", nil, 200},
		"address 6":       {loopback, "[::1]:18083", nil, 200},
		"rebound name":    {loopback, "evil.example:18083", nil, 403},
		"tricky name":     {loopback, "127.0.0.1.evil.example", nil, 403},
		"no host":         {loopback, "", nil, 403},
		"other address":   {loopback, "10.0.0.1:18083", nil, 403},
		"own origin":      {loopback, own, h{"Origin": "http://localhost:1"}, 200},
		"foreign origin":  {loopback, own, h{"Origin": "http://evil.example"}, 403},
		"foreign port":    {loopback, own, h{"Origin": "http://localhost:2"}, 403},
		"null origin":     {loopback, own, h{"Origin": "null"}, 403},
		"cross site":      {loopback, own, h{"Sec-Fetch-Site": "cross-site"}, 403},
		"token":           {remote, "x", h{"Authorization": "Bearer a-long-enough-token"}, 200},
		"small bearer":    {remote, "x", h{"Authorization": "bearer a-long-enough-token"}, 200},
		"no token":        {remote, "x", nil, 401},
		"wrong token":     {remote, "x", h{"Authorization": "Bearer a-long-enough-tokez"}, 401},
		"short token":     {remote, "x", h{"Authorization": "Bearer a-long"}, 401},
		"empty token":     {remote, "x", h{"Authorization": "Bearer "}, 401},
		"basic":           {remote, "x", h{"Authorization": "Basic a-long-enough-token"}, 401},
		"token elsewhere": {remote, "x", h{"Cookie": "token=a-long-enough-token"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			handler, err := NewHandler(c.cfg, (&fake{}).broker())
			if err != nil {
				t.Fatal(err)
			}
			req := httptest.NewRequest(http.MethodGet, "/api/v1/status", nil)
			req.Host = c.host
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, req)
			if w.Code != c.want {
				t.Errorf("status %d, want %d: %s", w.Code, c.want, w.Body)
			}
		})
	}
}

// TestTheDescriptionIsGuardedToo: openapi.json is no back door around the token.
func TestTheDescriptionIsGuardedToo(t *testing.T) {
	cfg := Default()
	cfg.Token = "a-long-enough-token"
	h, err := NewHandler(cfg, (&fake{}).broker())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/openapi.json", "/nowhere"} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Host = "localhost"
		h.ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestTooManyRequestsAtOnce(t *testing.T) {
	f := &fake{wait: make(chan struct{})}
	cfg := Default()
	cfg.RequestsMax = 1
	c, _ := serve(t, cfg, f)
	first := make(chan error, 1)
	go func() {
		_, err := c.Status(t.Context())
		first <- err
	}()
	<-f.wait // the first is being served
	_, err := c.Status(t.Context())
	if e, ok := err.(*client.Error); !ok || e.Status != http.StatusServiceUnavailable {
		t.Errorf("second: %v", err)
	}
	f.wait <- struct{}{}
	if err := <-first; err != nil {
		t.Errorf("first: %v", err)
	}
}

// Whoever follows, or sends bundles, never has the places of who decides.
func TestFollowersTakeNoPlaceOfDecisions(t *testing.T) {
	cfg := Default()
	cfg.RequestsMax, cfg.FollowersMax, cfg.UploadsMax = 1, 1, 1
	entered, leave := make(chan struct{}), make(chan struct{})
	h := newGuard(cfg, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))
	ask := func(method, path string) int {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(method, client.Base+path, nil)
		req.Host = "localhost"
		h.ServeHTTP(w, req)
		return w.Code
	}
	requests := [][2]string{
		{http.MethodGet, "/events?from=1"}, {http.MethodPost, "/bundles"},
		{http.MethodPost, "/changes/a/rollback"},
	}
	codes := make(chan int, len(requests))
	for _, r := range requests {
		go func() { codes <- ask(r[0], r[1]) }()
		select {
		case <-entered:
		case code := <-codes:
			t.Fatalf("%s %s: %d, for who came before is in its way", r[0], r[1], code)
		}
	}
	full := append(requests, [2]string{http.MethodGet, "/log?follow=true"})
	for _, r := range full {
		if code := ask(r[0], r[1]); code != http.StatusServiceUnavailable {
			t.Errorf("second %s %s: %d", r[0], r[1], code)
		}
	}
	close(leave)
	for range requests {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("first: %d", code)
		}
	}
}

func TestToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "admin.token")
	made, err := OpenToken(file)
	if err != nil || len(made) < tokenCharsMin {
		t.Fatalf("%q, %v", made, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if again, err := OpenToken(file); err != nil || again != made {
		t.Errorf("read again: %q, %v", again, err)
	}
	for _, bad := range []string{"", "short", strings.Repeat("two words ", 4)} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := OpenToken(file); err == nil {
			t.Errorf("%q passes as %q", bad, got)
		}
	}
	if _, err := OpenToken(filepath.Join(file, "below", "a", "file")); err == nil {
		t.Error("a path that cannot be passes")
	}
}
