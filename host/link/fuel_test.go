package link

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// many is n times the same, with # for the number, as the elements of a list.
func many(n int, element string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.ReplaceAll(element, "#", strconv.Itoa(i))
	}
	return strings.Join(list, ",")
}

// kilobyte is a JSON object of about that size.
func kilobyte() string {
	m := map[string]any{}
	for i := range 38 {
		m[fmt.Sprintf("field%02d", i)] = map[string]any{"v": float64(i) * 1.5, "u": "C"}
	}
	text, _ := json.Marshal(m)
	return string(text)
}

// rules are the default components with n rules each, the last of which fits the message.
func rules(t *testing.T, n int) Spec {
	return Spec{
		RoleAuthorizer: {shipped(t, "authorizer-rules", `{"default":"deny","rules":[`+
			many(n, `{"effect":"allow","users":["u#"],"topics":["plant/#/+/%u"]}`)+
			`,{"effect":"allow","topics":["vendor/+/alarm"]}]}`)},
		RoleTransformer: {shipped(t, "transformer-json", `{"rules":[`+
			many(n, `{"direction":"up","filter":"v#/+","steps":[{"rename":{"a":"t"}}]}`)+
			`,{"direction":"up","filter":"vendor/+/alarm","steps":[{"rename":{"field01":"t"}},`+
			`{"scale":{"field02.v":{"factor":0.1}}},{"const":{"unit":"C"}}]}]}`)},
		RoleDeduplicator: {shipped(t, "deduplicator-window", `{"rules":[`+
			many(n, `{"filter":"v#/+","change":{"t":{"absolute":0.2}},"silence_ms":600000}`)+
			`,{"filter":"vendor/+/alarm","change":{"field02.v":{"absolute":0.2}},`+
			`"silence_ms":600000}]}`)},
		RoleRouter: {shipped(t, "router-rules", `{"rules":[`+
			many(n, `{"filter":"plant/#/alarm","copies":["alarms/{2}"]}`)+
			`,{"filter":"vendor/+/alarm","copies":["alarms/{2}"]}]}`)},
	}
}

// fuel is what the last call of the component of a role took, and what it may take.
func (h *house) fuel(r Role) (spent, budget uint64) {
	h.t.Helper()
	ls, err := h.linker.find("main")
	if err != nil {
		h.t.Fatal(err)
	}
	in := ls.table.Load().chains[r].entries[0].seats[0].take(h.clock.now())
	if in == nil {
		h.t.Fatalf("%s: no guest: %s", r, h.seen(r, 0).LastFault)
	}
	return in.guest.Fuel(), in.guest.Budget()
}

// onMessage asks a role about a message that fits its last rule.
func (h *house) onMessage(r Role, n int) {
	p, m := h.linker.Policy("main", 0), message("vendor/acme/alarm", kilobyte())
	who := device
	who.ClientID = "dev" + strconv.Itoa(n) // no answer is remembered
	var out []broker.Message
	switch r {
	case RoleAuthorizer:
		p.Authorize(h.clock.now(), &who, broker.ActionPublish, m.Topic, 1)
	case RoleTransformer:
		p.Transform(h.clock.now(), broker.Upstream, &who, m, &out)
	case RoleDeduplicator:
		p.Fresh(h.clock.now(), &who, m)
	case RoleRouter:
		p.Route(h.clock.now(), &who, m, &out)
	}
}

// TestFuelOfTheDefaultComponents holds the budgets against what calls take: 1 KB of JSON, and rules
// of which the last fits. The figures are in RATIONALE.md; run it with -v to see them.
func TestFuelOfTheDefaultComponents(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	for _, n := range []int{100, 250} {
		h := newHouse(t, func(c *Config) {
			c.Limits, c.AuthLimits = Default().Limits, Default().AuthLimits
		})
		h.link(rules(t, n))
		for r := RoleAuthorizer; r <= RoleRouter; r++ {
			spent := make([]uint64, 3000) // so that some collect garbage
			var budget uint64
			for i := range spent {
				h.onMessage(r, i)
				spent[i], budget = h.fuel(r)
			}
			slices.Sort(spent)
			most := spent[len(spent)-1]
			t.Logf("%s, %d rules: median %d, most %d of %d",
				r, n, spent[len(spent)/2], most, budget)
			if v := h.seen(r, 0); v.Faults > 0 || most > budget*3/4 {
				t.Errorf("%s, %d rules: %d of %d, %s", r, n, most, budget, v.LastFault)
			}
		}
	}
}

