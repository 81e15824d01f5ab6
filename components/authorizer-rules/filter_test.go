package rules

import (
	"strings"
	"testing"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
	sdkfilter "github.com/hpmq/hpmq/sdk/guest/go/filter"
)

// FuzzNobodyGetsMore holds the two compares of filters to what they are for: whatever topic a
// granted subscription matches, a publish to it would be granted; whatever topic a refused one
// could have matched in vain, a filter that shares no topic with the rule is not refused.
func FuzzNobodyGetsMore(f *testing.F) {
	f.Add("dev/%c/#", "dev/a/+", "dev/a/b", "a")
	f.Add("+/x", "#", "$SYS/x", "+")
	f.Add("a/#", "a", "a", "a/b")
	f.Fuzz(func(t *testing.T, rule, want, name, client string) {
		r, wrong := parseFilter(rule)
		if _, bad := parseFilter(strings.ReplaceAll(want, "%", "_")); wrong != "" || bad != "" ||
			name == "" || strings.ContainsAny(name, "+#\x00") || !sdkfilter.Match(want, name) {
			return
		}
		who := &guest.Identity{ClientID: client, Username: "u"}
		fits := r.covers(who, name)
		if r.covers(who, want) && !fits {
			t.Errorf("%q covers %q for %q, but not its topic %q", rule, want, client, name)
		}
		if fits && !r.meets(who, want) {
			t.Errorf("%q and %q share %q for %q, but are said not to", rule, want, name, client)
		}
	})
}

func BenchmarkAuthorize(b *testing.B) {
	r := &Rules{}
	_, err := r.Configure(`{"rules":[{"effect":"deny","clients":["x*"]},` +
		`{"effect":"allow","topics":["dev/%c/#"]}]}`)
	if err != nil {
		b.Fatal(err)
	}
	who := &guest.Identity{ClientID: "device-7"}
	b.ReportAllocs()
	b.SetBytes(int64(len("dev/device-7/up")))
	for b.Loop() {
		r.Authorize(who, authorizer.Publish, "dev/device-7/up", 0)
	}
}
