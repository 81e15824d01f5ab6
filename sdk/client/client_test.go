package client

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	for server, want := range map[string]string{
		"127.0.0.1:18083":        "http://127.0.0.1:18083",
		"http://h:1/":            "http://h:1",
		"https://h/behind/proxy": "https://h/behind/proxy",
	} {
		c, err := New(server, "")
		if err != nil || c.Server() != want {
			t.Errorf("%s: %v, %v", server, c, err)
		}
	}
	for _, server := range []string{"", "ftp://h", "http://", "http://[::1"} {
		if c, err := New(server, ""); err == nil {
			t.Errorf("%q passes as %s", server, c.Server())
		}
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		says   string
	}{
		"detail":     {409, `{"title":"Conflict","detail":"name taken"}`, "name taken"},
		"title":      {404, `{"title":"Not Found"}`, "not found"},
		"no problem": {502, "<html>", "bad gateway"},
		"faults": {422, `{"detail":"no","errors":[{"message":"bad","location":"body"}]}`,
			"no; bad (body)"},
		"no JSON":   {200, "<html>", "not that of an HPMQ broker"},
		"too large": {200, strings.Repeat(" ", answerBytesMax+1), "too large"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		cl, err := New(s.URL, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = cl.Status(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s", name, err, c.says)
		}
		var refusal *Error
		if errors.As(err, &refusal) != (c.status >= 400) {
			t.Errorf("%s: %T", name, err)
		}
		s.Close()
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c, err := New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// TestWhoGoesAwayWithTheRequestMayHaveDoneIt: that is another error than nobody there.
func TestWhoGoesAwayWithTheRequestMayHaveDoneIt(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	c, err := New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Rollback(t.Context(), Rollback{})
	followed := c.FollowNow(t.Context(), nil)
	for _, err := range []error{err, followed} {
		if !errors.Is(err, ErrClosed) || errors.Is(err, ErrUnreachable) {
			t.Error(err)
		}
	}
}
