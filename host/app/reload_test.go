package app

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// reroute is a listener's link that moves messages from one topic to another.
func reroute(from, to string) configs.Link {
	return configs.Link{Router: []configs.Component{{
		Use: "router-rules",
		Config: configs.Document{"rules": []any{
			map[string]any{"filter": from, "redirect": to},
		}},
	}}}
}

// bound is c with the ports that a got, so that a reload finds its listeners where they are.
func bound(a *App, c configs.Config) configs.Config {
	c.Listeners = append([]configs.Listener(nil), c.Listeners...)
	for i := range c.Listeners {
		for _, l := range a.Listening() {
			if l.Name == c.Listeners[i].Name {
				c.Listeners[i].Bind = l.Bind
			}
		}
	}
	return c
}

func TestReloadAddsRemovesAndRelinks(t *testing.T) {
	a := open(t, testConfig("stays", "goes"))
	stays := dial(t, address(t, a, "stays"), "stays")
	stays.subscribe("#")
	goes := dial(t, address(t, a, "goes"), "goes")

	next := testConfig("stays", "comes")
	next.Listeners[0].Link = reroute("a", "b")
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got := goes.ended(); got != mqtt.UseAnotherServer {
		t.Errorf("removed: reason %v", got)
	}
	stays.publish("a", "m")
	if topic, _ := stays.receive(); topic != "b" {
		t.Errorf("not relinked: %s", topic)
	}
	dial(t, address(t, a, "comes"), "comes").publish("c", "m")
	if topic, _ := stays.receive(); topic != "c" {
		t.Errorf("added: %s", topic)
	}
	until(t, "the link that is not needed to end", func() bool {
		return reflect.DeepEqual(linkedTo(a), []string{"comes", "stays"})
	})
}

// linkedTo is the names of the listeners that have a link.
func linkedTo(a *App) (names []string) {
	for _, l := range a.Linked() {
		names = append(names, l.Listener)
	}
	return names
}

// TestReloadMovesAListener: the connections of the old address stay, also when limits change; and a
// later removal ends them all.
func TestReloadMovesAListener(t *testing.T) {
	a := open(t, testConfig("a"))
	before := address(t, a, "a")
	old := dial(t, before, "old")
	next := testConfig("a")
	next.Listeners[0].Bind = "tcp://localhost:0"
	next.Listeners[0].Limits.QoSMax = 0
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if !old.alive() {
		t.Error("the old connection ended")
	}
	if c, err := net.Dial("tcp", before); err == nil {
		_ = c.Close()
		t.Error("the old address is open")
	}
	young := dial(t, address(t, a, "a"), "young")
	if err := a.Reload(t.Context(), testConfig()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{old, young} {
		if got := p.ended(); got != mqtt.ServerShuttingDown { // there is no other
			t.Errorf("reason %v", got)
		}
	}
}

// TestReloadPassesAnAddressOn: two listeners exchange theirs.
func TestReloadPassesAnAddressOn(t *testing.T) {
	a := open(t, testConfig("a", "b"))
	first, second := address(t, a, "a"), address(t, a, "b")
	next := bound(a, testConfig("a", "b"))
	next.Listeners[0].Bind, next.Listeners[1].Bind = next.Listeners[1].Bind, next.Listeners[0].Bind
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if address(t, a, "a") != second || address(t, a, "b") != first {
		t.Errorf("listening %v", a.Listening())
	}
}

// Whatever of the configuration a reload does not bring about, it names: all but listeners, with
// what they take from limits, whom to trust, where registries are, and the level of the log.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	var leaves func(at string, v reflect.Value)
	changed := 0
	next := configs.Default()
	leaves = func(at string, v reflect.Value) {
		for i := range v.NumField() {
			key := at + strings.Split(v.Type().Field(i).Tag.Get("yaml"), ",")[0]
			f := v.Field(i)
			old := reflect.New(f.Type()).Elem()
			old.Set(f)
			switch {
			case key == "listeners" || key == "limits" || key == "log.level" || key == "trust",
				key == "bundles.registries" || key == "bundles.pull_timeout":
				continue
			case f.Kind() == reflect.Struct:
				leaves(key+".", f)
				continue
			case f.CanInt():
				f.SetInt(f.Int() + 1)
			case f.CanUint():
				f.SetUint(f.Uint() + 1)
			case f.Kind() == reflect.Bool:
				f.SetBool(!f.Bool())
			default:
				f.SetString(f.String() + "x")
			}
			first, _, _ := strings.Cut(key, ".")
			was := configs.Default()
			err := restartNeeded(&was, &next)
			if err == nil || !strings.HasPrefix(err.Error(), key+" cannot") &&
				!strings.HasPrefix(err.Error(), first+" cannot") {
				t.Errorf("%s: %v", key, err)
			}
			changed++
			f.Set(old)
		}
	}
	leaves("", reflect.ValueOf(&next).Elem())
	was := configs.Default()
	if err := restartNeeded(&was, &next); err != nil || changed < 30 {
		t.Errorf("%d keys, then %v", changed, err)
	}
}

