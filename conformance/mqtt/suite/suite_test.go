package suite

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// fake is a server that lets every client in and then does what answer says to each packet, until
// that is false.
type fake struct {
	answer func(conn net.Conn, frame []byte) bool
	mu     sync.Mutex
	seen   []string // packets that leave something behind or take it away
}

func (f *fake) start(t *testing.T) *Target {
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
			go f.serve(conn)
		}
	}()
	target, err := ParseTarget("tcp://"+ln.Addr().String(), TLS{})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (f *fake) serve(conn net.Conn) {
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
			if err != nil || n == 0 {
				break
			}
			f.packet(conn, have[:n])
			have = have[n:]
		}
	}
}

func (f *fake) packet(conn net.Conn, frame []byte) {
	var c mqtt.Connect
	var p mqtt.Publish
	switch mqtt.TypeOf(frame) {
	case mqtt.CONNECT:
		if c.Decode(frame) == nil {
			f.note("connect", string(c.ClientID), c.CleanStart)
			_, _ = conn.Write((&mqtt.Connack{}).Append(nil, c.Version))
		}
	case mqtt.PUBLISH:
		if p.Decode(mqtt.V311, frame) == nil {
			f.note("publish", string(p.Topic), len(p.Payload) == 0)
			if p.QoS == mqtt.AtLeastOnce {
				ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: p.PacketID}
				_, _ = conn.Write(ack.Append(nil, mqtt.V311))
			}
		}
	default:
		if f.answer != nil && f.answer(conn, frame) {
			return
		}
		var s mqtt.Subscribe
		if s.Decode(mqtt.V5, frame) == nil { // of the look at what is left
			ack := mqtt.Suback{PacketID: s.PacketID, Reasons: []mqtt.ReasonCode{mqtt.Success}}
			_, _ = conn.Write(ack.Append(nil, mqtt.V5))
		}
	}
}

func (f *fake) note(what, name string, clean bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	mark := " keep"
	if clean {
		mark = " clean"
	}
	f.seen = append(f.seen, what+" "+name+mark)
}

func options(target *Target) Options {
	o := DefaultOptions()
	o.Target, o.Versions = target, []mqtt.Version{mqtt.V311}
	// A server that is there answers, however long that takes.
	o.ExpectTimeout, o.CaseTimeout, o.ReturnTimeout = time.Minute, time.Minute, time.Minute
	return o
}

// impatient lets a case that is connected wait no longer for what does not come.
func (c *Client) impatient() *Client {
	c.t.run.opts.ExpectTimeout = 50 * time.Millisecond
	return c
}

func one(name string, run func(t *T)) []Case {
	return []Case{{Name: name, Claims: "3.1.1/MQTT-0.0.0-0", Text: "x.", Run: run,
		Versions: []mqtt.Version{mqtt.V311}}}
}

