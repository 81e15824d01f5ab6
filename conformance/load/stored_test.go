package load

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// TestShelvesSeeWhatABrokerDidWrong gives a session of two publishers one message late, one twice
// and one never.
func TestShelvesSeeWhatABrokerDidWrong(t *testing.T) {
	c := DefaultStored()
	c.Publishers, c.Sessions, c.Rounds = 2, 1, 4
	s := &storing{cfg: &c, shelf: []shelf{{tracks: make([]track, 2)}}, clock: clock{time.Now()}}
	s.result.Messages = 8
	p := &peer{v: mqtt.V311}
	var acks []byte
	for i, m := range []stamp{
		{publisher: 0, seq: 0}, {publisher: 1, seq: 0}, {publisher: 0, seq: 2},
		{publisher: 0, seq: 1}, {publisher: 0, seq: 1}, {publisher: 0, seq: 3},
		{publisher: 1, seq: 1}, {publisher: 1, seq: 3},
	} {
		payload := make([]byte, 64)
		putStamp(payload, m)
		pub := mqtt.Publish{
			QoS: mqtt.AtLeastOnce, PacketID: uint16(i + 1), Topic: []byte("t"), Payload: payload,
		}
		acks = s.take(&s.shelf[0], p, pub.Append(nil, mqtt.V311), acks)
	}
	s.sum()
	r := s.result
	if r.Delivered != 7 || r.Lost != 1 || r.Doubled != 1 || r.Late != 1 || len(acks) != 8*4 {
		t.Errorf("%+v, %d bytes of acknowledgements", r, len(acks))
	}
}

func TestStoredConfigIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(c *StoredConfig){
		"sessions": func(c *StoredConfig) { c.Sessions = 0 },
		"window":   func(c *StoredConfig) { c.Window = windowMax + 1 },
		"payload":  func(c *StoredConfig) { c.PayloadBytes = PayloadBytesMin - 1 },
	} {
		c := DefaultStored()
		spoil(&c)
		if _, err := RunStored(context.Background(), c); err == nil {
			t.Error(name, "is not refused")
		}
	}
}

// TestRetainedThatIsNotKeptIsMissed measures a broker that keeps nothing.
func TestRetainedThatIsNotKeptIsMissed(t *testing.T) {
	c := DefaultStored()
	c.Addr = startToy(t, nil)
	c.Sessions, c.Patience = 1000, time.Millisecond
	r, err := RunRetained(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Messages != 1000 || r.Delivered != 0 || r.StoredPerSecond <= 0 || r.Puback.P99 <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestStoredTable(t *testing.T) {
	in := `{"label":"a","sessions":10,"messages":1000,"stored_cpu_s":0.5,"syncs":20,"lost":3}
{"label":"b","sessions":10,"messages":1000,"stored_cpu_s":1,"syncs":-1}
{"label":"a","messages":5,"delivered":4,"all_s":0.25}
`
	var out bytes.Buffer
	if err := WriteStored(&out, strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Fields(line))
	}
	switch {
	case len(got) != 6 || len(got[1]) != 13 || len(got[5]) != 10:
		t.Errorf("%d lines:\n%s", len(got), out.String())
	case got[1][5] != "2000" || got[1][6] != "0.02000" || got[1][8] != "3" || got[2][6] != "-":
		t.Error(got[1], got[2])
	case got[5][5] != "250" || got[5][7] != "1":
		t.Error(got[5])
	}
	if err := WriteStored(&out, strings.NewReader("x")); err == nil {
		t.Error("no JSON, no error")
	}
}
