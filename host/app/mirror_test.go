package app

import (
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/conformance/registry"
)

// TestABundleOfTwoRegistries is pulled from either, where both are named: one may be down, or have
// it without the signature that counts.
func TestABundleOfTwoRegistries(t *testing.T) {
	q := newQuay(t)
	mirror := registry.Start(t, true)
	q.cfg.Bundles.Registries = append(q.cfg.Bundles.Registries, q.cfg.Bundles.Registries[0])
	q.cfg.Bundles.Registries[1].Host = mirror.Addr
	q.cfg.DataDir = configs.Memory
	l, b := built(t, dedupDir, nil)
	here := q.pushed(l, b)
	signed(t, l, b, q.key)
	there := q.pushedTo(mirror, l, b)
	two := func(first, second string) configs.Config {
		cfg := q.naming(first)
		cfg.Listeners = append(cfg.Listeners, q.naming(second).Listeners...)
		cfg.Listeners[1].Name = "other"
		return cfg
	}
	starts := func(about string) {
		t.Helper()
		for _, cfg := range []configs.Config{two(here, there), two(there, here)} {
			a := start(t, cfg, Options{})
			for _, name := range []string{"l", "other"} {
				if got := linkedIn(t, a, name, "deduplicator"); got != windowComponent {
					t.Errorf("%s: %q is linked", about, got)
				}
			}
			stopped(t, a)
		}
	}
	starts("one is not signed")
	q.pushed(l, b)
	starts("both are")
	mirror.Stop()
	starts("the mirror is down")
	q.reg.Stop()
	_, err := Open(t.Context(), two(here, there), Options{})
	says(t, err, here, there, "to do: look whether the registry runs")
}

// Where a bundle is named twice, it is asked for in that order, and once.
func TestABundleIsPulledFromTheFirstThatHasIt(t *testing.T) {
	at := func(host string) configs.Listener {
		var l configs.Listener
		l.Link.Deduplicator = []configs.Component{
			{Use: host + "/x@sha256:" + strings.Repeat("0", 64)}}
		return l
	}
	named := inRegistries([]configs.Listener{at("b"), at("a"), at("oci://b"), at("c")})
	var hosts []string
	for _, places := range named {
		for i := range places {
			host, _, _ := places[i].Reference()
			hosts = append(hosts, host)
		}
	}
	if len(named) != 1 || strings.Join(hosts, " ") != "b a c" {
		t.Errorf("%d bundles are asked for at %v", len(named), hosts)
	}
}
