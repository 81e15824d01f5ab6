package connect

import (
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// tooLong is when a client that promised a sign every second must have been closed: one and a half
// seconds, and what a busy server needs.
const tooLong = 1500*time.Millisecond + slack

// keepAliveCases are about a client that falls silent, or does not.
func keepAliveCases() []suite.Case {
	const closes = "3.1.1/MQTT-3.1.2-24 5.0/MQTT-3.1.2-22 5.0/MQTT-3.2.2-22"
	const inTime = "3.1.1/MQTT-3.1.2-24 5.0/MQTT-3.1.2-22"
	return []suite.Case{{
		Name: "connect/keep-alive-closes", Claims: closes,
		Text: "A client with a keep alive of one second sends nothing: the server closes.",
		Run:  keepAliveSilent,
	}, {
		Name: "connect/keep-alive-counts-what-comes-in", Claims: closes,
		Text: "A client with a keep alive of one second gets messages all the time and sends " +
			"nothing: the server closes.",
		Run: keepAliveListener,
	}, {
		Name: "connect/keep-alive-counts-whole-packets", Claims: closes,
		Text: "A client with a keep alive of one second sends a packet byte by byte and never " +
			"ends it: the server closes.",
		Run: keepAliveDribble,
	}, {
		Name: "connect/keep-alive-after-traffic", Claims: closes,
		Text: "A client with a keep alive of one second keeps to it by PINGREQ and PUBLISH, and " +
			"is served; when it falls silent, the server closes.",
		Run: keepAliveTraffic,
	}, {
		Name:   "connect/keep-alive-leaves-the-session",
		Claims: closes + " 3.1.1/MQTT-3.1.2-4 5.0/MQTT-3.1.2-23",
		Text: "A silent client with a kept session is closed: the session is there when it comes " +
			"back.",
		Run: keepAliveSession,
	}, {
		Name: "connect/keep-alive-closes-in-time", Claims: inTime,
		Text: "A client with a keep alive of four seconds sends nothing: the server closes after " +
			"six seconds, not before and at most two seconds later.",
		Run: keepAliveInTime,
	}, {
		Name: "connect/keep-alive-is-kept-by-pings", Claims: inTime,
		Text: "A client with a keep alive of two seconds sends PINGREQ every 1.9 seconds: each " +
			"is answered, and the server does not close.",
		Run: keepAlivePings,
	}}
}

// silent connects with a keep alive of one second. It skips the case if the server sets another.
func silent(t *suite.T, options ...suite.Option) *suite.Client {
	return silentFor(t, 1, options...)
}

// silentFor is silent with a keep alive of so many seconds.
func silentFor(t *suite.T, seconds uint16, options ...suite.Option) *suite.Client {
	c := t.Connect(append(options, func(p *mqtt.Connect) { p.KeepAlive = seconds })...)
	if s, said := c.Connack.Props.Uint16(mqtt.ServerKeepAlive); said && s != seconds {
		t.Skipf("the server sets a keep alive of %d s", s)
	}
	return c
}

// wantSilentClosed wants the connection of a client that has just sent its last packet to be closed
// after one and a half times the keep alive. It waits longer, to tell a late end from none.
func wantSilentClosed(t *suite.T, c *suite.Client, keepAlive time.Duration) {
	start, most := time.Now(), keepAlive*3/2+slack
	c.WantClosedWithin(most+slack, mqtt.KeepAliveTimeout, mqtt.UnspecifiedError)
	if took := time.Since(start); took > most {
		t.Errorf("the server closed after %.1f s, want %.1f s", took.Seconds(),
			(keepAlive * 3 / 2).Seconds())
	}
}

func keepAliveSilent(t *suite.T) { wantSilentClosed(t, silent(t), time.Second) }

func keepAliveListener(t *suite.T) {
	topic := t.Topic("live")
	c := silent(t)
	c.Subscribe(topic, 0)
	p := t.Connect()
	wantClosedDespite(t, c, func() { p.PublishText(topic, "m", 0) })
}

// wantClosedDespite is wantSilentClosed for a client of one second while act is done again and
// again.
func wantClosedDespite(t *suite.T, c *suite.Client, act func()) {
	for start := time.Now(); time.Since(start) < tooLong+slack; {
		act()
		if ended(c, 300*time.Millisecond) {
			if took := time.Since(start); took > tooLong {
				t.Errorf("the server closed after %.1f s, want 1.5 s", took.Seconds())
			}
			return
		}
	}
	t.Errorf("the server did not close the connection")
}

// ended is true when the connection ends within d; it passes over what comes.
func ended(c *suite.Client, d time.Duration) bool {
	for end := time.Now().Add(d); ; {
		frame, open := c.Poll(time.Until(end))
		if frame == nil {
			return !open
		}
	}
}

func keepAliveDribble(t *suite.T) {
	c := silent(t)
	m := mqtt.Publish{Topic: []byte(t.Topic("endless")), Payload: make([]byte, 300)}
	rest := m.Append(nil, t.Version())
	wantClosedDespite(t, c, func() {
		c.Send(rest[:1])
		rest = rest[1:]
	})
}

func keepAliveTraffic(t *suite.T) {
	topic := t.Topic("live")
	w := witness(t, topic)
	c := silent(t)
	for range 4 {
		t.Wait(400 * time.Millisecond)
		c.PublishText(topic, "m", 0)
		w.WantMessage(topic, "m")
		t.Wait(400 * time.Millisecond)
		c.Ping()
	}
	wantSilentClosed(t, c, time.Second)
}

func keepAliveSession(t *suite.T) {
	id, topic := t.ClientID("s"), t.Topic("live")
	keep(t, id).Leave()
	c := silent(t, suite.Named(id), suite.Keeping)
	c.Subscribe(topic, 0)
	wantSilentClosed(t, c, time.Second)
	c = keep(t, id)
	wantPresent(t, c, true)
	t.Connect().PublishText(topic, "m", 0)
	c.WantMessage(topic, "m")
}

// keepAliveInTime counts from CONNACK. The server counts from CONNECT, which is earlier.
func keepAliveInTime(t *suite.T) {
	const least, most, enough = 5800 * time.Millisecond, 8 * time.Second, 15 * time.Second
	c := silentFor(t, 4)
	start := time.Now()
	c.WantClosedWithin(enough, mqtt.KeepAliveTimeout)
	if took := time.Since(start); took < least || took > most {
		t.Errorf("the server closed after %.1f s, want 6 s to 8 s", took.Seconds())
	}
}

func keepAlivePings(t *suite.T) {
	c := silentFor(t, 2)
	for range 3 {
		t.Wait(1900 * time.Millisecond)
		c.Ping()
	}
}
