package app

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// settings is a listener with one cheap component that moves messages from one topic to another.
func settings(name, bind, from, to string) []byte {
	return fmt.Appendf(nil, `{name: %s, bind: %q, link: {authenticator: [], authorizer: [],
		transformer: [], deduplicator: [], router: [{use: router-rules,
		config: {rules: [{filter: %s, redirect: %s}]}}]}}`, name, bind, from, to)
}

const anywhere = "tcp://127.0.0.1:0"

// names are those of the listeners as operators see them, with their states.
func names(t *testing.T, c *client.Client) (out []string) {
	t.Helper()
	ls, err := c.Listeners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		out = append(out, fmt.Sprintf("%s %s %d", l.Name, l.State, l.Connections))
	}
	return out
}

func TestListenersByAPI(t *testing.T) {
	a := open(t, testConfig("l"))
	c, ctx := ask(t, a), t.Context()
	added, err := c.AddListener(ctx, settings("lab", anywhere, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	if "tcp://"+address(t, a, "lab") != added.Bind || added.Scheme != "tcp" {
		t.Errorf("added %+v, listening %v", added, a.Listening())
	}
	p := dial(t, address(t, a, "lab"), "p")
	p.subscribe("#")
	goesTo(t, p, "b")
	for name, bad := range map[string]struct {
		text   string
		status int
	}{
		"name":    {`{name: lab, bind: "tcp://127.0.0.1:0"}`, 409},
		"address": {fmt.Sprintf(`{name: n, bind: %q}`, added.Bind), 409},
		"bind":    {`{name: n, bind: "127.0.0.1:0"}`, 422},
		"no name": {`{bind: "tcp://127.0.0.1:0"}`, 422},
		"role":    {`{name: n, bind: "tcp://127.0.0.1:0", link: {ruler: []}}`, 422},
		"file": {`{name: n, bind: "tcp://127.0.0.1:0",
			link: {router: [{use: /etc/x.wasm}]}}`, 422},
		"far certificate": {`{name: n, bind: "tls://127.0.0.1:0",
			tls: {certificates: [{certificate: a.pem, key: b}]}}`, 422},
		"no certificate": {`{name: n, bind: "tls://127.0.0.1:0",
			tls: {certificates: [{certificate: /nowhere.pem, key: /nowhere.key}]}}`, 422},
		"no YAML": {`{`, 422},
	} {
		_, err := c.AddListener(ctx, []byte(bad.text))
		t.Logf("%s: %v", name, err)
		refused(t, err, bad.status)
	}
	_, err = c.ChangeListener(ctx, "nobody", []byte("{}"))
	refused(t, err, 404)
	_, err = c.ReloadCertificates(ctx, "lab")
	refused(t, err, 409)
	if got := names(t, c); !reflect.DeepEqual(got, []string{"l open 0", "lab open 1"}) {
		t.Errorf("%v", got)
	}
	refused(t, c.RemoveListener(ctx, "nobody", client.Removal{}), 404)
	if err := c.RemoveListener(ctx, "lab", client.Removal{Connections: client.Close}); err != nil {
		t.Fatal(err)
	}
	if got := p.ended(); got != mqtt.AdministrativeAction {
		t.Errorf("reason %v", got)
	}
	refused(t, c.RemoveListener(ctx, "lab", client.Removal{}), 404)
}

// goesTo publishes to a and looks where that comes out.
func goesTo(t *testing.T, p *peer, want string) {
	t.Helper()
	p.publish("a", "m")
	if topic, _ := p.receive(); topic != want {
		t.Errorf("went to %s, want %s", topic, want)
	}
}

// TestKeptConnectionsKeepTheirLink: those of a removed listener are judged by its link, also when
// there is another of the same name, until the last has left; then nothing is left of it.
func TestKeptConnectionsKeepTheirLink(t *testing.T) {
	a := open(t, testConfig())
	c, ctx := ask(t, a), t.Context()
	if _, err := c.AddListener(ctx, settings("lab", anywhere, "a", "b")); err != nil {
		t.Fatal(err)
	}
	old := dial(t, address(t, a, "lab"), "old")
	old.subscribe("b")
	keep := client.Removal{Connections: client.Keep}
	if err := c.RemoveListener(ctx, "lab", keep); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddListener(ctx, settings("lab", anywhere, "a", "c")); err != nil {
		t.Fatal(err)
	}
	young := dial(t, address(t, a, "lab"), "young")
	young.subscribe("c")
	goesTo(t, old, "b")
	goesTo(t, young, "c")
	if got := names(t, c); !reflect.DeepEqual(got, []string{"lab open 1", "lab~1 keep 1"}) {
		t.Errorf("%v", got)
	}
	swap := client.Swap{Listener: "lab~1", Role: "router", Use: "router-rules",
		Config: redirect("a", "b")}
	if done, err := c.Swap(ctx, swap); err != nil || done.Listener != "lab~1" {
		t.Errorf("swap the link of a removed one: %+v, %v", done, err)
	}
	swap.Config = redirect("x", "y")
	swap.Listener = "lab"
	if _, err := c.Swap(ctx, swap); err != nil {
		t.Error(err)
	}
	goesTo(t, old, "b")
	young.publish("c", "m")
	if topic, _ := young.receive(); topic != "c" {
		t.Errorf("went to %s", topic)
	}
	if err := c.RemoveListener(ctx, "lab", keep); err != nil {
		t.Fatal(err)
	}
	if got := linkedTo(a); !reflect.DeepEqual(got, []string{"lab~1", "lab~2"}) {
		t.Errorf("linked %v", got)
	}
	_ = old.conn.Close()
	until(t, "the first to be freed", func() bool {
		return reflect.DeepEqual(linkedTo(a), []string{"lab~2"})
	})
	if err := c.RemoveListener(ctx, "lab", client.Removal{Connections: client.Close}); err != nil {
		t.Fatal(err)
	}
	if got := young.ended(); got != mqtt.AdministrativeAction {
		t.Errorf("reason %v", got)
	}
	a.loops.mu.Lock()
	kernels := len(a.loops.listeners)
	a.loops.mu.Unlock()
	if n := len(a.linker.Show()); n != 0 || kernels != 0 || len(names(t, c)) != 0 {
		t.Errorf("%d links, %d kernels' listeners, %v left", n, kernels, names(t, c))
	}
}

// TestErasEndWithTheirConnections: what changed limits leave behind goes with who came by them.
func TestErasEndWithTheirConnections(t *testing.T) {
	a := open(t, testConfig("l"))
	c, ctx := ask(t, a), t.Context()
	var peers []*peer
	for i := range 3 {
		peers = append(peers, dial(t, address(t, a, "l"), fmt.Sprint("p", i)))
		text := fmt.Appendf(nil, "limits: {receive_max: %d}", 10+i)
		if _, err := c.ChangeListener(ctx, "l", text); err != nil {
			t.Fatal(err)
		}
	}
	eras := func() int {
		a.change.Lock()
		defer a.change.Unlock()
		return len(a.doors["l"].eras)
	}
	if n := eras(); n != 4 {
		t.Errorf("%d eras", n)
	}
	for i, p := range peers {
		if !p.alive() {
			t.Errorf("%d ended", i)
		}
		_ = p.conn.Close()
	}
	until(t, "the old eras to end", func() bool { return eras() == 1 })
}

// TestDrainIsEven: a removed listener ends its connections one step after the other.
func TestDrainIsEven(t *testing.T) {
	const clients = 40
	cfg := testConfig("stays", "goes")
	cfg.Listeners[1].DrainTimeout = 0
	a := open(t, cfg)
	steps, left := make(chan time.Duration), make(chan bool)
	a.wait = func(_ context.Context, d time.Duration) bool {
		select {
		case steps <- d:
			return <-left
		case <-a.life.Done(): // the test has failed
			return false
		}
	}
	var peers []*peer
	for i := range clients {
		peers = append(peers, dial(t, address(t, a, "goes"), fmt.Sprint("p", i)))
	}
	c := ask(t, a)
	err := c.RemoveListener(t.Context(), "goes", client.Removal{
		Connections: client.Drain, DrainTimeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() int {
		st, err := c.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st.Totals.Connections
	}
	for _, want := range []int{30, 20, 10} { // 20 on each of two loops, in 4 parts
		select {
		case d := <-steps:
			if d != 100*time.Millisecond {
				t.Errorf("step of %v", d)
			}
		case <-time.After(patience):
			t.Fatal("no further step")
		}
		if got := count(); got != want {
			t.Errorf("%d are left, want %d", got, want)
		}
		left <- true
	}
	for _, p := range peers {
		if got := p.ended(); got != mqtt.UseAnotherServer {
			t.Errorf("reason %v", got)
		}
		_ = p.conn.Close()
	}
	until(t, "the drained listener to be freed", func() bool {
		return reflect.DeepEqual(names(t, c), []string{"stays open 0"})
	})
}

// TestDrainCanBecomeKeep: who is left then goes on.
func TestDrainCanBecomeKeep(t *testing.T) {
	const clients = 20
	a := open(t, testConfig("l"))
	begun := make(chan bool, 1)
	a.wait = func(ctx context.Context, _ time.Duration) bool {
		begun <- true
		<-ctx.Done()
		return false
	}
	var peers []*peer
	for i := range clients {
		peers = append(peers, dial(t, address(t, a, "l"), fmt.Sprint("p", i)))
	}
	c, ctx := ask(t, a), t.Context()
	err := c.RemoveListener(ctx, "l", client.Removal{
		Connections: client.Drain, DrainTimeout: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := c.RemoveListener(ctx, "l", client.Removal{Connections: client.Keep}); err != nil {
		t.Fatal(err)
	}
	alive := 0
	for _, p := range peers {
		if p.alive() {
			alive++
		}
	}
	if alive != clients-2 { // the first step took one of each loop
		t.Errorf("%d are left", alive)
	}
	if l, err := c.Listener(ctx, "l~1"); err != nil || l.State != client.Keep {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestLiveChangesDisconnectNobody: 200 clients see a neighbour come, change and go, and their own
// listener change its limits, its address and its link.
func TestLiveChangesDisconnectNobody(t *testing.T) {
	const clients, rounds = 200, 10
	a := open(t, testConfig("l"))
	c, ctx := ask(t, a), t.Context()
	peers := make([]*peer, clients)
	for i := range peers {
		peers[i] = dial(t, address(t, a, "l"), fmt.Sprint("p", i))
	}
	do := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	socket := filepath.Join(t.TempDir(), "s.sock")
	for i := range rounds {
		_, err := c.PutListener(ctx, "lab", settings("lab", "unix://"+socket, "a", "b"))
		do("add", err)
		local, err := net.Dial("unix", socket)
		do("dial", err)
		p, _ := greet(t, local, login{id: "local"})
		p.subscribe("b")
		goesTo(t, p, "b")
		_, err = c.PutListener(ctx, "lab", settings("lab", "unix://"+socket, "a", "b/c"))
		do("relink", err)
		_, err = c.ChangeListener(ctx, "lab", []byte("limits: {connections_max: 10}"))
		do("limit", err)
		_, err = c.ChangeListener(ctx, "l", fmt.Appendf(nil, "limits: {receive_max: %d}", 20+i))
		do("own limit", err)
		_, err = c.ChangeListener(ctx, "l", fmt.Appendf(nil, "bind: %s", freePort(t)))
		do("own address", err)
		if !p.alive() {
			t.Error("the neighbour's client ended")
		}
		do("remove", c.RemoveListener(ctx, "lab", client.Removal{Connections: client.Close}))
	}
	for i, p := range peers {
		if !p.alive() {
			t.Errorf("%d ended", i)
		}
	}
	dial(t, address(t, a, "l"), "young")
	if got := names(t, c); !reflect.DeepEqual(got, []string{fmt.Sprint("l open ", clients+1)}) {
		t.Errorf("%v", got)
	}
}

// freePort answers a bind that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "tcp://" + l.Addr().String()
}

// TestBadSettingsChangeNothing: what is refused leaves the listener, its link and its clients.
func TestBadSettingsChangeNothing(t *testing.T) {
	a := open(t, testConfig())
	c, ctx := ask(t, a), t.Context()
	if _, err := c.AddListener(ctx, settings("lab", anywhere, "a", "b")); err != nil {
		t.Fatal(err)
	}
	p := dial(t, address(t, a, "lab"), "p")
	p.subscribe("b")
	before, err := c.Listener(ctx, "lab")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, bad := range map[string]struct{ text, says string }{
		"key":     {"binds: x", `binds: unknown key; did you mean "bind"?`},
		"limit":   {"limits: {qos_max: 3}", "limits.qos_max"},
		"name":    {"name: other", "a name stays"},
		"config":  {"link: {router: [{use: router-rules, config: {rulez: 1}}]}", "rulez"},
		"address": {"bind: tcp://" + taken.Addr().String(), "in use"},
		"files": {"bind: tls://127.0.0.1:0\ntls: {certificates: [{certificate: /nowhere/a.pem, " +
			"key: /nowhere/a.key}]}", "/nowhere/a.pem"},
	} {
		_, err := c.ChangeListener(ctx, "lab", []byte(bad.text))
		if err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: no %q in %v", name, bad.says, err)
		}
		after, err := c.Listener(ctx, "lab")
		if err != nil || !reflect.DeepEqual(after, before) {
			t.Errorf("%s: %+v\nwas %+v, %v", name, after, before, err)
		}
		goesTo(t, p, "b")
	}
}
