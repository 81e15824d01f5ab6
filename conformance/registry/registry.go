// Package registry knows how tests run an OCI registry: the program docker-registry, which Debian
// has as a package, on a free port of this machine. It does not know what is pushed to it.
package registry

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// The account of a registry that asks for one.
const (
	Username = "anna"
	Password = "of the shore"
	// entry is both as htpasswd has it, by bcrypt at its cheapest.
	entry = "anna:$2a$04$6fdNZG.mx4IEHFvfU9fzxOiCSWgkssvg1Nuy/g9xT/.vmNcECz3aW\n"
)

// Registry is one that runs.
type Registry struct {
	// Addr is host:port.
	Addr string
	// Dir is the folder with what was pushed.
	Dir string

	stop func()
}

// Stop ends the registry before the test does, and waits for its end.
func (r *Registry) Stop() { r.stop() }

// Blob is the file in which the registry keeps a blob, by its digest without the algorithm.
func (r *Registry) Blob(hex string) string {
	return filepath.Join(r.Dir, "docker", "registry", "v2", "blobs", "sha256", hex[:2], hex, "data")
}

// Start runs a registry that ends with the test; closed asks for Username and Password. Without the
// program the test is skipped, but in CI it fails.
func Start(t testing.TB, closed bool) *Registry {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	const install = "apt-get install docker-registry"
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("docker-registry is not there, CI needs it: %s", install)
	}
	if err != nil {
		t.Skipf("A REGISTRY IS NOT TESTED, docker-registry is not there: %s", install)
	}
	r := &Registry{Dir: t.TempDir()}
	cfg := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: info, formatter: text}\nhttp: {addr: "+
		"'127.0.0.1:0'}\nstorage: {filesystem: {rootdirectory: %q}}\n", r.Dir)
	if closed {
		users := filepath.Join(filepath.Dir(cfg), "users")
		if err := os.WriteFile(users, []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %q}}\n", users)
	}
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(t, program, cfg)
	return r
}

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// run starts the program and waits until it has said where it listens.
func (r *Registry) run(t testing.TB, program, cfg string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, program, "serve", cfg)
	c.Env = []string{"PATH=" + os.Getenv("PATH")} // REGISTRY_ variables would change it
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout = nil
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	addr := make(chan string, 1)
	go func() {
		defer close(ended)
		for in := bufio.NewScanner(out); in.Scan(); {
			if m := listening.FindStringSubmatch(in.Text()); m != nil {
				addr <- m[1]
			}
		}
		_ = c.Wait() // it ends by a signal
	}()
	r.stop = func() { cancel(); <-ended }
	t.Cleanup(r.stop)
	select {
	case r.Addr = <-addr:
	case <-ended:
		t.Fatal("docker-registry ended before it listened")
	}
}