// TestFuelOfAGuestInC is what a call takes without a runtime of a language around it.
func TestFuelOfAGuestInC(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleAuthorizer:  {ref("authorizer", "")},
		RoleTransformer: {ref("transformer", "tag=v1:;")},
		RoleRouter:      {ref("router", "copy=b;")},
	})
	for _, r := range []Role{RoleAuthorizer, RoleTransformer, RoleRouter} {
		h.onMessage(r, 0)
		spent, budget := h.fuel(r)
		t.Logf("%s: %d of %d", r, spent, budget)
		if spent > 50_000 || spent > budget/100 {
			t.Errorf("%s: %d of %d", r, spent, budget)
		}
	}
}

// TestALargeConfigurationLoads is as large as one may be.
func TestALargeConfigurationLoads(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	h := newHouse(t, func(c *Config) {
		c.Limits.StartFuel = wasm.Default().StartFuelMax
		c.Pool.SparesMax = 1
	})
	h.link(Spec{RoleAuthorizer: {shipped(t, "authorizer-rules", `{"rules":[`+
		many(3600, `{"effect":"allow","users":["u#"],"topics":["plant/#/+/%u"]}`)+`]}`)}})
	h.onMessage(RoleAuthorizer, 0)
	if v := h.seen(RoleAuthorizer, 0); v.Faults != 0 {
		t.Error(v.LastFault)
	}
}

// TestASlowHashHasTheFuel: 600,000 rounds of PBKDF2 are what is advised for SHA-256.
func TestASlowHashHasTheFuel(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.AuthWorkers = 1 })
	spent := map[int]uint64{}
	for _, rounds := range []int{1000, 2000} {
		hash := fmt.Sprintf("$pbkdf2-sha256$i=%d,l=32$vyBHLnxyIIJ/YZe0Qalnxw$"+
			"dQD5xuzzIybNroD93HI+efk5jtiIt8ylsXweHAKSvP8", rounds)
		h.link(Spec{RoleAuthenticator: {shipped(t, "authenticator-file",
			`{"users":[{"name":"alice","hash":"`+hash+`"}]}`)}})
		if g := h.door().ask(login("alice", "secret")); g.Reason != mqtt.BadUserNameOrPassword {
			t.Fatalf("%v", g.Reason)
		}
		spent[rounds], _ = h.fuel(RoleAuthenticator)
	}
	each := (spent[2000] - spent[1000]) / 1000
	t.Logf("%d a round", each)
	if need := 600_000*each + spent[1000]; need > h.linker.cfg.AuthLimits.Fuel {
		t.Errorf("600,000 rounds take %d, and %d are given", need, h.linker.cfg.AuthLimits.Fuel)
	}
}

// TestARunawayCostsTheLoopLittle: as much fuel as a call has, each time, and the stretch of code in
// which that ran out.
func TestARunawayCostsTheLoopLittle(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, hostile(t, "loop"))
	for range h.linker.cfg.Pool.FuelDeathsMax {
		e := h.entryOf(RoleTransformer)
		in := e.seats[0].take(h.clock.now())
		if in == nil {
			t.Fatal("no guest is ready")
		}
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		spent, budget := in.guest.Fuel(), in.guest.Budget()
		if text := h.seen(RoleTransformer, 0).LastFault; !strings.Contains(text, "out of fuel") {
			t.Errorf("it ended by %q", text)
		}
		if most := Default().Limits.Fuel + in.setUpFuel; spent > budget+100 || budget > most {
			t.Errorf("%d of %d for one call, at most %d", spent, budget, most)
		}
		h.eventually("a guest or a rest", func() bool {
			v := h.seen(RoleTransformer, 0)
			return v.Breaker == "open" || h.ready(RoleTransformer)
		})
	}
}

// ready says whether the first component of a role has a guest.
func (h *house) ready(r Role) bool {
	ls, err := h.linker.find("main")
	if err != nil {
		h.t.Fatal(err)
	}
	e := ls.table.Load().chains[r].entries[0]
	_, err = e.seats[0].pool.Guest(time.UnixMilli(h.clock.millis()))
	return err == nil
}

// TestFuelOfTheLinkIsExact: who names a figure gets that, whatever the configuration took.
func TestFuelOfTheLinkIsExact(t *testing.T) {
	h := newHouse(t, nil)
	spec := rules(t, 10)
	spec[RoleRouter][0].Limits.Fuel = 7_654_321
	h.link(spec)
	h.onMessage(RoleRouter, 0)
	if _, budget := h.fuel(RoleRouter); budget != 7_654_321 {
		t.Errorf("router: %d", budget)
	}
	h.onMessage(RoleTransformer, 0)
	if _, budget := h.fuel(RoleTransformer); budget <= Default().Limits.Fuel {
		t.Errorf("transformer: %d", budget)
	}
	// A swap that does not name one keeps the rule, not the figure.
	h.swap(RoleRouter, shipped(t, "router-rules", `{}`))
	if _, budget := h.fuel(RoleRouter); budget != 7_654_321 {
		t.Errorf("router after a swap: %d", budget)
	}
}
