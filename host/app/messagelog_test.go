//go:build unix

package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// loggedNode is a node on disk whose listener is logged, and a client of its admin API.
func loggedNode(t *testing.T, change func(*configs.Listener)) (configs.Config, *App) {
	t.Helper()
	cfg := diskNode(t.TempDir())
	m := configs.DefaultMessageLog()
	l := &cfg.Listeners[0]
	l.Log, l.Link = &m, configs.Link{}
	change(l)
	return cfg, open(t, cfg)
}

func adminOf(t *testing.T, a *App) *client.Client {
	t.Helper()
	c, err := client.New(a.AdminURL(), "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// logged asks until there are n records that answer q, page by page.
func logged(t *testing.T, a *App, q client.LogQuestion, n int) []client.LogRecord {
	t.Helper()
	c := adminOf(t, a)
	var all []client.LogRecord
	for end := time.Now().Add(patience); len(all) < n; {
		p, err := c.Log(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Records...)
		if q.Cursor = p.Next; time.Now().After(end) {
			t.Fatalf("%+v: %d records, want %d", q, len(all), n)
		}
	}
	if p, err := c.Log(t.Context(), q); err != nil || len(p.Records) > 0 {
		t.Fatalf("%+v: more than %d: %+v, %v", q, n, p.Records, err)
	}
	return all
}

// TestDuplicatesOfATraceAreHeldBackAndFoundInTheLog sends a day of a plant's sensors, of which most
// readings say nothing new, through deduplicator-window.
func TestDuplicatesOfATraceAreHeldBackAndFoundInTheLog(t *testing.T) {
	const sensors, readings = 20, 150
	_, a := loggedNode(t, func(l *configs.Listener) {
		l.Link.Deduplicator = []configs.Component{{Use: "deduplicator-window",
			Config: configs.Document{"rules": []any{map[string]any{
				"filter": "plant/#",
				"change": map[string]any{
					"temperature": map[string]any{"absolute": 0.5}, "state": map[string]any{},
				},
			}}}}}
	})
	sub, pub := dial(t, address(t, a, "l"), "cloud"), dial(t, address(t, a, "l"), "gateway")
	sub.subscribe("#")
	sent, sentBytes := 0, 0
	for i := range readings {
		for s := range sensors {
			topic, payload := reading(s, i)
			pub.publish(topic, payload)
			sent++
			sentBytes += len(payload)
		}
	}
	pub.publish("end", "")
	got, gotBytes := 0, 0
	for {
		topic, payload := sub.receive()
		if topic == "end" {
			break
		}
		got++
		gotBytes += len(payload)
	}
	held := logged(t, a, client.LogQuestion{
		Filter: "plant/#", Outcome: "suppressed", Limit: 1000,
	}, sent-got)
	on := logged(t, a, client.LogQuestion{Filter: "plant/#", Outcome: "delivered"}, got)
	cut := 100 - 100*float64(gotBytes)/float64(sentBytes)
	t.Logf("%d readings of %d bytes in, %d of %d bytes forwarded: %.1f %% of the bytes held back; "+
		"the log has %d suppressed, %d delivered", sent, sentBytes, got, gotBytes, cut,
		len(held), len(on))
	if cut < 90 {
		t.Errorf("only %.1f %% of the bytes are held back", cut)
	}
	for _, r := range held {
		if r.Component != "deduplicator-window" || r.Reason != "unchanged" ||
			r.ClientID != "gateway" || r.Receivers != 0 || len(r.Payload) != r.PayloadBytes {
			t.Fatalf("%+v", r)
		}
	}
	for _, r := range on {
		if r.Receivers != 1 || r.Lost != 0 {
			t.Fatalf("%+v", r)
		}
	}
}

// reading is what sensor s says the i-th time: slow drifts with noise, and a state that changes
// seldom.
func reading(s, i int) (topic, payload string) {
	drift := 20 + 3*math.Sin(float64(i)/60+float64(s)) + 0.05*math.Sin(float64(7*i+s))
	state := "run"
	if (i+s*13)%97 == 0 {
		state = "idle"
	}
	return fmt.Sprintf("plant/line%d/sensor%d", s%4, s), fmt.Sprintf(
		`{"temperature":%.2f,"state":%q,"device":"SN-%06d","firmware":"2.4.1"}`,
		drift, state, 1000+s)
}

// TestTheLogTellsEachStep: what transformers and routers made of a message, what was denied and
// dropped, and who got it, on both loops.
func TestTheLogTellsEachStep(t *testing.T) {
	cfg, a := loggedNode(t, stepLinks)
	var subs []*peer
	for i := range 6 { // on both loops
		p := dial(t, address(t, a, "l"), fmt.Sprint("sub", i))
		p.subscribe("site/#")
		subs = append(subs, p)
	}
	pub := dial(t, address(t, a, "l"), "dev")
	for i, topic := range []string{"dev/7/up", "secret/x", "debug/x", "plain", "old/a"} {
		m := mqtt.Publish{QoS: 1, PacketID: uint16(i + 1), Topic: []byte(topic),
			Payload: []byte(`{"t":21,"pin":"1234"}`)}
		pub.send(m.Append(nil, mqtt.V5))
		pub.next()
	}
	for _, s := range subs {
		s.receive()
	}
	check := func() {
		t.Helper()
		var out strings.Builder
		for _, r := range logged(t, a, client.LogQuestion{}, 5) {
			tell(&out, &r.LogPart)
			for i := range r.Became {
				out.WriteString("  ")
				tell(&out, &r.Became[i])
			}
		}
		if out.String() != steps {
			t.Errorf("got\n%s\nwant\n%s", out.String(), steps)
		}
	}
	check()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, cfg)
	check()
}

const steps = `dev/7/up delivered 6 redacted {"t":21}
  site/7 delivered 6 redacted {"temperature":21}
secret/x denied 0 none  Not authorized
debug/x dropped 0 redacted {"t":21} router
plain delivered 0 redacted {"t":21}
old/a delivered 0 redacted {"t":21}
  new/a delivered 0 same 
`

func tell(out *strings.Builder, p *client.LogPart) {
	fmt.Fprintf(out, "%s %s %d %s %s", p.Topic, p.Outcome, p.Receivers, p.PayloadHeld, p.Payload)
	if p.Reason != "" {
		out.WriteString(" " + p.Reason)
	}
	out.WriteByte('\n')
}

// stepLinks has a component that does something in each role, and one that redacts the log.
func stepLinks(l *configs.Listener) {
	rules := func(list ...map[string]any) configs.Document {
		return configs.Document{"rules": list}
	}
	l.Link = configs.Link{
		Authorizer: []configs.Component{{Use: "authorizer-rules", Config: rules(
			map[string]any{"effect": "deny", "topics": []string{"secret/#"}})}},
		Transformer: []configs.Component{{Use: "transformer-json", Config: rules(map[string]any{
			"filter": "dev/+/up", "steps": []map[string]any{
				{"rename": map[string]any{"t": "temperature"}}, {"topic": "site/{2}"},
			}})}},
		Router: []configs.Component{{Use: "router-rules", Config: rules(
			map[string]any{"filter": "debug/#", "drop": true},
			map[string]any{"filter": "old/#", "redirect": "new/{2-}"})}},
	}
	l.Log.Payload = configs.PayloadRedacted
	l.Log.Redact = &configs.Component{Use: "transformer-json", Config: rules(map[string]any{
		"steps": []map[string]any{{"remove": []string{"pin"}}}})}
}

// TestTheLogIsFollowed reads what comes, as it comes, until the broker ends.
func TestTheLogIsFollowed(t *testing.T) {
	_, a := loggedNode(t, func(l *configs.Listener) { l.Log.Filters = []string{"a/#"} })
	c := adminOf(t, a)
	pub := dial(t, address(t, a, "l"), "pub")
	pub.publish("a/0", "before")
	logged(t, a, client.LogQuestion{}, 1)
	lines := make(chan client.LogRecord, 100)
	ended := make(chan error, 1)
	go func() {
		q := client.LogQuestion{From: time.Unix(0, 0)}
		ended <- c.FollowLog(t.Context(), q, func(r *client.LogRecord) bool {
			lines <- *r
			return true
		})
	}()
	for i := range 50 {
		if i > 0 {
			pub.publish(fmt.Sprint("a/", i), "now")
			pub.publish("b", "not logged")
		}
		select {
		case r := <-lines:
			if r.Topic != fmt.Sprint("a/", i) {
				t.Fatalf("%d: %+v", i, r)
			}
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(patience):
			t.Fatal("nothing comes")
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the follower outlives the node")
	}
}

// TestLogQuestionsThatCannotBeAnswered say why.
func TestLogQuestionsThatCannotBeAnswered(t *testing.T) {
	_, a := loggedNode(t, func(*configs.Listener) {})
	c := adminOf(t, a)
	var e *client.Error
	for status, q := range map[int]client.LogQuestion{
		404: {Listener: "none"}, 422: {Filter: "a/#/b"},
	} {
		if _, err := c.Log(t.Context(), q); !errors.As(err, &e) || e.Status != status {
			t.Errorf("%+v: %v, want %d", q, err, status)
		}
		err := c.FollowLog(t.Context(), q, nil)
		if !errors.As(err, &e) || e.Status != status {
			t.Errorf("follow %+v: %v, want %d", q, err, status)
		}
	}
	memory := open(t, testConfig("l"))
	if _, err := adminOf(t, memory).Log(t.Context(), client.LogQuestion{}); !errors.As(err, &e) ||
		e.Status != 404 {
		t.Errorf("without a data folder: %v", err)
	}
}

// TestALogChangesWhileClientsStay: a listener is logged, then without payloads, then not at all.
func TestALogChangesWhileClientsStay(t *testing.T) {
	cfg := diskNode(t.TempDir())
	a := open(t, cfg)
	if err := adminLog(t.Context(), a, "log: {payload: full}"); err != nil {
		t.Fatal(err)
	}
	publish := func(n int) []client.LogRecord {
		pub := dial(t, address(t, a, "l"), "pub")
		pub.publish("t", "payload")
		return logged(t, a, client.LogQuestion{}, n)
	}
	if r := publish(1); !bytes.Equal(r[0].Payload, []byte("payload")) {
		t.Errorf("%+v", r)
	}
	if err := adminLog(t.Context(), a, "log: {payload: none}"); err != nil {
		t.Fatal(err)
	}
	if r := publish(2)[1]; r.PayloadHeld != "none" || r.PayloadBytes != 7 || r.Payload != nil {
		t.Errorf("%+v", r)
	}
	if err := adminLog(t.Context(), a, "log: null"); err != nil {
		t.Fatal(err)
	}
	publish(2)
}

func adminLog(ctx context.Context, a *App, text string) error {
	c, err := client.New(a.AdminURL(), "")
	if err == nil {
		_, err = c.ChangeListener(ctx, "l", []byte(text))
	}
	return err
}

// TestTheLogHasThePropertiesOfAMessage, and knows what a replay published.
func TestTheLogHasThePropertiesOfAMessage(t *testing.T) {
	_, a := loggedNode(t, func(*configs.Listener) {})
	pub := dial(t, address(t, a, "l"), "pub")
	for i, props := range []mqtt.Props{
		mqtt.Props(nil).AppendByte(mqtt.PayloadFormatIndicator, 1).
			AppendUint32(mqtt.MessageExpiryInterval, 60).
			AppendBytes(mqtt.ContentType, []byte("text/plain")).
			AppendBytes(mqtt.ResponseTopic, []byte("answer")).
			AppendBytes(mqtt.CorrelationData, []byte{1, 2}).
			AppendUser([]byte("a"), []byte("b")),
		mqtt.Props(nil).AppendUser([]byte("hpmq-replay"), []byte("2026-01-31T15:04:05Z")),
		nil,
	} {
		m := mqtt.Publish{QoS: 1, PacketID: uint16(i + 1), Topic: []byte("t"), Props: props}
		pub.send(m.Append(nil, mqtt.V5))
		pub.next()
	}
	r := logged(t, a, client.LogQuestion{}, 3)
	one, text, reply := 1, "text/plain", "answer"
	want := &client.LogProperties{PayloadFormat: &one, ExpirySeconds: 60, ContentType: &text,
		ResponseTopic: &reply, CorrelationData: []byte{1, 2},
		User: []client.LogProperty{{Name: "a", Value: "b"}}}
	if !reflect.DeepEqual(r[0].Properties, want) || r[0].Replayed {
		t.Errorf("%+v, %+v", r[0], r[0].Properties)
	}
	if !r[1].Replayed || r[2].Replayed || r[2].Properties != nil {
		t.Errorf("%+v, %+v", r[1], r[2])
	}
}

// TestALogOfANewerVersionDoesNotKeepTheBrokerFromStarting: it is set aside, and an alarm says so.
func TestALogOfANewerVersionDoesNotKeepTheBrokerFromStarting(t *testing.T) {
	cfg, a := loggedNode(t, func(*configs.Listener) {})
	dial(t, address(t, a, "l"), "pub").publish("t", "x")
	logged(t, a, client.LogQuestion{}, 1)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.DataDir, logName, "l", "000000000001.mlog")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(b[8:], msglog.Version+1)
	sum := crc32.Checksum(b[:20], crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(b[20:], sum)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	a = open(t, cfg)
	until(t, "the alarm", func() bool { return a.alarms.has(alarmLogAside) })
	if _, err := os.Stat(path + ".aside1"); err != nil {
		t.Error(err)
	}
	dial(t, address(t, a, "l"), "pub").publish("t", "x")
	logged(t, a, client.LogQuestion{}, 1)
}
