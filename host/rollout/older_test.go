package rollout

import (
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
