package readme

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
)

// machine is a computer of the story: a folder, and a broker on ports of its own.
type machine struct {
	t      *testing.T
	dir    string
	env    []string
	broker *process.Broker
	heard  *screen // what commands in the background print
}

// newMachine is one with the binaries of bin, in a folder that looks like a clone of ours.
func newMachine(t *testing.T, bin string) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir(), heard: new(screen)}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"components", "sdk", "LICENSE"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(m.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	m.env = append(os.Environ(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+m.dir, "TZ=UTC",
		"XDG_CONFIG_HOME="+m.dir, "HPMQ_ADMIN__BIND=127.0.0.1:0",
		`HPMQ_LISTENERS=[{name: mqtt, bind: "tcp://127.0.0.1:0"}]`)
	return m
}

// command is a shell's.
func (m *machine) command(text string) *exec.Cmd {
	c := exec.CommandContext(m.t.Context(), "bash", "-c", text)
	c.Dir, c.Env = m.dir, m.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	return c
}

// run runs a command to its end, and answers the lines it wrote to a terminal.
func (m *machine) run(text string) []string {
	m.t.Helper()
	out := new(screen)
	c := m.command(text)
	c.Stdout, c.Stderr = out, out
	var failed *exec.ExitError
	if err := c.Run(); err != nil && !asExit(err, &failed) {
		m.t.Fatalf("%s: %v", text, err)
	}
	return out.lines()
}

func asExit(err error, to **exec.ExitError) (ok bool) {
	*to, ok = err.(*exec.ExitError)
	return ok
}

// serve runs a broker, and tells the clients of the machine where it is.
func (m *machine) serve(text string) {
	m.t.Helper()
	text = fmt.Sprintf("cd %q && exec %s", m.dir, strings.TrimSuffix(text, "&"))
	b, err := process.StartIn(m.t.Context(), m.env, "bash", "-c", text)
	if err != nil {
		m.t.Fatal(err)
	}
	m.broker = b
	m.t.Cleanup(b.Stop)
	m.env = append(m.env, "HPMQ_CLI_SERVER=http://"+b.Admin)
	host, port, _ := strings.Cut(b.MQTT, ":")
	for _, name := range []string{"mosquitto_pub", "mosquitto_sub"} {
		options := fmt.Sprintf("-h %s\n-p %s\n", host, port)
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(options), 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
}

// begin runs a command in the background until the test ends.
func (m *machine) begin(text string, out *screen) {
	m.t.Helper()
	c := m.command(strings.TrimSuffix(text, "&"))
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = c.Cancel(); _ = c.Wait() })
}

// subscribed waits until that many subscriptions are there.
func (m *machine) subscribed(want int) {
	m.t.Helper()
	m.until(fmt.Sprintf("%d subscriptions are there", want), func() bool {
		var clients []struct{ Subscriptions int }
		text := strings.Join(m.run("hpmq-cli clients list --json"), "\n")
		if err := json.Unmarshal([]byte(text), &clients); err != nil {
			m.t.Fatalf("%v: %s", err, text)
		}
		sum := 0
		for _, c := range clients {
			sum += c.Subscriptions
		}
		return sum >= want
	})
}

// until waits for a condition, as long as the test may take.
func (m *machine) until(what string, holds func() bool) {
	m.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-m.t.Context().Done():
			m.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// screen is where commands write.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// lines are those that are whole.
func (s *screen) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _, _ := cutLast(s.text.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}
