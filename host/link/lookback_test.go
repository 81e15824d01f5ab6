package link

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/lookback"
	"github.com/hpmq/hpmq/lite/broker"
)

func looker(words string) Ref {
	r := ref("worker-history", words)
	r.Grants = []string{"publish", "history"}
	return r
}

// A worker is shown pages of the message log of its listener; what it may ask for is bounded.
func TestAWorkerLooksBack(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	var asked []lookback.Question // of the worker's goroutine until the answer is heard
	long := strings.Repeat("x", 30_000)
	h.past = func(q lookback.Question) (lookback.Page, error) {
		asked = append(asked, q)
		m := lookback.Message{
			ID: 7, Client: "dev", Topic: "a/ä", Payload: []byte(long), PayloadSize: 30_000, Fate: 2,
		}
		return lookback.Page{Messages: []lookback.Message{m, {}}, Next: 8, More: len(asked) == 1},
			nil
	}
	h.link(Spec{RoleWorker: {looker("look=a/#;since=5;max=1000;")}})
	h.accept("x", "")
	page := []string{"timer ", "seen 2 dev a/ä " + long, "seen 0   ", "page ",
		"seen 2 dev a/ä " + long, "seen 0   ", "page ", "over "}
	h.hears(out, page...)
	want := lookback.Question{
		Listener: "main", Filter: "a/#", Since: 5, Max: lookback.MessagesMax,
	}
	next := want
	next.Cursor = 8
	if len(asked) != 2 || asked[0] != want || asked[1] != next {
		t.Errorf("asked %+v", asked)
	}
}

// What goes wrong is a case of its own. What is read is paid for, at the latest by the next call.
func TestLookingBackFails(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	answers := []error{lookback.ErrNotLogged, lookback.ErrInvalidFilter, lookback.ErrBusy,
		errors.New("a disk")}
	h.past = func(lookback.Question) (p lookback.Page, err error) {
		if len(answers) == 0 {
			return lookback.Page{Read: 1 << 40}, nil
		}
		err, answers = answers[0], answers[1:]
		return p, err
	}
	h.link(Spec{RoleWorker: {looker("look=#;")}})
	want := []string{"timer "}
	for _, code := range []string{"1", "2", "3", "4"} {
		h.accept("x", "")
		want = append(want, "failed "+code)
	}
	h.hears(out, want...)
	h.accept("x", "")
	h.eventually("the call has run out of fuel", func() bool {
		return h.seen(RoleWorker, 0).Faults == 1
	})
}

// On a loop nothing waits for a disk.
func TestNobodyLooksBackOnALoop(t *testing.T) {
	h := newHouse(t, nil)
	h.past = func(lookback.Question) (p lookback.Page, err error) {
		t.Error("the log was asked")
		return p, err
	}
	p := h.one(RoleTransformer, ref("transformer-history", "look=#;"))
	var out []broker.Message
	p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
	if len(out) != 1 || !bytes.Equal(out[0].Payload, []byte("0")) {
		t.Errorf("%s", texts(out))
	}
}
