package revival

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/follow"
)

// patience bounds every single wait.
const patience = 2 * time.Minute

// probe is the topic that shows who routes, and the client id of who publishes to it.
const probe = "probe"

const settings = `data_dir: %s/data
admin: {bind: 127.0.0.1:0}
loops: 1
listeners:
  - name: left
    bind: tcp://127.0.0.1:0
    link: &link
      authenticator: []
      authorizer: []
      transformer: []
      deduplicator: []
      router: [{use: router-rules, config: {rules: [{filter: probe, redirect: first}]}}]
  - name: right
    bind: tcp://127.0.0.1:0
    link: *link
`

// version is a router: what it is called in a change, and where it sends what is published to
// probe.
type version struct{ source, to, digest string }

// world is a broker in its folder, with two versions of which one is linked to both listeners.
type world struct {
	*testing.T
	plain, faulty, config string

	broker *process.Broker
	client *client.Client
	faults string // it was started with

	linked, other version
	by            string // the change that linked it, "" for the configuration
	n             int    // changes made
	seen          uint64 // number of the last event
}

func newWorld(t *testing.T, plain, faulty string) *world {
	dir := t.TempDir()
	w := &world{T: t, plain: plain, faulty: faulty, config: filepath.Join(dir, "hpmq.yaml")}
	if err := os.WriteFile(w.config, fmt.Appendf(nil, settings, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	code, ok := components.Default("router-rules")
	if !ok {
		t.Fatal("router-rules does not come with the broker")
	}
	w.linked = version{"router-rules", "first", digestOf(code)}
	code = append(code[:len(code):len(code)], 0, 2, 1, 'x') // a custom section makes it another
	w.other = version{"", "second", digestOf(code)}
	w.start("")
	t.Cleanup(func() { w.broker.Kill() })
	up, err := w.client.Upload(t.Context(), "mine", code)
	if err != nil {
		t.Fatal(err)
	}
	w.other.source = up.Source
	return w
}

func digestOf(code []byte) string {
	sum := sha256.Sum256(code)
	return hex.EncodeToString(sum[:])
}

// start starts the broker that users have, or the one that ends at a point.
func (w *world) start(faults string) {
	w.Helper()
	bin, env := w.plain, []string(nil)
	if faults != "" {
		bin, env = w.faulty, []string{"BROKER_FAULTS=" + faults}
	}
	var err error
	w.broker, err = process.StartIn(context.Background(), env, bin, "--config", w.config)
	if err != nil {
		w.Fatal(err)
	}
	w.faults = faults
	if w.client, err = client.New("http://"+w.broker.Admin, ""); err != nil {
		w.Fatal(err)
	}
}

// kill ends the broker, if it has not ended, and starts one.
func (w *world) kill(faults string) {
	w.Helper()
	w.broker.Kill()
	w.start(faults)
}

// exchange asks for the other version on both listeners.
func (w *world) exchange(name string) client.NewChange {
	w.n++
	words := strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > 'z' })
	n := client.NewChange{ID: fmt.Sprintf("%d-%s", w.n, strings.Join(words, "-"))}
	for _, listener := range []string{"left", "right"} {
		n.Items = append(n.Items, client.ChangeItem{
			Listener: listener, Role: "router", Source: w.other.source, Config: map[string]any{
				"rules": []any{map[string]any{"filter": probe, "redirect": w.other.to}},
			},
		})
	}
	return n
}

// follow reads events until one is of a change in that state; false if the broker ended before.
func (w *world) follow(id, state string, step int) (found bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	err := w.client.FollowChanges(ctx, w.seen+1, func(e *client.ChangeEvent) bool {
		if e.Seq <= w.seen {
			w.Errorf("event %d follows %d: %+v", e.Seq, w.seen, e)
		}
		w.seen = e.Seq
		found = e.Change == id && e.State == state && e.Step == step
		if e.Change == id && !found {
			w.publish() // who serves in a step of a canary is asked something
		}
		return !found
	})
	if ctx.Err() != nil {
		w.Fatalf("%s was not %s in %v: %v\n%s", id, state, patience, err, w.broker.Log())
	}
	return found
}

func (w *world) publish() {
	for _, listener := range []string{"left", "right"} {
		if f := w.dial(listener); f != nil {
			_ = f.Publish([]byte(probe), []byte("x"), false)
			f.Close()
		}
	}
}

// dial answers nil where the broker has ended.
func (w *world) dial(listener string) *follow.Follower {
	at := strings.TrimPrefix(w.broker.Listeners[listener], "tcp://")
	conn, err := net.DialTimeout("tcp", at, patience)
	if err != nil {
		return nil
	}
	f, err := follow.Open(w.Context(), conn, follow.Config{ClientID: probe, Filter: "#"})
	if err != nil {
		return nil
	}
	return f
}

// routed answers where a message to probe goes.
func (w *world) routed(listener string) string {
	w.Helper()
	f := w.dial(listener)
	if f == nil {
		w.Fatalf("nobody answers at %s\n%s", listener, w.broker.Log())
	}
	defer f.Close()
	if err := f.Publish([]byte(probe), []byte("x"), false); err != nil {
		w.Fatal(err)
	}
	m, err := f.Next()
	if err != nil {
		w.Fatal(err)
	}
	return string(m.Topic)
}
