package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string { return write(t, filepath.Join(dir, name), text) }
	one := `{"listeners": [{"name": "a", "bind": "tcp://127.0.0.1:0"`
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"help":        {[]string{"--help"}, 0, "hpmq-lite --listen tcp://:1883"},
		"version":     {[]string{"--version"}, 0, "hpmq-lite "},
		"no flag":     {[]string{"--port", "1"}, 2, "not defined: -port"},
		"no argument": {[]string{"serve"}, 2, `no argument "serve"`},
		"no file":     {[]string{"--config", "/nowhere.json"}, 1, "no such file"},
		"no key": {[]string{"--config", file("a", `{"loops": 1}`)}, 1,
			`unknown field "loops"`},
		"no key deep": {[]string{"--config", file("b", one+`, "limit": {}}]}`)}, 1,
			`unknown field "limit"`},
		"no limit": {[]string{"--config", file("c", one+
			`, "limits": {"connections": 1}}]}`)}, 1, `unknown field "connections"`},
		"no role": {[]string{"--link", file("d", `{"authoriser": []}`)}, 1, "authoriser"},
		"no key of a component": {[]string{"--link", file("e", `{"router": [{"used": "x"}]}`)}, 1,
			`unknown field "used"`},
		"broken": {[]string{"--link", file("f", "{\n\n\"router\": [,]}")}, 1, "line 3"},
		"more":   {[]string{"--link", file("g", "{} {}")}, 1, "more behind the end"},
		"bind":   {[]string{"--listen", "127.0.0.1:1"}, 1, "tcp://host:port"},
		"sync":   {[]string{"--sync", "maybe"}, 1, "want commit or none"},
		"level":  {[]string{"--log-level", "loud"}, 1, "--log-level"},
		"twice": {[]string{"--config", file("h", one+"},"+
			strings.TrimPrefix(one, `{"listeners": [`)+"}]}")}, 1, `name "a"`},
		"limits": {[]string{"--config", file("i", one+
			`, "limits": {"connections_max": 0}}]}`)}, 1, "connections"},
		"component": {[]string{"--data", "memory", "--link", file("j",
			`{"router": [{"use": "router-magic"}]}`)}, 1, "router-rules"},
	} {
		t.Run(name, func(t *testing.T) {
			code, text := once(t, c.args...)
			if code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("exit %d, want %d; no %q in:\n%s", code, c.code, c.says, text)
			}
		})
	}
}

func TestTakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	code, text := once(t, "--data", "memory", "--link", "none",
		"--listen", "tcp://"+taken.Addr().String())
	if code != exitFailed || !strings.Contains(text, "--listen") {
		t.Errorf("exit %d: %s", code, text)
	}
}

const anyPort = "tcp://127.0.0.1:0"

// Told nothing but where, it has the default components, and keeps what is retained.
func TestRetainedOverARestart(t *testing.T) {
	dir := t.TempDir()
	for i, sync := range []string{"commit", "none"} {
		args := []string{"--listen", anyPort, "--data", dir, "--sync", sync}
		p := start(t, args...)
		if text := p.out.String(); i == 0 && !strings.Contains(text, "router-rules 0.") {
			t.Errorf("not linked: %s", text)
		}
		c := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("pub")})
		for q := range mqtt.QoS(3) {
			c.publish(fmt.Sprint("kept/", q), "v"+sync, q, true)
		}
		c.publish("kept/gone", "x", 1, true)
		c.publish("kept/gone", "", 1, true)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			c.goodbye(mqtt.ServerShuttingDown)
		}()
		p.stop(t, syscall.SIGTERM)
		<-closed

		p = start(t, args...)
		c = dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("sub")}).subscribe("kept/#")
		got := map[string]bool{}
		for range 3 {
			got[c.message()] = true
		}
		for q := range 3 {
			if want := fmt.Sprintf("kept/%d v%s %d", q, sync, q); !got[want] {
				t.Errorf("no %q in %v", want, got)
			}
		}
		_ = c.c.Close()
		p.stop(t, os.Interrupt)
	}
}

func TestMemoryKeepsNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	p := start(t, "--listen", anyPort, "--data", "memory", "--link", "none")
	c := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("c")})
	if r := c.publish("a", "1", 2, true); r != mqtt.NoMatchingSubscribers {
		t.Error(r)
	}
	if got := c.subscribe("a").message(); got != "a 1 2" {
		t.Error(got)
	}
	_ = c.c.Close()
	p.stop(t, syscall.SIGTERM)
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRetainedIsBounded(t *testing.T) {
	file := write(t, "c.json", `{"data": "memory",
		"retained": {"messages_max": 1, "bytes_max": 100},
		"listeners": [{"name": "mqtt", "bind": "tcp://127.0.0.1:0"}]}`)
	p := start(t, "--config", file, "--link", "none")
	c := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("c")})
	for i, want := range []mqtt.ReasonCode{
		mqtt.NoMatchingSubscribers, mqtt.QuotaExceeded, mqtt.NoMatchingSubscribers,
	} {
		topic, payload := "a", "1" // kept
		switch i {
		case 1:
			topic = "b" // one too many
		case 2:
			payload = "" // forgotten
		}
		if r := c.publish(topic, payload, 1, true); r != want {
			t.Errorf("step %d: %v, want %v", i, r, want)
		}
	}
	_ = c.c.Close()
	p.stop(t, syscall.SIGTERM)
}

