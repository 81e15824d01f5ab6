package app

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// testConfig is a node in memory on free ports of loopback, with two loops and one cheap component.
func testConfig(listeners ...string) configs.Config {
	c := configs.Default()
	c.DataDir, c.Loops = configs.Memory, 2
	c.Admin.Bind = "127.0.0.1:0"
	c.Listeners = nil
	for _, name := range listeners {
		c.Listeners = append(c.Listeners, configs.Listener{
			Name: name, Bind: "tcp://127.0.0.1:0", Limits: c.Limits,
			Link: configs.Link{Router: []configs.Component{{Use: "router-rules"}}},
		})
	}
	return c
}

// open starts a node that ends with the test.
func open(t *testing.T, cfg configs.Config) *App {
	t.Helper()
	a, err := Open(t.Context(), cfg, Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), DrainTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a
}

// address is where a listener listens.
func address(t *testing.T, a *App, name string) string {
	t.Helper()
	for _, l := range a.Listening() {
		if l.Name == name {
			return l.Address
		}
	}
	t.Fatalf("no listener %s in %v", name, a.Listening())
	return ""
}

func TestMessagesGoThrough(t *testing.T) {
	a := open(t, testConfig("a", "b"))
	sub := dial(t, address(t, a, "a"), "sub")
	sub.subscribe("x/#")
	dial(t, address(t, a, "b"), "pub").publish("x/y", "hello")
	if topic, payload := sub.receive(); topic != "x/y" || payload != "hello" {
		t.Errorf("got %s %s", topic, payload)
	}
}

func TestDefaultComponentsAreThere(t *testing.T) {
	if got, want := components.Names(), configs.DefaultComponents(); !reflect.DeepEqual(got, want) {
		t.Errorf("components: %v, configs: %v", got, want)
	}
	for _, name := range configs.DefaultComponents() {
		if _, ok := components.Default(name); !ok {
			t.Errorf("%s is not there", name)
		}
	}
}

// TestDefaultComponentsGetWhatTheirManifestsAskFor: no more, and what they import is among it.
func TestDefaultComponentsGetWhatTheirManifestsAskFor(t *testing.T) {
	cfg := testConfig("l")
	cfg.Listeners[0].Link = configs.DefaultLink()
	a := open(t, cfg)
	linked, err := ask(t, a).Link(t.Context())
	if err != nil || len(linked) != len(configs.DefaultComponents()) {
		t.Fatalf("%v, %v", linked, err)
	}
	for _, c := range linked {
		text, err := os.ReadFile(filepath.Join("../../components", c.Name, "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Version      string
			Capabilities []struct{ Name string }
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		want := []string{"log", "config"}
		for _, asked := range m.Capabilities {
			if !slices.Contains(want, asked.Name) {
				want = append(want, asked.Name)
			}
		}
		if !reflect.DeepEqual(c.Grants, want) || c.Version != m.Version {
			t.Errorf("%s %s: granted %v, asks for %v", c.Name, c.Version, c.Grants, want)
		}
	}
}

// TestDefaultLinksAll runs the configuration of a user who said nothing, with its data folder.
func TestDefaultLinksAll(t *testing.T) {
	c := configs.Default()
	c.DataDir = filepath.Join(t.TempDir(), "data")
	c.Admin.Bind = configs.Off
	c.Listeners[0].Bind = "tcp://127.0.0.1:0"
	a := open(t, c)
	got, want := a.Linked(), configs.DefaultComponents()
	if len(got) != 1 || len(got[0].Components) != len(want) {
		t.Errorf("linked %v", got)
	}
	if entries, err := os.ReadDir(filepath.Join(c.DataDir, "cache")); err != nil || entries == nil {
		t.Errorf("cache: %v, %v", entries, err)
	}
	p := dial(t, address(t, a, "mqtt"), "self")
	p.subscribe("#")
	p.publish("t", "m")
	if topic, payload := p.receive(); topic != "t" || payload != "m" {
		t.Errorf("got %s %s", topic, payload)
	}
}

func TestCloseTellsClients(t *testing.T) {
	a := open(t, testConfig("a"))
	p := dial(t, address(t, a, "a"), "p")
	closed := make(chan error, 1)
	go func() { closed <- a.Close() }()
	if got := p.ended(); got != mqtt.ServerShuttingDown {
		t.Errorf("reason %v", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestFailedBindSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for who, change := range map[string]func(*configs.Config){
		"listener a": func(c *configs.Config) {
			c.Listeners[0].Bind = "tcp://" + taken.Addr().String()
		},
		"admin": func(c *configs.Config) { c.Admin.Bind = taken.Addr().String() },
	} {
		c := testConfig("a")
		change(&c)
		_, err := Open(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler)})
		var bind *BindError
		if !errors.As(err, &bind) || bind.Who != who || !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("%s: %v", who, err)
		}
		for _, word := range []string{who, taken.Addr().String(), "in use", "--"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: no %q in %v", who, word, err)
			}
		}
	}
}

