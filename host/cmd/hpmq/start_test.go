package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A start that waits for a registry is ended by a signal.
func TestASignalEndsAStart(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	file := filepath.Join(t.TempDir(), "hpmq.yaml")
	use := silent.Addr().String() + "/x@sha256:" + strings.Repeat("0", 64)
	write(t, file, `data_dir: memory
admin: {bind: off}
listeners:
  - bind: tcp://127.0.0.1:0
    name: a
    link: {router: [{use: "`+use+`"}]}
`)
	p := start(t, "--config", file)
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	p.signals <- syscall.SIGHUP
	p.signals <- syscall.SIGTERM
	if code := <-p.exit; code != exitOK || !strings.Contains(p.out.String(), "stopping") {
		t.Errorf("exit %d: %s%s", code, p.out, p.err)
	}
}

// Who checks a configuration reads which registry is waited for, and how long at most.
func TestACheckSaysThatItPulls(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	file := filepath.Join(t.TempDir(), "hpmq.yaml")
	use := silent.Addr().String() + "/x@sha256:" + strings.Repeat("0", 64)
	write(t, file, "data_dir: memory\nlisteners:\n  - bind: tcp://127.0.0.1:0\n    name: a\n"+
		"    link: {router: [{use: \""+use+"\"}]}\n")
	p := start(t, "check", "--config", file)
	if said := p.err.until(t, "pulling a bundle"); !strings.Contains(said, "from="+use) ||
		!strings.Contains(said, "10m0s") {
		t.Error(said)
	}
	p.signals <- syscall.SIGTERM
	if code := <-p.exit; code != exitFailed {
		t.Errorf("exit %d: %s", code, p.err)
	}
}

// A reload that waits for a registry ends when another is asked for: what was mended is read.
func TestAMendedFileDoesNotWaitForARegistry(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	file := filepath.Join(t.TempDir(), "hpmq.yaml")
	const head = "data_dir: memory\nadmin: {bind: off}\nlisteners:"
	write(t, file, head+cheap+"a\n")
	p := start(t, "--config", file, "--log-level", "error")
	p.out.until(t, "mosquitto_pub")
	use := silent.Addr().String() + "/x@sha256:" + strings.Repeat("0", 64)
	write(t, file, head+"\n  - bind: tcp://127.0.0.1:0\n    name: b\n    link: {router: [{use: \""+
		use+"\"}]}\n")
	p.signals <- syscall.SIGHUP
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	write(t, file, head+cheap+"c\n")
	p.signals <- syscall.SIGHUP
	p.err.until(t, "not reloaded: asked for again while it waited for a registry")
	p.out.until(t, "hpmq: reloaded")
	p.signals <- syscall.SIGTERM
	if code := <-p.exit; code != exitOK {
		t.Errorf("exit %d: %s", code, p.err)
	}
}
