//go:build unix

package app

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// echoes is a node whose deduplicator is changed while every message comes three times at once, and
// some again much later.
type echoes struct {
	t    *testing.T
	cfg  configs.Config
	app  *App
	ask  *client.Client
	pubs []*peer
	sub  *peer
	// sent is how many different messages there were; held is how many came again.
	sent, held int
	came       map[string]bool
}

// begin opens the node and connects clients, who are spread over both loops.
func (e *echoes) begin() {
	e.app = open(e.t, e.cfg)
	e.ask = ask(e.t, e.app)
	at := address(e.t, e.app, "l")
	e.sub, e.pubs = dial(e.t, at, "sub"), nil
	e.sub.subscribe("d/#")
	for i := range 6 {
		e.pubs = append(e.pubs, dial(e.t, at, fmt.Sprintf("p-%d", i)))
	}
}

// at has clients say message n, all before the first is answered.
func (e *echoes) at(n int, pubs ...*peer) {
	e.t.Helper()
	m := mqtt.Publish{
		QoS: mqtt.AtLeastOnce, PacketID: 1, Topic: []byte("d/" + fmt.Sprint(n%3)),
		Payload: fmt.Appendf(nil, "message %d", n),
	}
	for _, p := range pubs {
		p.send(m.Append(nil, mqtt.V5))
	}
	for _, p := range pubs {
		var a mqtt.Ack
		if err := a.Decode(mqtt.V5, p.next()); err != nil || a.Reason >= mqtt.UnspecifiedError {
			e.t.Fatal(a.Reason, err)
		}
	}
}

// news has a new message said by three clients at once, and some of before again.
func (e *echoes) news() {
	e.t.Helper()
	k := len(e.pubs)
	for _, ago := range []int{1, 7, 60} {
		if n := e.sent - ago; n >= 0 {
			e.at(n, e.pubs[(n+ago)%k])
			e.held++
		}
	}
	e.at(e.sent, e.pubs[e.sent%k], e.pubs[(e.sent+1)%k], e.pubs[(e.sent+2)%k])
	e.held += 2
	e.sent++
	_, payload := e.sub.receive()
	if e.came[payload] {
		e.t.Fatalf("%s came again, after %d messages and %d repeats", payload, e.sent, e.held)
	}
	e.came[payload] = true
}

// swap puts a version in the place of the other by the machine, and calls load until it has.
func (e *echoes) swap(id, source string, load func()) {
	e.t.Helper()
	rule := map[string]any{"filter": "d/#", "window_ms": 3_600_000}
	_, err := e.ask.Submit(e.t.Context(), client.NewChange{
		ID: id, By: "ann", Force: true, Items: []client.ChangeItem{{
			Listener: "l", Role: "deduplicator", Source: source, Grants: []string{"config", "kv"},
			Config: map[string]any{"rules": []any{rule}},
		}},
	})
	for err == nil {
		load()
		var c client.Change
		if c, err = e.ask.Change(e.t.Context(), id); c.Ended {
			if c.State != "done" {
				e.t.Fatalf("%s is %s: %s", id, c.State, c.Why)
			}
			return
		}
	}
	e.t.Fatal(err)
}

// versions are two builds of the default deduplicator, sent to the broker.
func (e *echoes) versions() (sources [2]string) {
	e.t.Helper()
	const file = "../../components/deduplicator-window/deduplicator-window.wasm"
	code, err := os.ReadFile(file)
	if err != nil {
		e.t.Fatal(err)
	}
	for i := range sources {
		of := bytes.Replace(code, []byte(`"version":"0.1.0"`),
			fmt.Appendf(nil, `"version":"0.2.%d"`, i), 1)
		if bytes.Equal(of, code) {
			e.t.Fatalf("%s has no version 0.1.0", file)
		}
		up, err := e.ask.Upload(e.t.Context(), "window.wasm", of)
		if err != nil {
			e.t.Fatal(err)
		}
		sources[i] = up.Source
	}
	return sources
}

// TestAWindowIsKeptOverAHundredSwaps of the deduplicator, and over a restart of the broker between
// them: no repeat goes through, and all that is new does.
func TestAWindowIsKeptOverAHundredSwaps(t *testing.T) {
	e := &echoes{t: t, cfg: diskNode(t.TempDir()), came: map[string]bool{}}
	e.begin()
	sources := e.versions()
	e.swap("first", sources[1], func() {})
	for i := range 100 {
		if i == 50 {
			if err := e.app.Close(); err != nil {
				t.Fatal(err)
			}
			e.begin()
		}
		e.swap(fmt.Sprintf("window-%d", i), sources[i%2], e.news)
	}
	for n := range e.sent {
		e.at(n, e.pubs[n%len(e.pubs)])
	}
	for i, p := range e.pubs { // nothing that p said is on its way behind this
		p.store("d/end", fmt.Sprintf("end of %d", i), 2)
		if _, payload := e.sub.receive(); payload != fmt.Sprintf("end of %d", i) {
			t.Errorf("%s came again", payload)
		}
	}
	if len(e.came) != e.sent {
		t.Errorf("%d of %d messages came", len(e.came), e.sent)
	}
	t.Logf("%d messages, %d repeats", e.sent, e.held+e.sent)
}
