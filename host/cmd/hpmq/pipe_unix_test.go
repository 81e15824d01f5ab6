//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipeForAFile: a pipe that nobody writes into neither holds a reload nor the end.
func TestPipeForAFile(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "hpmq.yaml"), filepath.Join(dir, "pipe")
	for _, name := range []string{pipe, pipe + ".tar"} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, file, "listeners:"+cheap+"a\n")
	p := start(t, "--config", file, "--data", "memory", "--admin", "off", "--log-level", "error")
	p.out.until(t, "mosquitto_pub")
	for _, refused := range [][2]string{
		{"read certificate: ", `{name: b, bind: "tls://127.0.0.1:0", tls: {certificates: ` +
			`[{certificate: ` + pipe + `, key: ` + pipe + `}]}}`},
		{"authenticator", `{name: b, bind: "tcp://127.0.0.1:0", ` +
			`link: {authenticator: [{use: ` + pipe + `}]}}`},
		{"authorizer", `{name: c, bind: "tcp://127.0.0.1:0", ` +
			`link: {authorizer: [{use: ` + pipe + `.tar}]}}`},
	} {
		write(t, file, "listeners: ["+refused[1]+"]\n")
		p.signals <- syscall.SIGHUP
		all := p.err.until(t, refused[0])
		line, _, _ := strings.Cut(all[strings.Index(all, refused[0]):], "\n")
		if !strings.Contains(line, "is no regular file but a pipe") {
			t.Errorf("%s: no word of the pipe in %q", refused[0], line)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(pipe, file); err != nil {
		t.Fatal(err)
	}
	p.signals <- syscall.SIGHUP
	p.err.until(t, "read the configuration")
	p.signals <- syscall.SIGTERM
	if code := <-p.exit; code != exitOK {
		t.Errorf("exit %d: %s", code, p.err)
	}
}
