// Package process knows how to build the real binaries and run a broker of them on free ports of
// loopback, for tests that judge what a user has. It does not know what is judged.
package process

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// BuildWith compiles hpmq alone into dir, with a build tag if it is not "".
func BuildWith(ctx context.Context, tag, dir string) (hpmq string, err error) {
	if err := Sources(); err != nil {
		return "", err
	}
	hpmq = filepath.Join(dir, strings.TrimSuffix("hpmq-"+tag, "-"))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", tag, "-o", hpmq,
		"github.com/hpmq/hpmq/host/cmd/hpmq")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("process: build hpmq with %s: %w\n%s", tag, err, out)
	}
	return hpmq, nil
}

// Build compiles hpmq and hpmq-cli into dir.
func Build(ctx context.Context, dir string) (hpmq, cli string, err error) {
	if err := Sources(); err != nil {
		return "", "", err
	}
	hpmq, cli = filepath.Join(dir, "hpmq"), filepath.Join(dir, "hpmq-cli")
	for bin, pkg := range map[string]string{
		hpmq: "github.com/hpmq/hpmq/host/cmd/hpmq",
		cli:  "github.com/hpmq/hpmq/sdk/cmd/hpmq-cli",
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("process: build %s: %w\n%s", pkg, err, out)
		}
	}
	return hpmq, cli, nil
}

// Broker is a running hpmq.
type Broker struct {
	// MQTT and Admin are where it listens, host:port; MQTT is the first listener on tcp, Admin is
	// empty if there is none.
	MQTT, Admin string
	// Listeners are the URLs of all listeners by name.
	Listeners map[string]string

	cmd  *exec.Cmd
	log  *tail
	done chan struct{}
}

// The lines of hpmq's greeting that say where it listens. That of the admin API is the last.
var (
	listenerLine = regexp.MustCompile(`^  listener +(\S+) +([a-z]+://\S+)`)
	adminLine    = regexp.MustCompile(`^  admin API +(?:http://(127\.0\.0\.1:[0-9]+)|off)`)
)

// Start runs hpmq with args and waits until it has said where it listens. It blocks; it ends with
// ctx, or with Stop.
func Start(ctx context.Context, bin string, args ...string) (*Broker, error) {
	return StartIn(ctx, nil, bin, args...)
}

// StartIn is Start with more variables of the environment, as NAME=value.
func StartIn(ctx context.Context, env []string, bin string, args ...string) (*Broker, error) {
	b := &Broker{log: &tail{}, done: make(chan struct{}), Listeners: make(map[string]string)}
	b.cmd = exec.CommandContext(ctx, bin, args...)
	b.cmd.Env = append(os.Environ(), env...)
	b.cmd.Cancel = func() error { return b.cmd.Process.Signal(syscall.SIGTERM) }
	b.cmd.WaitDelay = 10 * time.Second
	b.cmd.Stderr = b.log
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("process: start hpmq: %w", err)
	}
	ready := make(chan struct{})
	go b.read(out, ready)
	select {
	case <-ready:
		return b, nil
	case <-b.done:
		return nil, fmt.Errorf("process: hpmq ended at once:\n%s", b.log)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read takes hpmq's greeting apart and keeps the rest.
func (b *Broker) read(out io.Reader, ready chan<- struct{}) {
	defer close(b.done)
	told := false
	for s := bufio.NewScanner(out); s.Scan(); {
		line := s.Text()
		fmt.Fprintln(b.log, line)
		if told {
			continue
		}
		if m := listenerLine.FindStringSubmatch(line); m != nil {
			b.Listeners[m[1]] = m[2]
			if address, ok := strings.CutPrefix(m[2], "tcp://"); ok && b.MQTT == "" {
				b.MQTT = address
			}
		}
		if m := adminLine.FindStringSubmatch(line); m != nil {
			b.Admin, told = m[1], true
			close(ready)
		}
	}
	_ = b.cmd.Wait()
}

// Done is closed when hpmq has ended, however it ended.
func (b *Broker) Done() <-chan struct{} { return b.done }

// Terminate asks hpmq to end as an operator would, and does not wait.
func (b *Broker) Terminate() { _ = b.cmd.Process.Signal(syscall.SIGTERM) }

// Reload has the broker read its configuration again.
func (b *Broker) Reload() { _ = b.cmd.Process.Signal(syscall.SIGHUP) }

// Log is the end of what the broker wrote.
func (b *Broker) Log() string { return b.log.String() }

// ResidentBytes is how much of the machine's memory the broker holds now. Linux only.
func (b *Broker) ResidentBytes() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("process: memory: %w", err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, fmt.Errorf("process: memory: %w", err)
	}
	return pages * os.Getpagesize(), nil
}

// Stop ends hpmq as an operator would, and waits for its end.
func (b *Broker) Stop() {
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	<-b.done
}

// tail keeps the end of what a process wrote.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailBytesMax = 256 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len()+len(p) > tailBytesMax {
		t.buf.Next(t.buf.Len() / 2)
	}
	return t.buf.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// Kill ends hpmq as a power cut of its process would (SIGKILL), and waits for its end.
func (b *Broker) Kill() {
	_ = b.cmd.Process.Kill()
	<-b.done
}

// PID is the number of hpmq's process.
func (b *Broker) PID() int { return b.cmd.Process.Pid }
