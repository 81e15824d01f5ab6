package dump

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// kernel waits for one write at a time.
type kernel chan error

func (k kernel) Written(_ broker.Time, _ broker.Token, err error) { k <- err }

func (k kernel) Read(broker.Time, broker.Token, []broker.Record, error) {}

func (k kernel) Expired(broker.Time, []broker.Record) {}

func open(t *testing.T, dir string) *store.Disk {
	t.Helper()
	cfg := store.ForMemory(0)
	cfg.Dir, cfg.FreeBytesMin, cfg.InlineBytesMax = dir, 0, 100
	d, _, err := store.OpenDisk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// write keeps ops as a kernel has them kept.
func write(t *testing.T, d *store.Disk, ops ...broker.Op) {
	t.Helper()
	k := make(kernel, 1)
	v := d.View(func(f func(store.Kernel, broker.Time)) { f(k, 0) })
	if v.Write(1, &broker.Batch{Ops: ops}) {
		return
	}
	if err := <-k; err != nil {
		t.Fatal(err)
	}
}

func text(m broker.StoredMessage) []byte { return m.Append(nil) }

// everything is one of each kind of record, with each field of it.
func everything() []broker.Op {
	props := mqtt.Props(nil).AppendByte(mqtt.PayloadFormatIndicator, 1).
		AppendBytes(mqtt.ContentType, []byte("text/plain")).
		AppendBytes(mqtt.ResponseTopic, []byte("back")).
		AppendBytes(mqtt.CorrelationData, []byte{0, 255}).
		AppendUser([]byte("k"), []byte("1")).AppendUser([]byte("k"), []byte("2"))
	full := broker.StoredMessage{Origin: 3, Number: 1 << 50, Message: broker.Message{
		Topic: []byte("a/ü"), Payload: []byte("hällo\x00\u2028<b>"), Props: props, From: "pub",
		Expire: 1 << 45, QoS: 2, Retain: true,
	}}
	plain := broker.StoredMessage{Message: broker.Message{
		Topic: []byte("bin"), Payload: []byte{0xFF, 0xFE}, QoS: 1,
	}}
	session := broker.StoredSession{
		Who: broker.Identity{
			Username: "u", Address: "10.0.0.1", Listener: "l", Tenant: "t", Version: mqtt.V5,
		},
		Expiry: broker.Never, ExpireAt: 1 << 44, WillAt: 1 << 43, Connected: true,
		Will: &broker.StoredWill{Message: full, Delay: 5, Lifetime: 0, Expires: true},
		Subscriptions: []broker.StoredSubscription{
			{Filter: "$share/g/a/#", QoS: 1},
			{Filter: "a/+", ID: 7, QoS: 2, NoLocal: true, RetainAsPublished: true,
				RetainHandling: 2},
		},
	}
	bare := broker.StoredSession{Who: broker.Identity{Version: mqtt.V311}}
	odd := bare // what has no words: not UTF-8
	odd.Who.Username = "\xff"
	oddHead, oddMessage := broker.StoredHead{Share: "\xff"}, plain
	oddMessage.From = "\xff"
	head := broker.StoredHead{QoS: 2, Retain: true, Share: "g", IDs: []uint32{7, 8}}
	large := plain
	large.Payload = bytes.Repeat([]byte("x"), 500)
	shared := text(large)
	const boot = 5 << 40
	return []broker.Op{
		{Kind: broker.OpPutSession, Num: 4, Key: "öne", Value: session.Append(nil)},
		{Kind: broker.OpPutSession, Num: 9, Key: "two", Value: bare.Append(nil)},
		{Kind: broker.OpPutSession, Num: 10, Key: "odd", Value: odd.Append(nil)},
		{Kind: broker.OpReceived, Num: 4, Seq: 65535},
		{Kind: broker.OpPush, Num: 4, Seq: boot + 1, Value: head.Append(nil), Body: text(full),
			Expire: 1 << 45},
		{Kind: broker.OpFlight, Num: 4, Seq: boot + 1,
			Value: broker.AppendStoredFlight(nil, 77, true)},
		{Kind: broker.OpPush, Num: 4, Seq: boot + 2, Value: head.Append(nil), Body: shared},
		{Kind: broker.OpPush, Num: 9, Seq: boot + 9, Value: head.Append(nil), Body: shared},
		{Kind: broker.OpPush, Num: 9, Seq: boot + 10, Value: oddHead.Append(nil),
			Body: text(oddMessage)},
		{Kind: broker.OpHead, Num: 9, Seq: boot + 9},
		{Kind: broker.OpPutSession, Num: 11, Key: "öne", Value: []byte(broker.StoredEstate)},
		{Kind: broker.OpPush, Num: 11, Seq: boot + 1, Value: head.Append(nil), Body: shared},
		{Kind: broker.OpPutSession, Num: 12, Key: "öne", Value: []byte(broker.StoredEstate)},
		{Kind: broker.OpPush, Num: 12, Seq: boot + 1, Value: head.Append(nil), Body: shared},
		{Kind: broker.OpRetain, Key: "a/ü", Value: text(full), Expire: 1 << 45},
		{Kind: broker.OpRetain, Key: "bin", Value: text(plain)},
	}
}

func export(t *testing.T, d *store.Disk) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := Export(d, &out, Head{Program: "test", Now: noon}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// remembered is what a component and history may have in a store.
func remembered() []store.Note {
	return []store.Note{
		{Kind: store.NoteKV, Space: "c", Key: "big", Counter: true, N: 1<<63 - 1},
		{Kind: store.NoteKV, Space: "c", Key: "n\u2028", Counter: true, N: -1 << 63},
		{Kind: store.NoteKV, Space: "file:ö", Key: "", Value: []byte{0xFF}, Expire: 1 << 45,
			TTL: 1 << 63},
		{Kind: store.NoteKV, Space: "file:ö", Key: "empty"},
		{Kind: store.NoteHistory, Space: "l", Key: "a/ü", Value: []byte("hällo<b>")},
		{Kind: store.NoteHistory, Space: "l", Key: "b", Value: []byte{}},
	}
}

// remember keeps notes as a kernel has them kept, with its next write.
func remember(t *testing.T, d *store.Disk, notes []store.Note) {
	t.Helper()
	k := make(kernel, 1)
	v := d.View(func(f func(store.Kernel, broker.Time)) { f(k, 0) })
	for i := range notes {
		v.Note(&notes[i])
	}
	m := broker.StoredMessage{Message: broker.Message{Topic: []byte("with them")}}
	op := broker.Op{Kind: broker.OpRetain, Key: "with them", Value: text(m)}
	if v.Write(1, &broker.Batch{Ops: []broker.Op{op}}) {
		return
	}
	if err := <-k; err != nil {
		t.Fatal(err)
	}
}

// What components remember comes back the same. Merged, a key takes the place of its like, and
// what else there is stays.
func TestWhatComponentsRememberComesBack(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	defer func() { _ = errors.Join(from.Close(), to.Close()) }()
	remember(t, from, remembered())
	want := export(t, from)
	remember(t, to, []store.Note{
		{Kind: store.NoteKV, Space: "c", Key: "big", Value: []byte("another")},
		{Kind: store.NoteKV, Space: "c", Key: "stays", Value: []byte("x")},
	})
	c, err := Import(to, strings.NewReader(want))
	if err != nil || c.KV != 4 || c.History != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	err = to.Load(func(l *store.Loader) error {
		return l.Put(&store.Part{
			Kind: store.PartNote,
			Note: store.Note{Kind: store.NoteKV, Space: "c", Key: "stays", Gone: true},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := export(t, to); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is exported comes back the same: as text, and as a store that is whole. What comes after
// does not take numbers that are in it.
func TestThereAndBack(t *testing.T) {
	from := open(t, t.TempDir())
	write(t, from, everything()...)
	want := export(t, from)
	for _, part := range []string{
		`"user_`, "öne", `"payload_base64":"//4="`, `"Correlation Data","value_base64":"AP8="`,
		`"lifetime":0`, `"packet_id":65535`, `"packet_id":77,"released":true`, `"raw":"`,
		`"raw_delivery":"`,
		`"payload":1,"sharers":2`, `"estate":true`, `{"kind":"end","records":17}`,
	}[1:] {
		if !strings.Contains(want, part) {
			t.Errorf("no %s in\n%s", part, want)
		}
	}
	dir := t.TempDir()
	to := open(t, dir)
	c, err := Import(to, strings.NewReader(want))
	if err != nil || c.Records() != 17 {
		t.Fatalf("%+v, %v", c, err)
	}
	if got := export(t, to); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if rep, err := to.Check(); err != nil || rep.FaultsFound > 0 || rep.Estates != 2 {
		t.Errorf("%+v, %v", rep, err)
	}
	if err := errors.Join(to.Close(), from.Close()); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if again.Boot() <= 5 {
		t.Errorf("boot %d: numbers would come twice", again.Boot())
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// Into a store that has something, sessions and topics take the place of their like.
func TestMerge(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	defer func() { _ = errors.Join(from.Close(), to.Close()) }()
	write(t, from, everything()...)
	write(t, to, everything()...)
	body := bytes.Repeat([]byte("y"), 500)
	write(t, to,
		broker.Op{Kind: broker.OpPutSession, Num: 77, Key: "stays", Value: []byte{1}},
		broker.Op{Kind: broker.OpPush, Num: 77, Seq: 1, Value: []byte{1}, Body: body},
		broker.Op{Kind: broker.OpPush, Num: 4, Seq: 99, Value: []byte{1}, Body: body},
		broker.Op{Kind: broker.OpRetain, Key: "stays", Value: []byte{1}})
	if _, err := Import(to, strings.NewReader(export(t, from))); err != nil {
		t.Fatal(err)
	}
	rep, err := to.Check()
	if err != nil || rep.FaultsFound > 0 || rep.Sessions != 4 || rep.Queued != 7 ||
		rep.Estates != 2 || rep.Retained != 3 || rep.Shared != 3 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func retained(topic, of string) string {
	return `{"kind":"retained","topic":"` + topic + `","message":{"topic":"` + of + `"}}`
}

// What is wrong is told with its line.
func TestRefusals(t *testing.T) {
	d := open(t, t.TempDir())
	defer func() { _ = d.Close() }()
	const head = `{"kind":"hpmq-store","version":1}` + "\n"
	const one = `{"kind":"session","client_id":"a","state":{"version":5,"expiry":9}}` + "\n"
	for text, want := range map[string]string{
		"":                                  "line 1: no export",
		"{}":                                "line 1: no export",
		"hello":                             "line 1: no export",
		`{"kind":"hpmq-store","version":2}`: "line 1: an export of a newer version",
		head:                                "line 2: the end is missing",
		head + one + `{"kind":"end"}`:       "line 3: the end is missing",
		head + one + one:                    `line 3: session "a": there twice`,
		head + "\n":                         "line 2: damaged record",
		head + `{"kind":"x"}`:               `line 2: damaged record: kind "x"`,
		head + `{"kind":"end","colour":1}`:  "line 2: damaged record",
		head + `{"kind":"end"}` + "\n{}":    "line 3: damaged record: there is something",
		head + `{"kind":"flight","seq":1}`:  `line 2: session "": what it belongs to`,
		head + one + `{"kind":"received","client_id":"a"}`: "line 3: 0: no message",
		head + one + `{"kind":"queued","client_id":"a"}`:   "a delivery, or raw",
		head + `{"kind":"retained","topic":"a","message":{"topic":"a","qos":3}}`: "" +
			"QoS 3",
		head + `{"kind":"kv","component":"c","key":"k"}`:                 "a counter, value or",
		head + `{"kind":"kv","component":"c","counter":1}`:               "a key of kv",
		head + `{"kind":"kv","key":"k","counter":1}`:                     "no component",
		head + `{"kind":"kv","component":"c","key":"k","counter":1.5}`:   "damaged",
		head + `{"kind":"history","listener":"l","topic":"","value":""}`: "a topic of history",
		head + `{"kind":"history","listener":"l","topic":"t","counter":1}`: "" +
			"a counter, value or",
		head + one + `{"kind":"queued","client_id":"a","seq":1,"payload":4,` +
			`"delivery":{"qos":1}}`: "payload 4: what it belongs to",
		head + "{\"kind\":\"session\",\"client_id\":\"\xff\"}": "not UTF-8",
		// What a kernel would drop, or what would do harm there.
		head + retained("a/#", "a/#"):                                    "line 2: store: not",
		head + retained(`a\u0000`, `a\u0000`):                            "no topic of",
		head + retained("a", "b"):                                        `"b" is retained on "a"`,
		head + retained("$SYS/x", "$SYS/x"):                              "the broker's own",
		head + `{"kind":"retained","topic":"a","raw":"AQ=="}`:            "cannot be read",
		head + `{"kind":"payload","payload":1,"sharers":1,"raw":"AQ=="}`: "cannot be read",
		head + `{"kind":"session","client_id":"a","raw":"AQ=="}`:         "the state of",
		head + `{"kind":"session","client_id":"a","state":{"version":7}}`: "" +
			"line 2: store: not what a broker keeps: protocol version 7",
		head + `{"kind":"session","client_id":"a","state":{"version":5,` +
			`"subscriptions":[{"filter":"a#"}]}}`: "no topic filter",
		head + one + `{"kind":"queued","client_id":"a","seq":1,"raw_delivery":"CQ==",` +
			`"message":{"topic":"a"}}`: "line 3: store: not what a broker keeps: a delivery",
	} {
		_, err := Import(d, strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v, want %s", text, err, want)
		}
	}
}

// FuzzLine: no line ends the program, and one that is a record is written the same again.
func FuzzLine(f *testing.F) {
	for _, text := range []string{
		`{"kind":"queued","client_id":"a","seq":1,"delivery":{"qos":1},` +
			`"message":{"topic":"a","payload":"b"}}`,
		`{"kind":"session","client_id":"a","state":{"version":5,"expiry":3,` +
			`"subscriptions":[{"filter":"a"}],"will":{"message":{"topic":"a"}}}}`,
		`{"kind":"retained","topic":"a","raw":"AQ=="}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parse(b)
		if err != nil {
			return
		}
		p, err := x.part()
		if err != nil {
			return
		}
		y, err := lineOf(&p)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		q, err := y.part()
		if err != nil || fmt.Sprint(q) != fmt.Sprint(p) {
			t.Errorf("%s\n%+v\n%+v, %v", b, p, q, err)
		}
	})
}