// badReload is a change of a configuration that must be refused, and what the refusal says.
type badReload struct {
	change func(*configs.Config)
	says   string
}

// badReloads are ways to fail; noWasm is a file that is no component, taken a bind.
func badReloads(noWasm, taken string) map[string]badReload {
	return map[string]badReload{
		"restart": {func(c *configs.Config) { c.Loops, c.SessionsMax = 1, 9 },
			"loops, sessions_max cannot change"},
		"invalid": {func(c *configs.Config) { c.Listeners[1].Bind = "b" }, "listeners[1].bind"},
		"no wasm": {func(c *configs.Config) {
			c.Listeners[0].Link = reroute("x", "z")
			c.Listeners[1].Link.Router[0].Use = noWasm
		}, "not WebAssembly"},
		"no file": {func(c *configs.Config) {
			c.Listeners[1].Link.Router[0].Use = "./nowhere.wasm"
		}, "no such file"},
		"component config": {func(c *configs.Config) {
			c.Listeners[1].Link.Router[0].Config = configs.Document{"rulez": 1}
		}, "rulez"},
		"address": {func(c *configs.Config) {
			c.Listeners[0].Link = reroute("x", "z")
			c.Listeners[0].Limits.QoSMax = 1 // opened anew
			c.Listeners[1].Bind = taken
		}, "in use"},
		"address of a new one": {func(c *configs.Config) {
			c.Listeners[1].Name = "c" // and b goes
			c.Listeners[1].Bind = taken
		}, "in use"},
	}
}

// TestBadReloadChangesNothing tries each way a reload can fail, the later the more is in motion.
func TestBadReloadChangesNothing(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.wasm")
	if err := os.WriteFile(bad, []byte("no wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()

	begin := testConfig("a", "b")
	begin.Listeners[0].Link = reroute("x", "y")
	a := open(t, begin)
	p := dial(t, address(t, a, "a"), "p")
	p.subscribe("#")
	listening, linked := a.Listening(), a.Linked()

	for name, c := range badReloads(bad, "tcp://"+taken.Addr().String()) {
		t.Run(name, func(t *testing.T) {
			next := bound(a, begin)
			next.Listeners[1].Link = configs.Link{
				Router: []configs.Component{{Use: "router-rules"}},
			}
			c.change(&next)
			err := a.Reload(t.Context(), next)
			if err == nil || !strings.Contains(err.Error(), c.says) ||
				!strings.Contains(err.Error(), "nothing has changed") {
				t.Errorf("no %q in %v", c.says, err)
			}
			if got := a.Listening(); !same(got, listening) {
				t.Errorf("listening %v, want %v", got, listening)
			}
			if got := a.Linked(); !reflect.DeepEqual(got, linked) {
				t.Errorf("linked %v, want %v", got, linked)
			}
			p.publish("x", "m")
			if topic, _ := p.receive(); topic != "y" {
				t.Errorf("%s: another link serves", topic)
			}
		})
	}
	if err := a.Reload(t.Context(), bound(a, begin)); err != nil {
		t.Errorf("a good one after the bad: %v", err)
	}
}

// same compares without order: one that was opened again stands last.
func same(a, b []Listening) bool {
	count := make(map[Listening]int)
	for _, l := range a {
		count[l]++
	}
	for _, l := range b {
		count[l]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
