package transform

import (
	"testing"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

const vendor = `{"rules":[{"filter":"dev/+/up","steps":[{"rename":{"t":"temperature"}},` +
	`{"scale":{"temperature":{"factor":0.1}}},{"const":{"unit":"C"}},{"topic":"site/{2}/{.h}"}]}]}`

func device(t testing.TB) (*Transformer, *guest.Message) {
	t.Helper()
	f := &Transformer{History: guesttest.NewHost()}
	if _, err := f.Configure(vendor); err != nil {
		t.Fatal(err)
	}
	return f, &guest.Message{Topic: "dev/7/up", Payload: []byte(
		`{"t":215,"h":48,"b":3.61,"id":"0x0015BC001A","seq":44121,"status":{"ok":true}}`)}
}

// Garbage in a guest is a collection on somebody's message.
func TestAMessageMakesNoGarbage(t *testing.T) {
	f, m := device(t)
	out := make([]guest.Message, 0, 1)
	if n := testing.AllocsPerRun(100, func() { f.Upstream(nil, m, &out); out = out[:0] }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkUpstream(b *testing.B) {
	f, m := device(b)
	out := make([]guest.Message, 0, 1)
	b.ReportAllocs()
	b.SetBytes(int64(len(m.Payload)))
	for b.Loop() {
		f.Upstream(nil, m, &out)
		out = out[:0]
	}
}
