package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/client"
)

// TestARefusalIsSmallWhateverIsRefused sends bodies of which everything is wrong to routes of each
// kind: what comes back must not grow with their errors, nor hold what was sent.
func TestARefusalIsSmallWhateverIsRefused(t *testing.T) {
	const swap, changes = "/api/v1/link/swap", "/api/v1/changes"
	object := func(n int, key string) string { return `{"id":7` + keys(key, n) + `}` }
	long := strings.Repeat("x", 900<<10)
	for name, c := range map[string]struct{ method, path, body string }{
		"unknown keys":  {"POST", changes, object(50_000, "k")},
		"dotted keys":   {"POST", changes, object(40_000, "a.")},
		"a long key":    {"POST", changes, `{"` + long + `":1}`},
		"a long text":   {"POST", changes, `{"id":"` + long + `"}`},
		"broken":        {"POST", changes, `{"id":"` + long},
		"a long list":   {"POST", changes, `{"id":[` + strings.Repeat("1,", 60_000) + `1]}`},
		"of a swap":     {"POST", swap, object(60_000, "a.")},
		"of a rollback": {"POST", "/api/v1/link/rollback", object(5_000, "a.")},
		"of a backup":   {"POST", "/api/v1/store/backups", object(5_000, "a.")},
		"of a query":    {"GET", "/api/v1/log?limit=" + strings.Repeat("x", 12<<10), ""},
		"of a path":     {"GET", "/api/v1/changes/" + strings.Repeat("x", 12<<10), ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := send(t, c.method, c.path, c.body)
			var e client.Error
			if err := json.Unmarshal(answer, &e); err != nil || status < 400 || status >= 500 {
				t.Fatalf("status %d, %v: %.300s", status, err, answer)
			}
			if len(answer) > 32<<10 || len(e.Errors) > problemErrorsMax+1 {
				t.Errorf("%d bytes, %d errors", len(answer), len(e.Errors))
			}
		})
	}
}

// TestARefusalSaysHowManyErrorsItLeavesOut and still shows the first as they are.
func TestARefusalSaysHowManyErrorsItLeavesOut(t *testing.T) {
	_, answer := send(t, "POST", "/api/v1/link/rollback",
		`{"listener":"l","role":"r"`+keys("y", 21)+`}`)
	for _, want := range []string{"unexpected property", `"and 5 errors more"`} {
		if !strings.Contains(string(answer), want) {
			t.Errorf("no %s: %s", want, answer)
		}
	}
	_, answer = send(t, "POST", "/api/v1/link/rollback", `{"listener":"l","role":7}`)
	for _, want := range []string{`"location":"body.role"`, `"value":7`} {
		if !strings.Contains(string(answer), want) {
			t.Errorf("no %s: %s", want, answer)
		}
	}
}

// TestAKeyMakesNoOthersPathLonger though huma takes a dot or a bracket in it for its own.
func TestAKeyMakesNoOthersPathLonger(t *testing.T) {
	for _, key := range []string{"a.b", "a[b"} {
		_, answer := send(t, "POST", "/api/v1/link/rollback",
			`{"listener":"l","role":"r"`+keys(key, 200)+`}`)
		var e client.Error
		if err := json.Unmarshal(answer, &e); err != nil || len(e.Errors) != 17 {
			t.Fatalf("%v: %s", err, answer)
		}
		for _, d := range e.Errors {
			if len(d.Location) > len("body.a·b123") {
				t.Errorf("%s: %s", key, d.Location)
			}
		}
	}
}

// TestABodyHasBoundedValues: each takes memory, and may be an error.
func TestABodyHasBoundedValues(t *testing.T) {
	config := func(n int) string {
		return `{"listener":"l","role":"r","config":{"a.[\",":[` + strings.Repeat(`0,`, n) + `0]}}`
	}
	if status, answer := send(t, "POST", "/api/v1/link/swap", config(60_000)); status != 200 {
		t.Errorf("what is allowed: %d %s", status, answer)
	}
	status, answer := send(t, "POST", "/api/v1/link/swap", config(70_000))
	if status != 400 || !strings.Contains(string(answer), "more than 65536 values") {
		t.Errorf("%d %s", status, answer)
	}
}

func keys(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%s%d":1`, name, i)
	}
	return b.String()
}

// send answers what the API answers, of which it reads no more than 8 MiB.
func send(t *testing.T, method, path, body string) (status int, answer []byte) {
	t.Helper()
	_, s := serve(t, Default(), &fake{})
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}