// What a case does, and what must be said of it.
func TestOutcomes(t *testing.T) {
	target := (&fake{answer: func(conn net.Conn, frame []byte) bool {
		if mqtt.TypeOf(frame) == mqtt.DISCONNECT {
			_, _ = conn.Write([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
			return true
		}
		return false
	}}).start(t)
	for name, c := range map[string]struct {
		run    func(t *T)
		want   Outcome
		reason string
	}{
		"pass": {func(t *T) { t.Connect() }, Passed, ""},
		"skip": {func(t *T) { t.Skipf("no such thing") }, Skipped, "no such thing"},
		"quiet server": {func(t *T) { t.Connect().impatient().Ping() }, Failed,
			"want PINGRESP, got: nothing came"},
		"open connection": {func(t *T) { t.Connect().impatient().WantClosed() }, Failed,
			"did not close"},
		"garbage": {func(t *T) {
			c := t.Connect()
			c.SendPacket(&mqtt.Disconnect{})
			c.Next()
		}, Failed, "sent no packet"},
		"out of time": {func(t *T) { t.Wait(time.Hour) }, Failed, "time limit"},
		"bug":         {func(*T) { panic("oh") }, Errored, "case itself is broken: oh"},
		"wrong codes": {func(t *T) { t.Connect().impatient().WantRefused() }, Failed,
			"neither CONNACK"},
		"fault, then pass": {func(t *T) { t.Errorf("small"); t.Connect() }, Failed, "small"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(target)
			if name == "out of time" {
				o.CaseTimeout = 50 * time.Millisecond
			}
			results, err := Run(t.Context(), one("a/b", c.run), o)
			if err != nil || len(results) != 1 {
				t.Fatal(results, err)
			}
			r := results[0]
			said := r.Reason + strings.Join(r.Faults, " ")
			if r.Outcome != c.want || !strings.Contains(said, c.reason) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// What a case leaves in a server is taken away: sessions, retained messages.
func TestNothingIsLeftBehind(t *testing.T) {
	f := &fake{}
	target := f.start(t)
	_, err := Run(t.Context(), one("a/b", func(t *T) {
		c := t.Connect(Named("stays"), Keeping)
		c.SendPacket(&mqtt.Publish{Topic: []byte("kept"), Payload: []byte("x"), Retain: true})
		c.SendPacket(&mqtt.Publish{Topic: []byte("other"), Payload: []byte("x")})
		c.Close()
		t.Connect(WithWill(mqtt.Will{Topic: []byte("will"), Retain: true})).Close()
	}), options(target))
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := strings.Join(f.seen, "\n")
	for _, want := range []string{
		"connect stays clean", "publish kept clean", "publish will clean",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("want %q in:\n%s", want, seen)
		}
	}
	if strings.Contains(seen, "publish other clean") {
		t.Error("took away what was not retained")
	}
}

// A retained message by alias, a CONNECT in two parts, a session under an assigned identifier: all
// are seen.
func TestTraces(t *testing.T) {
	var tr traces
	l := trail{version: mqtt.V5}
	hello := mqtt.Connect{Version: mqtt.V5, ClientID: []byte("parts")}
	hello.Props = hello.Props.AppendUint32(mqtt.SessionExpiryInterval, 60)
	b := hello.Append(nil)
	tr.saw(&l, b[:5])
	tr.saw(&l, b[5:])
	for _, name := range []string{"by/alias", ""} {
		p := mqtt.Publish{Topic: []byte(name), Payload: []byte("x"), Retain: name == ""}
		p.Props = p.Props.AppendUint16(mqtt.TopicAlias, 3)
		tr.saw(&l, p.Append(nil, mqtt.V5))
	}
	anonymous := trail{}
	hello.ClientID = nil
	tr.saw(&anonymous, hello.Append(nil))
	tr.keeps(&anonymous, "assigned")
	tr.saw(&l, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	if !tr.retained["by/alias"] || len(tr.retained) != 1 || len(tr.sessions) != 2 ||
		string(tr.sessions["assigned"].ClientID) != "assigned" {
		t.Errorf("%+v", tr)
	}
}

// What fits nothing, lasts too long, or cannot be reached is told apart from a fault.
func TestRunsThatJudgeNothing(t *testing.T) {
	target := (&fake{}).start(t)
	o := options(target)
	o.Only = []string{"a/b", "nosuch"}
	if _, err := Run(t.Context(), one("a/b", func(*T) {}), o); !errors.Is(err, ErrPattern) ||
		!strings.Contains(err.Error(), "nosuch") {
		t.Errorf("pattern: %v", err)
	}
	o = options(target)
	o.TimeLimit, o.CaseTimeout, o.Parallel = 50*time.Millisecond, time.Minute, 1
	cases := append(one("a/b", func(t *T) { t.Wait(time.Hour) }), one("a/c", func(*T) {})...)
	got, err := Run(t.Context(), cases, o)
	if !errors.Is(err, ErrTimeLimit) || got[0].Outcome != NotRun || got[1].Outcome != NotRun {
		t.Errorf("time limit: %v %+v", err, got)
	}
	o = options(target)
	nobody := &Target{url: &url.URL{Scheme: "tcp", Host: "127.0.0.1:1"}, server: everything()}
	o.Extra = map[string]*Target{Guarded: nobody}
	if _, err := Run(t.Context(), cases, o); !errors.Is(err, ErrUnreachable) {
		t.Errorf("extra: %v", err)
	}
}

// The password is in no transcript.
func TestPasswordIsMasked(t *testing.T) {
	o := options((&fake{}).start(t))
	o.Username, o.Password = "user", "s3cret"
	results, err := Run(t.Context(), one("a/b", func(t *T) { t.Connect().impatient().Ping() }), o)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(results[0].Transcript, "\n")
	secret := hex.EncodeToString([]byte("s3cret"))
	if results[0].Outcome != Failed || strings.Contains(text, secret) {
		t.Error(text)
	}
}

// A server that says nothing at all is told at once, and a run that is ended ends.
func TestNoBroker(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	target, err := ParseTarget("tcp://"+ln.Addr().String(), TLS{})
	if err != nil {
		t.Fatal(err)
	}
	o := options(target)
	o.ExpectTimeout = 50 * time.Millisecond
	if _, err := Run(t.Context(), one("a/b", func(*T) {}), o); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	live := (&fake{}).start(t)
	results, err := Run(ctx, one("a/b", func(*T) {}), options(live))
	if err == nil && (len(results) != 1 || results[0].Outcome != NotRun) {
		t.Errorf("%v %v", results, err)
	}
}

func TestSelection(t *testing.T) {
	target := (&fake{}).start(t)
	cases := []Case{
		{Name: "a/x", Claims: "3.1.1/MQTT-1.1.1-1", Text: "x.", Run: func(*T) {}},
		{Name: "a/y", Claims: "3.1.1/MQTT-1.1.1-11 5.0/MQTT-1.1.1-1", Text: "x.", Run: func(*T) {}},
		{Name: "b/z", Claims: "5.0/MQTT-2.2.2-2", Text: "x.", Run: func(*T) {}},
	}
	for only, want := range map[string]string{
		"":               "a/x 3.1 a/x 3.1.1 a/y 3.1 a/y 3.1.1 a/y 5.0 b/z 5.0",
		"a/*":            "a/x 3.1 a/x 3.1.1 a/y 3.1 a/y 3.1.1 a/y 5.0",
		"b/z":            "b/z 5.0",
		"MQTT-1.1.1-1":   "a/x 3.1.1 a/y 5.0",
		"[MQTT-2.2.2-2]": "b/z 5.0",
	} {
		o := options(target)
		o.Versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
		if only != "" {
			o.Only = []string{only}
		}
		results, err := Run(t.Context(), cases, o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			got = append(got, r.Case, r.Version)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", only, got)
		}
	}
}

func TestBadTargets(t *testing.T) {
	for _, s := range []string{"", "127.0.0.1:1", "http://a:1", "tcp://a", "unix:", "tls://a:1"} {
		ca := TLS{}
		if s == "tls://a:1" {
			ca.CAFile = "/does/not/exist"
		}
		if _, err := ParseTarget(s, ca); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}
