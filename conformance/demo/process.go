package demo

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
	"sync"
	"syscall"
	"time"
)

// Build compiles hpmq and hpmq-cli into dir.
func Build(ctx context.Context, dir string) (hpmq, cli string, err error) {
	hpmq, cli = filepath.Join(dir, "hpmq"), filepath.Join(dir, "hpmq-cli")
	for bin, pkg := range map[string]string{
		hpmq: "github.com/hpmq/hpmq/host/cmd/hpmq",
		cli:  "github.com/hpmq/hpmq/sdk/cmd/hpmq-cli",
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("demo: build %s: %w\n%s", pkg, err, out)
		}
	}
	return hpmq, cli, nil
}

// broker is a running hpmq.
type broker struct {
	cmd   *exec.Cmd
	mqtt  string // host:port
	admin string
	log   *tail
	done  chan struct{}
}

var (
	mqttLine  = regexp.MustCompile(`tcp://(127\.0\.0\.1:[0-9]+)`)
	adminLine = regexp.MustCompile(`http://(127\.0\.0\.1:[0-9]+)`)
)

// start runs hpmq on free ports of loopback and waits until it has said where it listens.
func start(ctx context.Context, bin, config, data string) (*broker, error) {
	b := &broker{log: &tail{}, done: make(chan struct{})}
	b.cmd = exec.CommandContext(ctx, bin, "--config", config,
		"--data", data, "--admin", "127.0.0.1:0")
	b.cmd.Cancel = func() error { return b.cmd.Process.Signal(syscall.SIGTERM) }
	b.cmd.WaitDelay = 10 * time.Second
	b.cmd.Stderr = b.log
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("demo: start hpmq: %w", err)
	}
	ready := make(chan struct{})
	go b.read(out, ready)
	select {
	case <-ready:
		return b, nil
	case <-b.done:
		return nil, fmt.Errorf("demo: hpmq ended at once:\n%s", b.log)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read takes hpmq's greeting apart and keeps the rest.
func (b *broker) read(out io.Reader, ready chan<- struct{}) {
	defer close(b.done)
	told := false
	for s := bufio.NewScanner(out); s.Scan(); {
		line := s.Text()
		fmt.Fprintln(b.log, line)
		if m := mqttLine.FindStringSubmatch(line); m != nil && b.mqtt == "" {
			b.mqtt = m[1]
		}
		if m := adminLine.FindStringSubmatch(line); m != nil && b.admin == "" {
			b.admin = m[1]
		}
		if !told && b.mqtt != "" && b.admin != "" {
			told = true
			close(ready)
		}
	}
	_ = b.cmd.Wait()
}

// stop ends hpmq as an operator would.
func (b *broker) stop() {
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
