package connect

import (
	"math"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// expiryCases are about the Session Expiry Interval, in 5.0.
func expiryCases() []suite.Case {
	const ends, stays = "5.0/MQTT-4.1.0-2", "5.0/MQTT-3.1.2-23"
	list := []suite.Case{{
		Name: "connect/expiry-0-ends-with-disconnect", Claims: ends,
		Text: "A session with Session Expiry Interval 0 is gone after DISCONNECT.",
		Run:  func(t *suite.T) { expiryZero(t, expiry(0), (*suite.Client).Leave) },
	}, {
		Name: "connect/expiry-absent-ends-with-disconnect", Claims: ends,
		Text: "A session without a Session Expiry Interval is gone after DISCONNECT.",
		Run:  func(t *suite.T) { expiryZero(t, func(*mqtt.Connect) {}, (*suite.Client).Leave) },
	}, {
		Name: "connect/expiry-0-ends-with-a-break", Claims: ends,
		Text: "A session with Session Expiry Interval 0 is gone after the connection broke.",
		Run: func(t *suite.T) {
			expiryZero(t, expiry(0), func(c *suite.Client) { c.Close(); t.Wait(slack / 6) })
		},
	}, {
		Name: "connect/expiry-in-time", Claims: stays,
		Text: "A session that is kept for 60 s is there after one second, with its messages.",
		Run:  expiryInTime,
	}, {
		Name: "connect/expiry-never", Claims: stays,
		Text: "A session with the largest Session Expiry Interval does not expire.",
		Run:  expiryNever,
	}, {
		Name: "connect/expiry-passes", Claims: ends,
		Text: "A session that is kept for one second is gone three seconds after it, with its " +
			"subscription and its messages.",
		Run: expiryPasses,
	}, {
		Name: "connect/expiry-counts-from-the-end", Claims: "5.0/MQTT-4.1.0-1 " + stays,
		Text: "A session that is kept for one second does not expire while its connection is " +
			"open for longer.",
		Run: expiryCounts,
	}, {
		Name: "connect/expiry-starts-over", Claims: stays,
		Text: "A client comes back before its session expires: the session does not expire when " +
			"the first interval is over.",
		Run: expiryStartsOver,
	}, {
		Name: "connect/expiry-of-the-last-connect", Claims: ends,
		Text: "A kept session is resumed with Session Expiry Interval 0: it ends with that " +
			"connection.",
		Run: expiryOfLast,
	}, {
		Name: "connect/expiry-by-disconnect", Claims: ends,
		Text: "DISCONNECT sets the Session Expiry Interval of a kept session to 0: it is gone.",
		Run:  expiryByDisconnect,
	}, {
		Name: "connect/expiry-by-disconnect-longer", Claims: stays,
		Text: "DISCONNECT raises the Session Expiry Interval from one second to 60: the session " +
			"is there three seconds later.",
		Run: expiryLonger,
	}}
	for i := range list {
		list[i].Versions = []mqtt.Version{mqtt.V5}
	}
	return list
}

func expiryZero(t *suite.T, option suite.Option, leave func(*suite.Client)) {
	id, topic := t.ClientID("s"), t.Topic("old")
	c := t.Connect(suite.Named(id), option, func(p *mqtt.Connect) { p.CleanStart = false })
	wantPresent(t, c, false)
	c.Subscribe(topic, 0)
	leave(c)
	c = keep(t, id)
	wantPresent(t, c, false)
	wantUnsubscribed(t, c, topic)
}

func expiryInTime(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("stored")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Close()
	t.Connect().PublishText(topic, "m", mqtt.AtLeastOnce)
	t.Wait(time.Second)
	c = keep(t, id)
	wantPresent(t, c, true)
	c.WantMessage(topic, "m")
}

func expiryNever(t *suite.T) {
	id := t.ClientID("s")
	keepFor(t, id, math.MaxUint32).Leave()
	t.Wait(2 * time.Second)
	wantPresent(t, keep(t, id), true)
}

func expiryPasses(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("old")
	c := keepFor(t, id, 1)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Leave()
	t.Connect().PublishText(topic, "stored", mqtt.AtLeastOnce)
	t.Wait(time.Second + slack)
	c = keep(t, id)
	wantPresent(t, c, false)
	wantUnsubscribed(t, c, topic)
}

func expiryCounts(t *suite.T) {
	id, topic := t.ClientID("s"), t.Topic("live")
	c := keepFor(t, id, 1)
	c.Subscribe(topic, 0)
	t.Wait(time.Second + slack/2)
	t.Connect().PublishText(topic, "m", 0)
	c.WantMessage(topic, "m")
	c.Close()
	wantPresent(t, keep(t, id), true)
}

func expiryStartsOver(t *suite.T) {
	id := t.ClientID("s")
	keepFor(t, id, 2).Leave()
	c := keepFor(t, id, 60)
	wantPresent(t, c, true)
	c.Leave()
	t.Wait(2*time.Second + slack/2)
	wantPresent(t, keep(t, id), true)
}

func expiryOfLast(t *suite.T) {
	id := t.ClientID("s")
	keep(t, id).Leave()
	c := keepFor(t, id, 0)
	wantPresent(t, c, true)
	c.Leave()
	wantPresent(t, keep(t, id), false)
}

// leaveWith sends DISCONNECT with a Session Expiry Interval.
func leaveWith(c *suite.Client, seconds uint32) {
	var props mqtt.Props
	c.SendPacket(&mqtt.Disconnect{Props: props.AppendUint32(mqtt.SessionExpiryInterval, seconds)})
	c.Poll(time.Second) // until the server closes
	c.Close()
}

func expiryByDisconnect(t *suite.T) {
	id := t.ClientID("s")
	leaveWith(keep(t, id), 0)
	wantPresent(t, keep(t, id), false)
}

func expiryLonger(t *suite.T) {
	id := t.ClientID("s")
	leaveWith(keepFor(t, id, 1), 60)
	t.Wait(time.Second + slack/2)
	wantPresent(t, keep(t, id), true)
}