// TestDefaultsAgree: what configs presets is what each room would take by itself.
func TestDefaultsAgree(t *testing.T) {
	c := configs.Default()
	if got, want := kernelLimits(&c.Limits), broker.DefaultLimits(); got != want {
		t.Errorf("kernel limits\n%+v\n%+v", got, want)
	}
	if got, want := socketLimits(&c.Limits), gate.DefaultLimits(); got != want {
		t.Errorf("socket limits\n%+v\n%+v", got, want)
	}
	e := engineConfig(&c, "")
	if err := e.Validate(); err != nil {
		t.Error(err)
	}
	want := wasm.Default()
	if e.FuelMax != want.FuelMax || e.DepthMax != want.DepthMax ||
		e.MemoryBytesMax != want.MemoryBytesMax {
		t.Errorf("engine\n%+v\n%+v", e, want)
	}
	l := linkConfig(&c, 1)
	if err := l.Validate(); err != nil {
		t.Error(err)
	}
	if want := link.Default().AuthLimits.Fuel; l.AuthLimits.Fuel != want {
		t.Errorf("fuel of authenticators: %d, want %d", l.AuthLimits.Fuel, want)
	}
}

func TestLimitsReachTheKernel(t *testing.T) {
	l := configs.DefaultLimits()
	l.SessionExpiryMax, l.KeepAliveMax = configs.Never, configs.Duration(1)
	l.Retain, l.QoSMax = false, 1
	l.ConnectsPerSecond, l.MessagesInPerSecond, l.BytesInPerSecond = 1, 2, 3
	l.MessagesOutPerSecond, l.BytesOutPerSecond = 4, 5
	l.ListenerMessagesInPerSecond, l.ListenerBytesInPerSecond = 6, 7
	want := gate.Rates{
		ConnectsPerSecond: 1, MessagesInPerSecond: 2, BytesInPerSecond: 3, MessagesOutPerSecond: 4,
		BytesOutPerSecond: 5, ListenerMessagesInPerSecond: 6, ListenerBytesInPerSecond: 7,
	}
	if got := socketLimits(&l).Rates; got != want {
		t.Errorf("rates %+v", got)
	}
	got := kernelLimits(&l)
	if got.SessionExpiryMax != broker.Never || got.KeepAliveMax != 1 || !got.RetainOff ||
		got.QoSMax != mqtt.AtLeastOnce {
		t.Errorf("got %+v", got)
	}
}

func TestOpenLeavesNothingAfterAnError(t *testing.T) {
	c := testConfig("a", "b")
	bad := filepath.Join(t.TempDir(), "bad.wasm")
	if err := os.WriteFile(bad, []byte("no wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Listeners[1].Link.Router = []configs.Component{{Use: bad}}
	path := filepath.Join(t.TempDir(), "s")
	c.Listeners[0].Bind = "unix://" + path
	_, err := Open(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler)})
	var step *link.StepError
	if !errors.As(err, &step) || step.Step != link.StepCompile {
		t.Fatalf("got %v", err)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		t.Fatal("the first listener is still open")
	}
}

func TestAdminBeyondLoopbackHasAToken(t *testing.T) {
	dir := t.TempDir()
	local, wide := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4zero}
	a := &App{cfg: configs.Default(), data: dir}
	if c, file, err := a.adminConfig(local); err != nil || !c.Loopback || c.Token != "" ||
		file != "" {
		t.Errorf("loopback: %+v %s %v", c, file, err)
	}
	c, file, err := a.adminConfig(wide)
	if err != nil || c.Loopback || c.Token == "" || file != filepath.Join(dir, "admin.token") {
		t.Errorf("wide: %+v %s %v", c, file, err)
	}
	a.data = configs.Memory
	if c, _, err := a.adminConfig(wide); err == nil {
		t.Errorf("without a data folder: %+v", c)
	}
	a.cfg.Admin.TokenFile = file
	if again, _, err := a.adminConfig(local); err != nil || again.Token != c.Token {
		t.Errorf("a token on loopback: %+v, %v", again, err)
	}
}
