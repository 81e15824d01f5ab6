package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

// screen is what a program writes, to wait for.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // has a value when text grew
}

func newScreen() *screen { return &screen{more: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// until waits for text and answers all there is.
func (s *screen) until(t *testing.T, text string) string {
	t.Helper()
	end := time.After(patience)
	for {
		if all := s.String(); strings.Contains(all, text) {
			return all
		}
		select {
		case <-s.more:
		case <-end:
			t.Fatalf("no %q in:\n%s", text, s)
		}
	}
}

// process is a command line at work.
type process struct {
	out, err *screen
	signals  chan os.Signal
	exit     chan int
}

// authors are the variables of hpmq-cli: the machine of an author has them, and a broker runs there
// too.
func authors() []string {
	environ := []string{"HPMQ_CLI_SERVER=http://[::1]:1", "HPMQ_CLI_CACHE=/nowhere"}
	for _, tool := range strings.Fields("CLANG WASM_LD CARGO GO TINYGO NODE NPM") {
		environ = append(environ, "HPMQ_CLI_"+tool+"=/nowhere/"+tool)
	}
	return environ
}

func start(t *testing.T, args ...string) *process {
	p := &process{newScreen(), newScreen(), make(chan os.Signal, 4), make(chan int, 1)}
	go func() {
		p.exit <- run(t.Context(), args, system{
			out: p.out, err: p.err, signals: p.signals, environ: authors(),
		})
	}()
	return p
}

// once runs a command line that ends by itself.
func once(t *testing.T, environ []string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, system{out: &o, err: &e, environ: environ})
	return code, o.String(), e.String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cheap is a listener with one component; the name follows.
const cheap = `
  - bind: tcp://127.0.0.1:0
    link: {authenticator: [], authorizer: [], transformer: [], deduplicator: []}
    name: `

var listens = regexp.MustCompile(`listener (\S+) +tcp://(127\.0\.0\.1:\d+)`)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	write(t, good, "listeners:"+cheap+"a\n")
	write(t, bad, "loop: 1\nlisteners:\n  - name: a\n    bind: nowhere\n")
	locked := filepath.Join(dir, "locked.yaml")
	write(t, locked, `listeners:
  - {name: a, bind: "tls://:1", tls: {certificates: [{certificate: no.pem, key: no.key}]}}
  - {name: b, bind: "tls://:2", tls: {certificates: [{certificate: locked.yaml, key: x}]}}
`)
	linked := filepath.Join(dir, "linked.yaml")
	write(t, linked, "listeners:"+cheap+"a\n"+`  - bind: tcp://127.0.0.1:0
    name: b
    link: {authenticator: [], authorizer: [], transformer: [{use: ./nothere.wasm}],
      deduplicator: [], router: [{use: router-rules, config: {rulez: 1}}]}
`)
	for name, c := range map[string]struct {
		args    string
		environ []string
		code    int
		says    []string
	}{
		"check good": {"check --config " + good, nil, 0, []string{"good.yaml is good"}},
		"check bad": {"check --config " + bad, nil, 1, []string{
			"2 faults", `bad.yaml:1: loop: unknown key; did you mean "loops"?`,
			"bad.yaml:4: listeners[0].bind:",
		}},
		"check environment": {"check --config " + good, []string{"HPMQ_LOOPS=x"}, 1,
			[]string{"HPMQ_LOOPS: loops:"}},
		"check an author's environment": {"check --config " + good, authors(), 0,
			[]string{"good.yaml is good"}},
		"check keys": {"check --config " + locked, nil, 1, []string{
			"listener a: cert: read certificate", "listener b: cert: certificate",
			"locked.yaml is not PEM",
		}},
		"check components": {"check --config " + linked, nil, 1, []string{
			"step read: open ", "nothere.wasm", "step configure", "rulez",
		}},
		"check nothing":   {"check", nil, 2, []string{`"config" not set`}},
		"check no file":   {"check --config /nowhere.yaml", nil, 1, []string{"no such file"}},
		"version":         {"version", nil, 0, []string{"hpmq 0."}},
		"help":            {"--help", nil, 0, []string{"hpmq check", "--listen", "SIGHUP"}},
		"no such command": {"serve", nil, 2, []string{`no command "serve"`, "--help"}},
		"no such flag":    {"--port 1", nil, 2, []string{"unknown flag: --port"}},
		"bad listen": {"--listen 127.0.0.1:1", nil, 1,
			[]string{"--listen", "tcp://127.0.0.1:1"}},
		"no data folder": {"--data=", nil, 1, []string{"--data: data_dir: is empty"}},
		"no admin":       {"--admin=", nil, 1, []string{"--admin: admin.bind:"}},
		"tls without certificate": {"--listen tls://:1", nil, 1,
			[]string{"--listen", "needs a certificate"}},
		"bad level": {"--log-level loud", nil, 1, []string{"--log-level: log.level"}},
		"bad admin": {"--admin 1883", nil, 1, []string{"--admin: admin.bind"}},
		"same listen": {"--listen tcp://:1 --listen tcp://127.0.0.1:1", nil, 1,
			[]string{"is taken by listeners[0].bind"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := once(t, c.environ, strings.Fields(c.args)...)
			if code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			for _, text := range c.says {
				if !strings.Contains(out+errs, text) {
					t.Errorf("no %q in:\n%s%s", text, out, errs)
				}
			}
		})
	}
}

func TestServeReloadStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hpmq.yaml")
	write(t, file, "listeners:"+cheap+"a\n")
	p := start(t, "--config", file, "--data", "memory", "--admin", "127.0.0.1:0",
		"--log-level", "error")
	greeting := p.out.until(t, "mosquitto_pub")
	for _, text := range []string{"listener a ", "http://127.0.0.1:", "memory", "router-rules 0."} {
		if !strings.Contains(greeting, text) {
			t.Errorf("no %q in the greeting:\n%s", text, greeting)
		}
	}
	address := listens.FindStringSubmatch(greeting)[2]
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()

	write(t, file, "listener:\n")
	p.signals <- syscall.SIGHUP
	p.err.until(t, "not reloaded: the configuration is no good")
	write(t, file, "loops: 7\nlisteners:"+cheap+"a\n")
	p.signals <- syscall.SIGHUP
	p.err.until(t, "loops cannot change")
	write(t, file, "listeners:"+cheap+"b\n")
	p.signals <- syscall.SIGHUP
	p.out.until(t, "hpmq: reloaded")
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("the listener that went still accepts")
	}

	p.signals <- syscall.SIGTERM
	if code := <-p.exit; code != exitOK {
		t.Errorf("exit %d: %s", code, p.err)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, "--data", "memory", "--admin", "off", "--listen", "tcp://127.0.0.1:0",
		"--log-level", "error")
	p.out.until(t, "mosquitto_pub")
	p.signals <- syscall.SIGINT
	p.signals <- syscall.SIGINT
	if code := <-p.exit; code != exitFailed || !strings.Contains(p.err.String(), "at once") {
		t.Errorf("exit %d: %s", code, p.err)
	}
}

func TestFailedBind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	code, _, errs := once(t, nil, "--data", "memory", "--admin", "off",
		"--listen", "tcp://"+taken.Addr().String())
	if code != exitFailed || !strings.Contains(errs, taken.Addr().String()) ||
		!strings.Contains(errs, "--listen tcp://") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
