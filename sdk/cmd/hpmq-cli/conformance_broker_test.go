package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/report"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// broker answers each CONNECT with a reason, keeps what the last one said, and answers PINGREQ.
type broker struct {
	reason   mqtt.ReasonCode
	connects atomic.Int64
	onNth    func(n int64)
	password atomic.Value
	// messages, as topic=payload, come to each subscriber; published is what clients publish.
	messages  []string
	published chan string
	// ends closes the connection behind the messages.
	ends bool
}

func (b *broker) start(t *testing.T) (target string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return "tcp://" + ln.Addr().String()
}

func (b *broker) serve(conn net.Conn) {
	defer conn.Close()
	var have []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		have = append(have, buf[:n]...)
		for {
			n, err := mqtt.Frame(have, 1<<20)
			if err != nil {
				return
			}
			if n == 0 {
				break
			}
			b.packet(conn, have[:n])
			have = have[n:]
		}
	}
}

func (b *broker) packet(conn net.Conn, frame []byte) {
	var c mqtt.Connect
	switch mqtt.TypeOf(frame) {
	case mqtt.CONNECT:
		if c.Decode(frame) != nil {
			_ = conn.Close()
			return
		}
		b.password.Store(string(c.Password))
		if n := b.connects.Add(1); b.onNth != nil {
			b.onNth(n)
		}
		_, _ = conn.Write((&mqtt.Connack{Reason: b.reason}).Append(nil, c.Version))
	case mqtt.PINGREQ:
		_, _ = conn.Write([]byte{0xD0, 0})
	case mqtt.SUBSCRIBE:
		b.subscribed(conn, frame)
	case mqtt.PUBLISH:
		var p mqtt.Publish
		if p.Decode(mqtt.V311, frame) == nil {
			b.published <- string(p.Topic) + "=" + string(p.Payload)
		}
	}
}

// subscribed answers a SUBSCRIBE of one filter with all messages.
func (b *broker) subscribed(conn net.Conn, frame []byte) {
	var s mqtt.Subscribe
	if s.Decode(mqtt.V311, frame) != nil {
		_ = conn.Close()
		return
	}
	ack := mqtt.Suback{PacketID: s.PacketID, Reasons: []mqtt.ReasonCode{1}}
	out := ack.Append(nil, mqtt.V311)
	for i, m := range b.messages {
		topic, payload, _ := strings.Cut(m, "=")
		p := mqtt.Publish{
			Topic: []byte(topic), Payload: []byte(payload), QoS: 1, PacketID: uint16(i + 1),
		}
		out = p.Append(out, mqtt.V311)
	}
	_, _ = conn.Write(out)
	if b.ends {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
}

// folder has a report of a run before, and answers what is in it.
func folder(t *testing.T) (file string, names func() string) {
	dir := t.TempDir()
	file = filepath.Join(dir, "a.json")
	write(t, file, "before")
	return file, func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
}

func TestConformanceKeepsTheOldReport(t *testing.T) {
	file, names := folder(t)
	for target, says := range map[string]string{
		"tcp://127.0.0.1:1":                            "is the broker running",
		(&broker{reason: mqtt.NotAuthorized}).start(t): "refuses the client",
	} {
		code, _, errs := conform(t, "--target", target, "--report", file, "--timeout", "5s")
		text, err := os.ReadFile(file)
		if code != exitUnreachable || !strings.Contains(errs, says) || err != nil ||
			string(text) != "before" || names() != "a.json" {
			t.Errorf("exit %d, %s, %v %q, %s", code, errs, err, text, names())
		}
	}
}

func TestConformanceReplacesTheReport(t *testing.T) {
	file, names := folder(t)
	link := filepath.Join(filepath.Dir(file), "link.json")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	code, out, errs := conform(t, "--target", (&broker{}).start(t), "--only", "wire/ping*",
		"--report", link, "--timeout", "100ms", "--case-timeout", "1s")
	r := readReport(t, file)
	if len(r.Results) == 0 || r.Ended != "" || !strings.Contains(out, "runs of cases") ||
		names() != "a.json link.json" {
		t.Errorf("exit %d, %s%s: %s", code, out, errs, names())
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Error("the link was replaced")
	}
}

func readReport(t *testing.T, file string) *report.Report {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := report.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A signal in the middle: what was judged is told, the rest is not run.
func TestConformanceInterrupted(t *testing.T) {
	file, names := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	b := &broker{onNth: func(n int64) {
		if n == 3 {
			cancel()
		}
	}}
	var out, errs bytes.Buffer
	code := run(ctx, words("conformance --only wire/ping* --parallel 1 --timeout 200ms --report "+
		file+" --target "+b.start(t)), streams{strings.NewReader(""), &out, &errs})
	r := readReport(t, file)
	last := r.Results[len(r.Results)-1]
	if code != exitInterrupted || last.Outcome != suite.NotRun || r.Ended == "" ||
		!strings.Contains(last.Reason, "ended") || names() != "a.json" {
		t.Errorf("exit %d, %s, %+v, %s", code, errs.String(), last, names())
	}
	if !strings.Contains(out.String(), "NOT ALL WAS JUDGED: ended by a signal") {
		t.Error(out.String())
	}
}

func TestInterruptible(t *testing.T) {
	ctx, stop := interruptible(t.Context())
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}

func TestConformanceTimeLimit(t *testing.T) {
	file, _ := folder(t)
	code, _, errs := conform(t, "--target", (&broker{}).start(t), "--only", "wire/ping*",
		"--report", file, "--time-limit", "1ns", "--timeout", "200ms")
	if code != exitRefused || !strings.Contains(errs, "--time-limit") ||
		!strings.Contains(readReport(t, file).Ended, "--time-limit") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestConformancePassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, "from-file\n")
	t.Setenv("HPMQ_CLI_PASSWORD", "from-env")
	b := &broker{reason: mqtt.NotAuthorized}
	target := b.start(t)
	for args, want := range map[string]string{
		"--username u":                           "from-env",
		"--username u --password from-flag":      "from-flag",
		"--username u --password-file " + file:   "from-file",
		"--versions 5.0 --only connect/* --all ": "",
	} {
		code, _, errs := conform(t, append(strings.Fields(args), "--target", target)...)
		if got := b.password.Load(); code != exitUnreachable || got != want {
			t.Errorf("%s: exit %d, %s: %q", args, code, errs, got)
		}
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out, redraw: true, total: 3}
	p.add(suite.Result{Outcome: suite.Passed})
	p.add(suite.Result{Outcome: suite.Failed})
	const drawn = "\r\x1b[K1 of 3 runs of cases, 0 failed so far" +
		"\r\x1b[K2 of 3 runs of cases, 1 failed so far"
	if out.String() != drawn {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	tick, stop := make(chan time.Time), make(chan struct{})
	done := make(chan struct{})
	p = &progress{out: &out, total: 3}
	go func() {
		defer close(done)
		p.watch(tick, stop)
	}()
	p.add(suite.Result{Outcome: suite.Errored})
	tick <- time.Time{}
	close(stop)
	<-done
	if out.String() != "1 of 3 runs of cases, 1 failed so far\n" {
		t.Errorf("%q", out.String())
	}
}
