package demo

import (
	"context"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
)

// The demo is an end-to-end test: the story must end as told, without a message lost, doubled or
// out of order and without a connection ended.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o := Options{Rate: 1000, Each: 200, Guests: "../../components/testdata", Out: t.Output()}
	var err error
	if o.Hpmq, o.Cli, err = process.Build(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		t.Error(f)
	}
	want := []shape{v1, v2, v1, v2, v1, v2, raw, v2, raw, v2}
	if len(r.Shapes) != len(want) {
		t.Fatalf("shapes seen in turn: %v, want %v", r.Shapes, want)
	}
	for i := range want {
		if r.Shapes[i] != string(want[i]) {
			t.Errorf("shape %d is %s, want %s", i, r.Shapes[i], want[i])
		}
	}
	if r.Sent != r.Received {
		t.Errorf("%d sent, %d received", r.Sent, r.Received)
	}
}

// fakeMessage is what the subscriber is handed.
type fakeMessage struct{ body string }

func (m fakeMessage) Duplicate() bool   { return false }
func (m fakeMessage) Qos() byte         { return 1 }
func (m fakeMessage) Retained() bool    { return false }
func (m fakeMessage) Topic() string     { return deviceTopic }
func (m fakeMessage) MessageID() uint16 { return 1 }
func (m fakeMessage) Payload() []byte   { return []byte(m.body) }
func (m fakeMessage) Ack()              {}

// The account must notice what it is there to notice.
func TestTakeFindsFaults(t *testing.T) {
	for name, bodies := range map[string][]string{
		"missing": {`{"seq":0}`, `{"seq":2}`},
		"twice":   {`{"seq":0}`, `{"seq":0}`},
		"late":    {`{"seq":0}`, `{"seq":1}`, `{"seq":2}`, `{"seq":1}`},
		"garbage": {`{"seq":0}`, `{"seq`},
	} {
		tr := newTraffic(vendor())
		for _, b := range bodies {
			tr.take(fakeMessage{b})
		}
		if len(tr.faults) == 0 {
			t.Errorf("%s: no fault was found", name)
		}
	}
}

func TestUntilGivesUp(t *testing.T) {
	tr := newTraffic(vendor())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if tr.until(ctx, v2, 1) == nil {
		t.Error("until did not give up")
	}
}