// linkOf is a link with an authorizer, that allows all below one topic, and a transformer that puts
// v into what is published.
func linkOf(topic, v string) string {
	return fmt.Sprintf(`{"authenticator": [], "deduplicator": [], "router": [],
	"authorizer": [{"use": "authorizer-rules", "config": {"default": "deny", "rules": [
		{"effect": "allow", "topics": [%q]}]}}],
	"transformer": [{"use": "transformer-json", "config": {"rules": [
		{"steps": [{"const": {"v": %q}}]}]}}]}`, topic, v)
}

// A reload links anew while messages flow: nobody is disconnected, nothing is lost, and no message
// of the new link is followed by one of the old.
func TestSwapUnderTraffic(t *testing.T) {
	file := write(t, "link.json", linkOf("#", "0"))
	p := start(t, "--listen", anyPort, "--data", t.TempDir(), "--link", file)
	sub := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("sub")}).subscribe("t/#")
	pub := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("pub")})
	const swaps = 5
	enough := make(chan struct{})
	sent := make(chan int, 1)
	// As many as the queue of the subscriber takes may be on their way: what is above is dropped.
	ahead := make(chan struct{}, defaultLimits().QueueMessagesMax/2)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-enough:
				pub.publish("t/end", `{}`, 1, false)
				sent <- n
				return
			case ahead <- struct{}{}:
				pub.publish("t/x", fmt.Sprintf(`{"n":%d}`, n), 1, false)
			}
		}
	}()
	got := make(chan []string, 1)
	go func() {
		var list []string
		for {
			m := sub.message()
			if strings.HasPrefix(m, "t/end") {
				got <- list
				return
			}
			list = append(list, m)
			<-ahead
		}
	}()
	for i := 1; i <= swaps; i++ {
		write(t, file, linkOf("#", fmt.Sprint(i)))
		p.signals <- syscall.SIGHUP
		p.out.until(t, "reloaded", i)
	}
	close(enough)
	n, list := <-sent, <-got
	if len(list) != n {
		t.Errorf("%d of %d messages came", len(list), n)
	}
	v := 0
	for i, m := range list {
		for v < swaps && m != fmt.Sprintf(`t/x {"n":%d,"v":"%d"} 1`, i, v) {
			v++
		}
		if want := fmt.Sprintf(`t/x {"n":%d,"v":"%d"} 1`, i, v); m != want {
			t.Fatalf("message %d is %s", i, m)
		}
	}
	_, _ = pub.c.Close(), sub.c.Close()
	p.stop(t, syscall.SIGTERM)
}

// With several listeners a reload is all or nothing too.
func TestReloadIsAllOrNothing(t *testing.T) {
	config := func(first, second string) string {
		return fmt.Sprintf(`{"data": "memory", "log_level": "error", "listeners": [
			{"name": "mqtt", "bind": "tcp://127.0.0.1:0", "link": %s},
			{"name": "two", "bind": "tcp://127.0.0.1:0", "link": %s}]}`, first, second)
	}
	file := write(t, "c.json", config(linkOf("a/#", "1"), linkOf("a/#", "1")))
	p := start(t, "--config", file)
	c := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("c")})
	want := func(topic string, r mqtt.ReasonCode) {
		t.Helper()
		if got := c.publish(topic, "{}", 1, false); got != r {
			t.Errorf("%s: %v, want %v", topic, got, r)
		}
	}
	want("a/1", mqtt.NoMatchingSubscribers)
	want("b/1", mqtt.NotAuthorized)
	for i, text := range []string{
		config(linkOf("b/#", "1"), `{"router": [{"use": "router-magic"}]}`),
		config(linkOf("b/#", "1"), strings.Replace(linkOf("b/#", "1"), "deny", "perhaps", 1)),
		strings.Replace(config(linkOf("b/#", "1"), linkOf("b/#", "1")), "memory", "elsewhere", 1),
		"{",
	} {
		write(t, file, text)
		p.signals <- syscall.SIGHUP
		p.err.until(t, "not reloaded", i+1)
		want("a/1", mqtt.NoMatchingSubscribers)
		want("b/1", mqtt.NotAuthorized)
	}
	write(t, file, config(linkOf("b/#", "1"), linkOf("b/#", "1")))
	p.signals <- syscall.SIGHUP
	p.out.until(t, "reloaded", 1)
	want("a/1", mqtt.NotAuthorized)
	want("b/1", mqtt.NoMatchingSubscribers)
	_ = c.c.Close()
	p.stop(t, syscall.SIGTERM)
}

func TestWill(t *testing.T) {
	p := start(t, "--listen", anyPort, "--data", "memory")
	sub := dial(t, p.address).connect(mqtt.Connect{ClientID: []byte("sub")}).subscribe("will")
	dying := dial(t, p.address).connect(mqtt.Connect{
		ClientID: []byte("dying"), HasWill: true,
		Will: mqtt.Will{Topic: []byte("will"), Payload: []byte("gone"), QoS: 2},
	})
	_ = dying.c.Close()
	if got := sub.message(); got != "will gone 2" {
		t.Error(got)
	}
	_ = sub.c.Close()
	p.stop(t, syscall.SIGTERM)
}
