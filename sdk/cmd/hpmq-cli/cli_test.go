package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/passhash"
)

// server answers every request with status and answer, and remembers the last one.
type server struct {
	status int
	answer string
	asked  string
	token  string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked = strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
	s.token = r.Header.Get("Authorization")
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.answer)
}

// cli runs a command line against s and answers its exit code and what it printed, but that
// something takes long: on a busy machine all does.
func cli(t *testing.T, s *server, args ...string) (int, string, string) {
	t.Helper()
	h := httptest.NewServer(s)
	defer h.Close()
	var out, errs bytes.Buffer
	code := run(t.Context(), append([]string{"--server", h.URL}, args...),
		streams{strings.NewReader(""), &out, &errs})
	said := slices.DeleteFunc(strings.SplitAfter(errs.String(), "\n"), func(line string) bool {
		return strings.HasSuffix(line, " …\n")
	})
	return code, out.String(), strings.Join(said, "")
}

func words(s string) []string { return strings.Split(s, " ") }

func TestCommandsAskAndPrint(t *testing.T) {
	dir := t.TempDir()
	wasm, config := filepath.Join(dir, "vendor-v2.wasm"), filepath.Join(dir, "c.json")
	write(t, wasm, "\x00asm")
	write(t, config, `{"a": [1]}`)
	const swapped = `{"listener":"mqtt","role":"router","old":{},"new":{"name":"n","version":"2",` +
		`"digest":"sha256:0123456789abcdef"},"prepare_ms":5,"commit_us":7}`
	for name, c := range map[string]exchange{
		"status": {"status", `{"node":"edge-1","version":"0.1"}`, "GET /api/v1/status", "edge-1"},
		"link show": {"link show", `[{"listener":"mqtt","role":"router","name":"router-rules"}]`,
			"GET /api/v1/link", "mqtt      router  0    router-rules  -"},
		"swap file": {
			"link swap --listener mqtt --role router --use " + wasm + " --config " + config +
				" --grant kv,publish --on-fault open --position 1 --by joe", swapped,
			`POST /api/v1/link/swap {"listener":"mqtt","role":"router","position":1,` +
				`"use":"vendor-v2","wasm":"AGFzbQ==","config":{"a":[1]},` +
				`"grants":["kv","publish"],"on_fault":"open","by":"joe"}`,
			"mqtt router[0]: nothing → n 2 0123456789ab (prepared in 5 ms, changed over in 7 µs)",
		},
		"swap keeps": {"link swap --listener m --role router --use x --by joe",
			`{"listener":"m","role":"router","old":{},"new":{"name":"n"},"keeps":["kv"]}`,
			`POST /api/v1/link/swap {"listener":"m","role":"router","use":"x","by":"joe"}`,
			"; keeps grants kv of n"},
		"swap default": {"link swap --listener m --role router --use router-rules", swapped,
			`POST /api/v1/link/swap {"listener":"m","role":"router","use":"router-rules",` +
				`"by":"` + operatorName() + `"}`, "→"},
		"no grants": {"link swap --listener m --role router --use router-rules --by joe --grant=",
			swapped,
			`POST /api/v1/link/swap {"listener":"m","role":"router","use":"router-rules",` +
				`"grants":[],"by":"joe"}`, "→"},
		"rollback": {"link rollback --listener m --role router", swapped,
			`POST /api/v1/link/rollback {"listener":"m","role":"router","by":"` +
				operatorName() + `"}`, "→"},
		"clients list": {"clients list --after a --limit 5",
			`[{"client_id":"b\u001b[2J","version":4,"connected":true}]`,
			"GET /api/v1/clients?after=a&limit=5", "b�[2J"},
		"clients kick": {"clients kick a/b", "", "DELETE /api/v1/clients/a%2Fb",
			"a/b is disconnected"},
		"json": {"--json listener list", `[{"name":"mqtt","bind":"tcp://:1883"}]`,
			"GET /api/v1/listeners", `"name": "mqtt"`},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}

// exchange is a command line, what the broker answers to it, what it must have been asked, and what
// must be printed.
type exchange struct{ args, answer, asked, printed string }

func (c *exchange) check(t *testing.T) {
	s := &server{status: 200, answer: c.answer}
	code, out, errs := cli(t, s, words(c.args)...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if s.asked != c.asked {
		t.Errorf("asked %s\nwant  %s", s.asked, c.asked)
	}
	if !strings.Contains(out, c.printed) {
		t.Errorf("printed %s\nwant   %s", out, c.printed)
	}
}

func TestErrorsAndExitCodes(t *testing.T) {
	noJSON := filepath.Join(t.TempDir(), "c.json")
	write(t, noJSON, "[1]")
	hollow := filepath.Join(t.TempDir(), "c.wasm")
	write(t, hollow, "")
	const refused = `{"status":422,"title":"Unprocessable","detail":"link: compile: no wasm"}`
	for name, c := range map[string]struct {
		args   string
		status int
		answer string
		code   int
		says   string
	}{
		"refused":         {"link rollback --listener m --role x", 422, refused, 1, "no wasm"},
		"no problem":      {"status", 502, "<html>", 1, "bad gateway"},
		"not a broker":    {"status", 200, "<html>", 1, "not that of an HPMQ broker"},
		"token":           {"status", 401, `{"detail":"a token is needed"}`, 1, "--token-file"},
		"no such command": {"stauts", 200, "", 2, "has no command"},
		"below a group":   {"link swpa", 200, "", 2, "has no command"},
		"unknown flag":    {"status --verbose", 200, "", 2, "unknown flag"},
		"missing flags":   {"link swap --listener m", 200, "", 2, `"role" not set`},
		"arguments":       {"listener add", 200, "", 2, "accepts between 1 and 2 arg(s)"},
		"no bind":         {"listener add lab", 200, "", 2, "--bind tcp://"},
		"no key":          {"listener add l --bind tls://:1 --certificate a", 200, "", 2, "key"},
		"no limit":        {"listener change l --limit x", 200, "", 2, "NAME=VALUE"},
		"nothing":         {"listener change l", 200, "", 2, "what is to change?"},
		"no file": {"link swap --listener m --role r --use ./x.wasm", 200, "", 2,
			"no such file"},
		"empty file": {"link swap --listener m --role r --use " + hollow, 200, "", 2, "is empty"},
		"config is no object": {"link swap --listener m --role r --use u --config " + noJSON, 200,
			"", 2, "must be a JSON object"},
		"dwell of no step": {"link swap --listener m --role r --use u --dwell 3s", 200, "", 2,
			"name them, --canary 5,25,100"},
		"dwell of a watch": {"link swap --listener m --role r --use u --watch 5m --dwell 3s", 200,
			"", 2, "--dwell says how long the steps of --canary take"},
		"no token file": {"status --token-file /nowhere/token", 200, "", 2, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{status: c.status, answer: c.answer}
			code, out, errs := cli(t, s, words(c.args)...)
			if code != c.code || !strings.Contains(errs, c.says) || out != "" {
				t.Errorf("exit %d (want %d): %s%s\nwant %s", code, c.code, out, errs, c.says)
			}
			if c.code == exitUsage && s.asked != "" {
				t.Errorf("asked %s", s.asked)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	h := httptest.NewServer(http.NotFoundHandler())
	h.Close()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"--server", h.URL, "status"},
		streams{strings.NewReader(""), &out, &errs})
	if code != exitUnreachable || !strings.Contains(errs.String(), "is the broker running?") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

func TestToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "from-file\n")
	t.Setenv("HPMQ_CLI_TOKEN", "from-env")
	for args, want := range map[string]string{
		"status":                           "Bearer from-env",
		"status --token from-flag":         "Bearer from-flag",
		"status --token-file " + file:      "Bearer from-file",
		"--token-file " + file + " status": "Bearer from-file",
	} {
		s := &server{status: 200, answer: "{}"}
		if code, _, errs := cli(t, s, words(args)...); code != 0 || s.token != want {
			t.Errorf("%s: exit %d %s: %q", args, code, errs, s.token)
		}
	}
}

func TestPasswd(t *testing.T) {
	for name, c := range map[string]struct{ args, in, before, after string }{
		"hash":  {"passwd", "secret\n", "", "\n"},
		"entry": {"passwd alice", "secret", `- {name: "alice", hash: "`, "\"}\n"},
		"json": {"--json passwd alice", "secret\r\n", "{\n  \"hash\": \"",
			"\"name\": \"alice\"\n}\n"},
		"by alias": {"hash", "secret\nmore\n", "", "\n"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), words(c.args), streams{strings.NewReader(c.in), &out, &errs})
		text, ok := strings.CutPrefix(out.String(), c.before)
		if code != exitOK || !ok || !strings.HasSuffix(text, c.after) {
			t.Errorf("%s: exit %d: %s%s", name, code, out.String(), errs.String())
			continue
		}
		hash, err := passhash.Parse(text[:strings.IndexAny(text, "\"\n")])
		if err != nil || !hash.Matches([]byte("secret")) {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
	for _, in := range []string{"", "\n", strings.Repeat("x", passwordBytesMax+1)} {
		var out, errs bytes.Buffer
		code := run(t.Context(), words("passwd"), streams{strings.NewReader(in), &out, &errs})
		if code != exitUsage || out.Len() > 0 {
			t.Errorf("%d bytes: exit %d: %s", len(in), code, out.String())
		}
	}
}

// TestEveryCommandHelps: each command says what it does in a line and shows how to use it.
func TestEveryCommandHelps(t *testing.T) {
	root := newRoot(&settings{})
	todo := root.Commands()
	for len(todo) > 0 {
		c := todo[0]
		todo = append(todo[1:], c.Commands()...)
		if c.Short == "" || !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s has no help or example", c.CommandPath())
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEveryCommandShowsHow: with a sentence, and lines to copy that have the command itself.
func TestEveryCommandShowsHow(t *testing.T) {
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		name := c.CommandPath()
		if c.Short == "" || !c.HasSubCommands() && !strings.Contains(c.Example, name) {
			t.Errorf("%s --help has no sentence, or no example of it: %s", name, c.Example)
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(newRoot(&settings{}))
}
