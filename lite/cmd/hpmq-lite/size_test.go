package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What a device may be asked for.
const (
	binaryBytesMax = 8_000_000
	// residentBytesMax holds with a component linked and nobody connected.
	residentBytesMax = 15_000_000
	// idleBytesMax is the resident memory of an idle connection with a session: goroutine, socket,
	// kernel. 7.1 KB were measured on linux/amd64.
	idleBytesMax = 12_000
)

// program is the real binary at work.
type program struct {
	cmd     *exec.Cmd
	address string
}

// build makes the binary as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hpmq-lite")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -funcalign=2",
		"-gcflags=fmt=-l", "-gcflags=debug/dwarf=-l", "-gcflags=strings=-l",
		"-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// launch starts it and waits until it is ready.
func launch(t *testing.T, path string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(path, append(args, "--listen", anyPort)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: cmd}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := listens.FindStringSubmatch(lines.Text()); m != nil {
			p.address = m[1]
		}
		if strings.Contains(lines.Text(), "ready") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return p
		}
	}
	t.Fatal("it did not start")
	return nil
}

// kill ends it as a power cut would, as far as a process can tell.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // says that it was killed
}

// resident is the resident memory in bytes.
func (p *program) resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return n * 1024
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestTheBinary builds the program as it is shipped and holds it to what a device can give.
func TestTheBinary(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds the program and reads /proc")
	}
	path := build(t)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("binary: %d bytes", st.Size())
	if st.Size() > binaryBytesMax {
		t.Errorf("%d bytes, at most %d", st.Size(), binaryBytesMax)
	}
	t.Run("resident", func(t *testing.T) { testResident(t, path) })
	t.Run("connections", func(t *testing.T) { testIdle(t, path) })
	t.Run("killed", func(t *testing.T) { testKilled(t, path) })
}

func testResident(t *testing.T, path string) {
	dir := t.TempDir()
	one := `{"authenticator": [], "transformer": [], "deduplicator": [], "router": []}`
	for _, c := range []struct {
		name, link string
		most       int
	}{
		{"one component, compiled", write(t, "one.json", one), residentBytesMax},
		{"one component, from the cache", write(t, "one.json", one), residentBytesMax},
		{"no component", "none", residentBytesMax},
		{"five components, compiled", "", 2 * residentBytesMax},
		{"five components, from the cache", "", 2 * residentBytesMax},
	} {
		p := launch(t, path, "--data", dir, "--link", c.link)
		dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("c")}).publish("t", "x", 1, false)
		n := p.settled(t, c.most)
		t.Logf("%s: %d bytes resident", c.name, n)
		if n > c.most {
			t.Errorf("%s: %d bytes resident, at most %d", c.name, n, c.most)
		}
		p.kill()
	}
}

// settled is what is resident as soon as it is no more than most, or what still is after a time in
// which all garbage is collected.
func (p *program) settled(t *testing.T, most int) int {
	t.Helper()
	end, look := time.After(3*time.Minute), time.NewTicker(settling/10)
	defer look.Stop()
	for {
		n := p.resident(t)
		if n <= most {
			return n
		}
		select {
		case <-look.C:
		case <-end:
			return n
		}
	}
}

func testIdle(t *testing.T, path string) {
	const n = 800
	p := launch(t, path, "--data", "memory", "--link", "none")
	defer p.kill()
	dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("warm")})
	before := p.resident(t)
	conns := make([]net.Conn, n)
	for i := range conns {
		id := fmt.Appendf(nil, "device-%d", i)
		conns[i] = dial(t, p.address).connect(mqtt.Connect{ClientID: id}).c
	}
	each := (p.settled(t, before+n*idleBytesMax) - before) / n
	t.Logf("an idle connection: %d bytes resident", each)
	if each > idleBytesMax {
		t.Errorf("%d bytes an idle connection, at most %d", each, idleBytesMax)
	}
}

// testKilled kills the broker again and again while retained messages come in. What was
// acknowledged is there after each start.
func testKilled(t *testing.T, path string) {
	dir := t.TempDir()
	acked := map[string]int{}
	n := 0
	for range 8 {
		p := launch(t, path, "--data", dir, "--link", "none")
		hold(t, p.address, acked)
		c := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("pub")})
		killed, answers := make(chan struct{}), 50+n%37
		go func() {
			defer close(killed)
			for range answers {
				if _, err := c.read(); err != nil {
					break
				}
			}
			p.kill() // while the next write is under way
		}()
		for {
			topic := fmt.Sprintf("k/%d", n%20)
			if !tryPublish(p.address, topic, n) {
				break
			}
			acked[topic] = n
			n++
			ping := mqtt.Ping{Type: mqtt.PINGREQ}
			_, _ = c.c.Write(ping.Append(nil, mqtt.V5))
		}
		<-killed
	}
	if n == 0 {
		t.Error("nothing was acknowledged")
	}
	t.Logf("%d acknowledged over 8 kills", n)
}

// tryPublish publishes a retained message; false if the broker went before it acknowledged.
func tryPublish(address, topic string, n int) bool {
	sock, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = sock.Close() }()
	_ = sock.SetDeadline(time.Now().Add(patience))
	con := mqtt.Connect{Version: mqtt.V5, CleanStart: true}
	pub := mqtt.Publish{
		Topic: []byte(topic), Payload: strconv.AppendInt(nil, int64(n), 10), QoS: 1, PacketID: 1,
		Retain: true,
	}
	if _, err := sock.Write(pub.Append(con.Append(nil), mqtt.V5)); err != nil {
		return false
	}
	c := &client{c: sock, buf: make([]byte, 1024)}
	for {
		frame, err := c.read()
		if err != nil {
			return false
		}
		if mqtt.TypeOf(frame) == mqtt.PUBACK {
			return true
		}
	}
}

// hold fails unless every topic has what was acknowledged last, or something newer that was under
// way.
func hold(t *testing.T, address string, acked map[string]int) {
	t.Helper()
	c := dial(t, address).connect(mqtt.Connect{ClientID: []byte("sub")}).subscribe("k/#")
	defer func() { _ = c.c.Close() }()
	ping := mqtt.Ping{Type: mqtt.PINGREQ}
	c.send(ping.Append(nil, mqtt.V5)) // answered behind what is retained
	found := map[string]int{}
	for {
		frame, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if mqtt.TypeOf(frame) != mqtt.PUBLISH {
			break
		}
		var p mqtt.Publish
		if err := p.Decode(mqtt.V5, frame); err != nil {
			t.Fatal(err)
		}
		if found[string(p.Topic)], err = strconv.Atoi(string(p.Payload)); err != nil {
			t.Fatal(err)
		}
	}
	for topic, n := range acked {
		if found[topic] < n {
			t.Errorf("%s has %d, acknowledged was %d", topic, found[topic], n)
		}
	}
}
