package store

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Of random topics and filters the walk finds what the rules of MQTT say, in pages of any size.
func TestWalkFindsWhatMatches(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		return []string{"", "a", "ab", "b", "a-", "a\x01", "$x", "zz"}[rnd.IntN(8)]
	}
	k := openDisk(t, diskConfig(t))
	var topics []string
	var ops []broker.Op
	for range 400 {
		levels := make([]string, 1+rnd.IntN(4))
		for i := range levels {
			levels[i] = word()
		}
		if name := strings.Join(levels, "/"); name != "" && !slices.Contains(topics, name) {
			topics = append(topics, name)
			ops = append(ops, retain(name, "v", 0))
		}
	}
	k.write(ops...)
	for range 500 {
		levels := make([]string, 1+rnd.IntN(4))
		for i := range levels {
			if levels[i] = word(); rnd.IntN(3) == 0 {
				levels[i] = "+"
			}
		}
		if rnd.IntN(3) == 0 {
			levels[len(levels)-1] = "#"
		}
		filter := strings.Join(levels, "/")
		if filter == "" {
			continue
		}
		var want []string
		for _, name := range topics {
			if topic.Match(filter, []byte(name)) {
				want = append(want, name)
			}
		}
		if got := walkAll(k, filter, 1+rnd.IntN(20)); !sameNames(got, want) {
			t.Fatalf("%q:\n got  %q\n want %q", filter, got, want)
		}
	}
}

func sameNames(a, b []string) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func walkAll(k *desktop, filter string, max int) (got []string) {
	q := broker.Query{Filter: filter, Max: max}
	for {
		recs := k.find(q)
		n := len(recs)
		if n > 0 && recs[n-1].Kind == broker.OpMore {
			q.After = recs[n-1].Key
			n--
		} else {
			q.After = ""
		}
		for _, r := range recs[:n] {
			got = append(got, r.Key)
		}
		if q.After == "" || n > max {
			return got
		}
	}
}

// FuzzEntry gives any bytes to the decoder of queue entries: what it takes encodes to the same.
func FuzzEntry(f *testing.F) {
	f.Add(appendEntry(nil, &entry{value: []byte("v"), body: []byte("body"), expire: 7}))
	f.Add(appendEntry(nil, &entry{value: []byte("v"), shared: 9, size: 2000}))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := readEntry(data)
		if err != nil {
			return
		}
		again, err := readEntry(appendEntry(nil, &e))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(e) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}

// FuzzValues does so for the other records.
func FuzzValues(f *testing.F) {
	f.Add(appendSession(nil, "id", []byte("state")))
	f.Add(appendRetained(nil, retained{5, 1 << 30, []byte("value")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if id, state, err := readSession(data); err == nil {
			id2, state2, err := readSession(appendSession(nil, string(id), state))
			if err != nil || string(id2) != string(id) || string(state2) != string(state) {
				t.Fatalf("%q %q became %q %q", id, state, id2, state2)
			}
		}
		if r, err := readRetained(data); err == nil {
			r2, err := readRetained(appendRetained(nil, r))
			if err != nil || !reflect.DeepEqual(r, r2) {
				t.Fatalf("%+v became %+v", r, r2)
			}
		}
	})
}
