package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// What is older is so by its own version, by that of its bundle, or by the one for the other.
func TestOlder(t *testing.T) {
	for _, c := range []struct {
		now, had Component
		want     string
	}{
		{Component{Version: "1.0.0"}, Component{Version: "1.0.1"}, "1.0.0 is older than 1.0.1"},
		{Component{Version: "1.0.1"}, Component{Version: "1.0.0"}, ""},
		{Component{Name: "x", Version: "1.0.0"}, Component{Version: "1.0.1"}, ""},
		{Component{BundleVersion: "1.9.0"}, Component{BundleVersion: "2.0.0"},
			"1.9.0 is older than 2.0.0"},
		{Component{BundleVersion: "2.0.0"}, Component{BundleVersion: "2.0.0"}, ""},
		{Component{Version: "5.0.0", BundleVersion: "1.9.0"},
			Component{Version: "5.0.0", BundleVersion: "2.0.0"}, "1.9.0 is older than 2.0.0"},
		{Component{Version: "4.0.0", BundleVersion: "2.1.0"},
			Component{Version: "5.0.0", BundleVersion: "2.0.0"}, "4.0.0 is older than 5.0.0"},
		{Component{Version: "1.0.0"}, Component{BundleVersion: "2.0.0"},
			"1.0.0 is older than 2.0.0"},
		{Component{BundleVersion: "1.0.0"}, Component{Version: "2.0.0"},
			"1.0.0 is older than 2.0.0"},
		// The first bundle of something that had a version of its own begins to count anew.
		{Component{Version: "2.0.0", BundleVersion: "1.0.0"}, Component{Version: "2.0.0"}, ""},
		{Component{}, Component{BundleVersion: "2.0.0"}, ""},
	} {
		err := c.now.older(&c.had)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v over %+v: %v; want %q", c.now, c.had, err, c.want)
		}
	}
}

// What is refused says what is linked, from the first step on.
func TestARefusalSaysWhatIsLinked(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@1.0.0"))
	for i, at := range []State{Requested, Fetched, Verified} {
		w.at = func(_ context.Context, s State) error {
			if s == at {
				return errors.New("no")
			}
			return nil
		}
		c := submit(t, m, swap(string(at), "rules@2.0.0"))
		p := c.Places[0]
		if c.State != Refused || p.Old == nil || p.Old.Version != "1.0.0" ||
			(p.New == nil) != (i == 0) {
			t.Errorf("in state %s: %s, %+v", at, c.State, p)
		}
	}
}

// A shadow that compared nothing says so, and not that nothing was alike.
func TestAShadowThatComparedNothing(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := full("s", "rules@2.0.0")
	q.Shadow.MatchMin = 0.99
	c := submit(t, m, q)
	if c.State != Refused || !strings.HasPrefix(c.Why, "nobody asked in 1s what could be") {
		t.Errorf("%s: %s", c.State, c.Why)
	}
}
