package app

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// liner is a client that speaks in lines of text.
type liner struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dialLines(t *testing.T, address string) *liner {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &liner{t, conn, bufio.NewReader(conn)}
}

func (l *liner) say(text string) {
	l.t.Helper()
	if _, err := l.conn.Write([]byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

// expect reads the next lines.
func (l *liner) expect(want ...string) {
	l.t.Helper()
	for _, w := range want {
		if err := l.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			l.t.Fatal(err)
		}
		got, err := l.in.ReadString('\n')
		if got != w+"\n" {
			l.t.Fatalf("got %q, %v, want %q", got, err, w)
		}
	}
}

// over reads the end of the connection.
func (l *liner) over() {
	l.t.Helper()
	if err := l.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		l.t.Fatal(err)
	}
	if rest, err := l.in.ReadString('\n'); err == nil || rest != "" {
		l.t.Errorf("got %q, %v, want the end", rest, err)
	}
}

// linesConfig is a node whose listener "lines" speaks lines and "mqtt" MQTT.
func linesConfig() configs.Config {
	cfg := testConfig("mqtt", "lines")
	cfg.Listeners[1].Link.Codec = []configs.Component{{Use: "codec-lines"}}
	return cfg
}

func TestLinesAndMQTTMeet(t *testing.T) {
	a := open(t, linesConfig())
	l := dialLines(t, address(t, a, "lines"))
	l.say("HELLO\nCONNECT d1\nSUB up/# 2\n")
	l.expect("ERR 1 CONNECT first", "OK CONNECT d1", "OK 3")
	l.say("PING\r\n")
	l.expect("PONG")
	p := dial(t, address(t, a, "mqtt"), "p")
	p.subscribe("down/#")
	p.publish("up/a b", "one\ntwo")
	l.expect(`MSG up/a\sb one\ntwo`)
	for _, qos := range []string{"", "1", "2"} {
		l.say("PUB" + qos + " down/x qos" + qos + "\n")
		if topic, payload := p.receive(); topic != "down/x" || payload != "qos"+qos {
			t.Errorf("got %s %s", topic, payload)
		}
	}
	l.expect("OK 6", "OK 7")
	for _, part := range []string{"PI", "N", "G", "\nPI"} { // a packet of TCP ends anywhere
		l.say(part)
	}
	l.expect("PONG")
	l.say("NG\nUNSUB up/#\nUNSUB up/#\n")
	l.expect("PONG", "OK 10", "OK 11")
	l.say("QUIT\n")
	l.over()
}

func TestLinesOfEachQoSComeBack(t *testing.T) {
	a := open(t, linesConfig())
	l := dialLines(t, address(t, a, "lines"))
	l.say("CONNECT - \n")
	got, err := l.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(got, "OK CONNECT ") || len(got) < 14 {
		t.Fatalf("got %q, %v: no id was made", got, err)
	}
	l.say("SUB a/+ 2\n")
	l.expect("OK 2")
	for i := range 300 { // more than a listener lets wait for one client
		l.say(fmt.Sprintf("PUB%d a/b %d\n", 1+i%2, i))
	}
	var oks, msgs int
	for oks+msgs < 600 {
		got, err := l.in.ReadString('\n')
		switch {
		case err != nil:
			t.Fatalf("after %d answers and %d messages: %v", oks, msgs, err)
		case strings.HasPrefix(got, "OK "):
			oks++
		case got == fmt.Sprintf("MSG a/b %d\n", msgs):
			msgs++
		default:
			t.Fatalf("got %q, want message %d", got, msgs)
		}
	}
}

func TestWhoIsNoLineClientEnds(t *testing.T) {
	a := open(t, linesConfig())
	for name, say := range map[string]string{
		"a line without end": "PUB a " + strings.Repeat("x", 128<<10),
		"a wrong topic":      "CONNECT a\nPUB a/# x\n",
		"quits at once":      "QUIT\n",
	} {
		l := dialLines(t, address(t, a, "lines"))
		_, _ = l.conn.Write([]byte(say)) // the end may come before all of it is sent
		if err := l.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		var err error
		for err == nil {
			_, err = l.in.ReadString('\n')
		}
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Errorf("%s: the connection goes on", name)
		}
	}
}

// TestSwapOfACodecDisconnectsNobody: state outlives the guests, half a line too.
func TestSwapOfACodecDisconnectsNobody(t *testing.T) {
	a := open(t, linesConfig())
	c := ask(t, a)
	sub := dialLines(t, address(t, a, "lines"))
	sub.say("CONNECT sub\nSUB t 1\n")
	sub.expect("OK CONNECT sub", "OK 2")
	pub := dialLines(t, address(t, a, "lines"))
	pub.say("CONNECT pub\n")
	pub.expect("OK CONNECT pub")
	line := 2
	for swaps := range 20 {
		pub.say(fmt.Sprintf("PUB1 t %d\nPUB1 t half", swaps))
		pub.expect(fmt.Sprintf("OK %d", line))
		_, err := c.Swap(t.Context(), client.Swap{
			Listener: "lines", Role: "codec", Use: "codec-lines",
			Config: map[string]any{"keep_alive": swaps},
		})
		if err != nil {
			t.Fatal(err)
		}
		pub.say(" of it\n")
		pub.expect(fmt.Sprintf("OK %d", line+1))
		line += 2
		sub.expect(fmt.Sprintf("MSG t %d", swaps), "MSG t half of it")
	}
	_, err := c.Rollback(t.Context(), client.Rollback{Listener: "lines", Role: "codec"})
	if err != nil {
		t.Fatal(err)
	}
	pub.say("PING\n")
	pub.expect("PONG")
}

func TestOneCodecAndNoWebSocket(t *testing.T) {
	cfg := linesConfig()
	cfg.Listeners[0].Bind = "ws://127.0.0.1:0"
	a := open(t, cfg)
	c := ask(t, a)
	for _, s := range []client.Swap{
		{Listener: "lines", Role: "codec", Use: "codec-lines", Position: 1},
		{Listener: "mqtt", Role: "codec", Use: "codec-lines"},
	} {
		_, err := c.Swap(t.Context(), s)
		t.Log(err)
		refused(t, err, 422)
	}
}

// TestACodecCanComeAndGo: who is connected goes on in what he speaks as long as somebody knows it.
func TestACodecCanComeAndGo(t *testing.T) {
	a := open(t, testConfig("l"))
	old := dial(t, address(t, a, "l"), "old")
	next := linesConfig()
	next.Admin = a.cfg.Admin
	next.Listeners = next.Listeners[1:]
	next.Listeners[0].Name, next.Listeners[0].Bind = "l", "tcp://"+address(t, a, "l")
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	l := dialLines(t, address(t, a, "l"))
	l.say("CONNECT l\nSUB #\n")
	l.expect("OK CONNECT l", "OK 2")
	old.publish("x", "y")
	l.expect("MSG x y")
	next.Listeners[0].Link.Codec = nil
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	l.say("PING\n")
	l.over()
	dial(t, address(t, a, "l"), "new").publish("x", "y")
	if !old.alive() {
		t.Error("a client of MQTT was disconnected")
	}
}

func TestFurtherComponentsAreThere(t *testing.T) {
	if got, want := components.Further(), configs.FurtherComponents(); !slices.Equal(got, want) {
		t.Errorf("components: %v, configs: %v", got, want)
	}
	for _, name := range configs.FurtherComponents() {
		if _, ok := components.Default(name); !ok {
			t.Errorf("%s is not there", name)
		}
	}
}
