package link

import (
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// answersOf is a house that takes n bytes of one answer.
func answersOf(t *testing.T, n int) *house {
	return newHouse(t, func(c *Config) { c.AnswerBytesMax = n })
}

// TestTheSumOfACodecsAnswer: a state of 1 byte, n publications of 7 and n bytes of output, or one
// connect with 10 bytes, a will of 7 and 1 of output. It does not matter that all are one text.
func TestTheSumOfACodecsAnswer(t *testing.T) {
	for _, c := range []struct {
		input    string
		requests int
		most     int
	}{
		{strings.Repeat("1", 10), 10, 81}, {strings.Repeat("1", 200), 200, 1601},
		{"0", 1, 19}, {"23", 2, 9},
	} {
		for under := range 2 {
			h := answersOf(t, c.most-under)
			var out codec.Decoded
			err := h.codecOf("", FaultDefault).Decode(0, nil, []byte(c.input), &out)
			if under == 0 && (err != nil || len(out.Requests) != c.requests) {
				t.Errorf("%s: %v, %d requests", c.input, err, len(out.Requests))
			}
			if under == 1 && (err == nil || !strings.Contains(err.Error(), "taken together")) {
				t.Errorf("%s in %d bytes: %v", c.input, c.most-1, err)
			}
		}
	}
}

// TestAnEncodedSum: 1 byte of state and 8 of output.
func TestAnEncodedSum(t *testing.T) {
	for most, fits := range map[int]bool{9: true, 8: false} {
		var out codec.Encoded
		c := answersOf(t, most).codecOf("", FaultDefault)
		err := c.Encode(0, nil, &codec.Event{Kind: codec.Pong}, &out)
		if (err == nil) != fits {
			t.Errorf("%d bytes: %v", most, err)
		}
	}
}

// TestTheSumOfATransformer: what one entry makes of one message counts, also if another entry has
// made several of it before.
func TestTheSumOfATransformer(t *testing.T) {
	for _, c := range []struct {
		words []string
		most  int
	}{
		{[]string{"tag=v1:; copies=4"}, 20},
		{[]string{"copies=4", "tag=v1:;"}, 20},
		{[]string{"copies=2", "tag=v1:; copies=3"}, 30},
	} {
		for under := range 2 {
			h := answersOf(t, c.most-under)
			var chain []Ref
			for _, w := range c.words {
				chain = append(chain, ref("transformer", w))
			}
			h.link(Spec{RoleTransformer: chain})
			h.up(message("a", "x"))
			v := h.seen(RoleTransformer, len(chain)-1)
			said := strings.Contains(v.LastFault, "together")
			if v.Faults != uint64(under) || said != (under == 1) {
				t.Errorf("%q, %d bytes: %d faults, %s", c.words, c.most-under, v.Faults,
					v.LastFault)
			}
		}
	}
}

// up is what the transformers make of m.
func (h *house) up(m *broker.Message) (out []broker.Message) {
	h.linker.Policy("main", 0).Transform(h.clock.now(), broker.Upstream, &device, m, &out)
	return out
}

// TestEnvelopesSum: of envelopes the topics count, not what they send.
func TestEnvelopesSum(t *testing.T) {
	for most, faults := range map[int]uint64{12: 0, 11: 1} {
		h := answersOf(t, most)
		h.link(Spec{RoleTransformer: {ref("transformer-by-handle", "sendas=4;")}})
		h.up(large("x", 20_000))
		if v := h.seen(RoleTransformer, 0); v.Faults != faults {
			t.Errorf("%d bytes: %d faults, %s", most, v.Faults, v.LastFault)
		}
	}
}

// TestAnAnswerTakesFuel: 64 times the same bytes are 64 copies.
func TestAnAnswerTakesFuel(t *testing.T) {
	m := message("a", strings.Repeat("x", 60_000))
	once := func(words string, fuel uint64) (ComponentView, uint64) {
		h := newHouse(t, nil)
		r := ref("transformer", words)
		r.Limits.Fuel = fuel
		h.link(Spec{RoleTransformer: {r}})
		out := h.up(m)
		v := h.seen(RoleTransformer, 0)
		if (len(out) > 0) != (v.Faults == 0) {
			t.Errorf("%s: %d messages, %d faults", words, len(out), v.Faults)
		}
		return v, h.guest(RoleTransformer).Fuel()
	}
	_, one := once("tag=v1:; copies=1", 0)
	_, eight := once("tag=v1:; copies=8", 0)
	if more := eight - one; more < 7*60_004/8 || more > 7*60_004/8+1000 {
		t.Errorf("7 copies more take %d", more)
	}
	if v, _ := once("tag=v1:; copies=8", eight); v.Faults != 0 {
		t.Errorf("%d are not enough: %s", eight, v.LastFault)
	}
	for words, fuel := range map[string]uint64{
		"tag=v1:; copies=8": eight - 1, "tag=v1:; copies=64": eight + 100_000,
	} {
		v, _ := once(words, fuel)
		if v.Faults != 1 || !strings.Contains(v.LastFault, wasm.ErrFuel.Error()) {
			t.Errorf("%s with %d: %d faults %s", words, fuel, v.Faults, v.LastFault)
		}
	}
}

// TestMessagesOfAChain: at no place of a chain are there more than MessagesMax, whoever made them
// and whatever is kept beside.
func TestMessagesOfAChain(t *testing.T) {
	for _, c := range []struct {
		words  []string
		want   int
		faulty bool
	}{
		{[]string{"copies=64"}, 64, false},
		{[]string{"copies=8", "copies=8"}, 64, false},
		{[]string{"copies=64", "copies=2"}, 64, true},
		{[]string{"copies=8", "copies=9"}, 64, true},
		{[]string{"copies=33", "copies=32", "copies=64"}, 64, true},
	} {
		h := newHouse(t, func(c *Config) { c.Pool.DeathsMax = 1 << 20 })
		var chain []Ref
		for _, w := range c.words {
			chain = append(chain, ref("transformer", w))
		}
		h.link(Spec{RoleTransformer: chain})
		out := h.up(message("a", "x"))
		last := h.seen(RoleTransformer, len(chain)-1)
		if len(out) != c.want || (last.Faults > 0) != c.faulty {
			t.Errorf("%q: %d messages, %d faults %s", c.words, len(out), last.Faults,
				last.LastFault)
		}
	}
}

// TestTheSizeOfPresence: who a task is about counts as what it is about does.
func TestTheSizeOfPresence(t *testing.T) {
	who := broker.Identity{ClientID: strings.Repeat("c", 1000), Username: strings.Repeat("u", 500),
		Tenant: strings.Repeat("t", 300), Address: "10.0.0.7", Listener: "main"}
	for most, lost := range map[int]uint64{3 * 1812: 0, 3*1812 - 1: 1} {
		h, _, out := workerHouse(t, func(c *Config) { c.WorkerQueueBytesMax = most })
		h.link(Spec{RoleWorker: {worker("")}})
		h.hears(out, "timer ")
		e := h.linker.listener("main").table.Load().chains[RoleWorker].entries[0]
		e.use.Lock() // the worker is busy
		h.accept("a", "0")
		h.eventually("the worker has begun", func() bool {
			e.desk.mu.Lock()
			defer e.desk.mu.Unlock()
			return len(e.desk.now.tasks) == 0
		})
		for range 3 {
			h.linker.Presence("main").Came(&who)
		}
		e.desk.mu.Lock()
		got := e.desk.now.lost
		e.desk.mu.Unlock()
		e.use.Unlock()
		if got != lost {
			t.Errorf("%d bytes: %d lost", most, got)
		}
	}
}

// TestAWorkerThatIsGoneEndsInTime: waiting for a guest ends with the time that a stop has.
func TestAWorkerThatIsGoneEndsInTime(t *testing.T) {
	h, alarm, out := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	e := h.linker.listener("main").table.Load().chains[RoleWorker].entries[0]
	e.seats[0].pool.Close() // no guest comes any more
	h.accept("a", "1")
	rings := func() bool { return alarm.ring(retryPause) }
	h.eventually("it waits for a guest", rings)
	leaving := e.desk.leave()
	leaving.end()
	ended := leaving.ended
	h.clock.pass(h.linker.cfg.WorkerStopTimeout)
	h.eventually("it waits to the end of its time", rings)
	h.eventually("it waits once more", func() bool {
		alarm.mu.Lock()
		defer alarm.mu.Unlock()
		return len(alarm.set[retryPause]) == 1
	})
	h.clock.pass(time.Millisecond)
	rings()
	h.eventually("it has ended", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if n := e.lost.Load(); n != 1 {
		t.Errorf("%d lost", n)
	}
}
