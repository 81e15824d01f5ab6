package meter

import (
	"context"
	"errors"
	"math"
	"strconv"
	"testing"
	"time"
)

func TestTellsWhatChanged(t *testing.T) {
	now := Counts{Version: "1.2", Uptime: 90 * time.Second, ClientsConnected: 3, ClientsAway: 2}
	said := map[string]string{}
	n := 0
	m := New(Default(), func(context.Context) (Counts, error) { return now, nil },
		func(topic string, payload []byte) { said[topic], n = string(payload), n+1 })
	if err := m.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{
		"$SYS/broker/version":           "hpmq 1.2",
		"$SYS/broker/uptime":            "90 seconds",
		"$SYS/broker/clients/connected": "3",
		"$SYS/broker/clients/total":     "5",
		"$SYS/broker/clients/maximum":   "3",
	} {
		if said[topic] != want {
			t.Errorf("%s: %q, want %q", topic, said[topic], want)
		}
	}
	n = 0
	now.ClientsConnected = 1
	if err := m.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said["$SYS/broker/clients/maximum"] != "3" || said["$SYS/broker/clients/connected"] != "1" {
		t.Errorf("%v", said)
	}
	if n != 2 { // connected, total
		t.Errorf("%d messages for two changes", n)
	}
}

// A steady rate is the load, sooner over a minute than over a quarter of an hour.
func TestLoad(t *testing.T) {
	now := Counts{}
	said := map[string]string{}
	m := New(Default(), func(context.Context) (Counts, error) { return now, nil },
		func(topic string, payload []byte) { said[topic] = string(payload) })
	for range 6 * 60 {
		if err := m.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.MessagesSent += 100 // in 10 s
	}
	rate := func(name string) float64 {
		f, err := strconv.ParseFloat(said["$SYS/broker/load/publish/sent/"+name], 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if math.Abs(rate("1min")-600) > 1 || math.Abs(rate("15min")-600) > 20 {
		t.Errorf("1 min %v, 15 min %v, want 600", rate("1min"), rate("15min"))
	}
	for range 6 {
		_ = m.Tell(t.Context())
	}
	if rate("1min") >= rate("5min") || rate("5min") >= rate("15min") {
		t.Errorf("after a minute of nothing: %v %v %v", rate("1min"), rate("5min"), rate("15min"))
	}
}

func TestRunSkipsAnError(t *testing.T) {
	asked := 0
	told := make(chan string, 1000)
	m := New(Default(), func(context.Context) (Counts, error) {
		if asked++; asked == 1 {
			return Counts{}, errors.New("busy")
		}
		return Counts{Version: "x"}, nil
	}, func(topic string, _ []byte) { told <- topic })
	ticks := make(chan time.Time, 2)
	ticks <- time.Time{}
	ticks <- time.Time{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { m.Run(ctx, ticks); close(done) }()
	if topic := <-told; topic != "$SYS/broker/version" {
		t.Errorf("first: %s", topic)
	}
	cancel()
	<-done
}
