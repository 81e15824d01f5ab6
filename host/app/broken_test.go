//go:build unix

package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/shelf"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var rewrite = flag.Bool("rewrite", false, "write how broken things are refused as it is")

// broken is something that must not be linked, and how it is refused.
type broken struct {
	name string
	// of is the step: of the change, or upload, submit or reload before there is one.
	of string
	// wrong and do are of the message: what is wrong with it, and the way out. No two have the same
	// wrong.
	wrong, do string

	// What is sent is one of a bundle that parcel changed before it was put together and files
	// after that, with tar at last; or wasm; or the words of source.
	parcel func(p *parcel)
	files  func(p *parcel)
	tar    func(b []byte) []byte
	wasm   []byte
	source string
	// change is what is asked for but the source.
	change func(n *client.NewChange)
	// during goes on while the change is at work: it publishes, so that kv is not as it was.
	during func(y *yard, id string)
	// reload is a configuration instead.
	reload func(c *configs.Config)
}

// yard is a broker with something linked by its configuration, something linked by a change, and
// something remembered.
type yard struct {
	*stage
	dir  string
	good *parcel
	pub  *peer
	sub  *peer
	sent int
}

func newYard(t *testing.T) *yard {
	cfg := diskNode(t.TempDir())
	cfg.Listeners[0].Link.Transformer = []configs.Component{{
		Use: testGuests + "transformer-kv.wasm", Grants: []string{"kv"},
		Config: map[string]any{"words": "count;in=count/#;out=none;"},
	}}
	cfg.Trust.Keys = []configs.TrustedKey{
		{Name: "ours", Key: key(t, "ours").Public().Text(), Names: []string{"acme-*"}},
		{Name: "theirs", Key: key(t, "theirs").Public().Text(), Names: []string{"other-*"}},
	}
	cfg.Trust.Unsigned = []string{"guest", "acme", "acme/#"}
	cfg.Wasm.ListenerMemoryMax = 300 * configs.MiB // what is linked beside one more, not two
	y := &yard{stage: &stage{t: t, cfg: cfg, clock: newHandClock()}, dir: cfg.DataDir,
		good: newParcel(t)}
	y.App = start(t, cfg, Options{clock: y.clock})
	y.client = ask(t, y.App)
	n := client.NewChange{ID: "good", Items: []client.ChangeItem{{
		Listener: "l", Role: "deduplicator", Source: y.upload(y.good.copied().tar()),
		Config: map[string]any{"words": "window=3600000;"}, Grants: []string{"kv"},
	}}}
	y.submit(n)
	y.reaches("good", "done")
	y.connect()
	return y
}

func (y *yard) connect() {
	y.sub = dial(y.t, address(y.t, y.App, "l"), "sub")
	y.sub.subscribe("#")
	y.pub = dial(y.t, address(y.t, y.App, "l"), "pub")
}

// answers asks what is linked: one counts, the other holds back what it saw, and both remember.
func (y *yard) answers(about string) {
	y.t.Helper()
	y.sent++
	var frames []byte
	for i, topic := range []string{"count/a", "a", "a"} {
		m := mqtt.Publish{
			QoS: mqtt.AtLeastOnce, PacketID: uint16(3*y.sent + i), Topic: []byte(topic),
			Payload: fmt.Append(nil, "m", y.sent),
		}
		frames = m.Append(frames, mqtt.V5)
	}
	y.pub.send(frames) // in one piece: the disk is waited for once
	y.pub.told(mqtt.Success, mqtt.Success, mqtt.Success)
	topic, payload := y.sub.receive()
	other, once := y.sub.receive()
	want := fmt.Sprintf("count/a %d m%d, a m%d", y.sent, y.sent, y.sent)
	if got := topic + " " + payload + ", " + other + " " + once; got != want {
		y.t.Fatalf("%s: the link answers %s, want %s", about, got, want)
	}
}

func (y *yard) upload(b []byte) string {
	y.t.Helper()
	up, err := y.client.Upload(y.t.Context(), "guest.wasm", b)
	if err != nil {
		y.t.Fatal(err)
	}
	return up.Source
}

// state is all that a refusal must leave as it is: what is linked, what will be after a restart,
// the files of that, and what components remember.
func (y *yard) state() map[string]string {
	y.t.Helper()
	all := map[string]string{"the answer of the API": y.get("/api/v1/link")}
	held := y.changes.machine.Needs().Held
	var notes []store.Note
	err := y.loops.disk.Notes(store.NoteKV, func(n store.Note) error {
		notes = append(notes, n)
		return nil
	})
	if err != nil {
		y.t.Fatal(err)
	}
	for name, v := range map[string]any{
		"the tables": y.linker.Show(), "what is durable": y.changes.machine.Linked(),
		"what is held": held, "the quarantine": y.changes.machine.Quarantine(), "kv": notes,
	} {
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			y.t.Fatal(err)
		}
		all[name] = string(text)
	}
	for digest := range held {
		if digest = digest[strings.LastIndex(digest, "@")+1:]; !shelf.IsDigest(digest) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(y.dir, "bundles",
			strings.TrimPrefix(digest, "sha256:")))
		if err != nil {
			b = []byte(err.Error())
		}
		all["file "+digest] = string(b)
	}
	return all
}

func (y *yard) get(path string) string {
	y.t.Helper()
	resp, err := http.Get(y.AdminURL() + path)
	if err != nil {
		y.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		y.t.Fatal(resp.Status, err)
	}
	return string(b)
}

// attempt has the broker take something broken, and answers the step and the reason.
func (y *yard) attempt(i int, b *broken) (of, why string) {
	y.t.Helper()
	ctx := y.t.Context()
	if b.reload != nil {
		cfg := y.cfg
		cfg.Listeners = slices.Clone(cfg.Listeners)
		b.reload(&cfg)
		return "reload", text(y.Reload(ctx, cfg))
	}
	n := client.NewChange{ID: fmt.Sprintf("broken-%d", i), Items: []client.ChangeItem{{
		Listener: "l", Role: "deduplicator", Source: b.source,
	}}}
	content := b.wasm
	if b.source == "" && content == nil {
		p := y.good.copied()
		if b.parcel != nil {
			b.parcel(p)
		}
		p.after = b.files
		content = p.tar()
		if b.tar != nil {
			content = b.tar(content)
		}
	} else if b.wasm != nil {
		n.Items[0].Grants = []string{"kv"}
	}
	if content != nil {
		up, err := y.client.Upload(ctx, "guest.wasm", content)
		if err != nil {
			return "upload", text(err)
		}
		n.Items[0].Source = up.Source
	}
	if b.change != nil {
		b.change(&n)
	}
	if _, err := y.client.Submit(ctx, n); err != nil {
		return "submit", text(err)
	}
	if b.during != nil {
		b.during(y, n.ID)
	}
	c, err := y.changes.machine.Wait(ctx, n.ID)
	if err != nil {
		y.t.Fatal(err)
	}
	if c.State != "refused" {
		return string(c.State), c.Why
	}
	return c.Of, c.Why
}

func text(err error) string {
	if err == nil {
		return "it is taken"
	}
	var e *client.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

// shelved looks at the folder of what was sent: each file is what its name says, and there is
// none that no change names.
func (y *yard) shelved() {
	y.t.Helper()
	known := refers(y.changes.machine.Needs().Known)
	dir := filepath.Join(y.dir, "bundles")
	files, err := os.ReadDir(dir)
	if err != nil {
		y.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			y.t.Fatal(err)
		}
		digest := shelf.DigestOf(b)
		if digest != "sha256:"+f.Name() || !known(digest) {
			y.t.Errorf("%s is in the folder, and is %s", f.Name(), digest)
		}
	}
}

// uncounted is a part of the state without what messages do to it.
func uncounted(name, text string) string {
	if name == "kv" {
		return ""
	}
	return regexp.MustCompile(`"calls": ?[0-9]+`).ReplaceAllString(text, "")
}

// plainly is a message without what is another each time.
func plainly(why, dir string) string {
	why = strings.ReplaceAll(why, dir, "DIR")
	why = regexp.MustCompile(`at least [0-9]+`).ReplaceAllString(why, "at least …") // compressed
	why = regexp.MustCompile(`[0-9]+ of [0-9]+ questions (had no answer) \(.*?\)`).
		ReplaceAllString(why, "… questions $1 (…)") // who finds no guest depends on time
	why = regexp.MustCompile(`[0-9-]{10} [0-9:]{8}`).ReplaceAllString(why, "THEN")
	why = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(why, "…")
	return regexp.MustCompile(`127\.0\.0\.1:[0-9]+`).ReplaceAllString(why, "ADDRESS")
}

// TestWhatIsBrokenIsRefused: each with a message of its own, and nothing else happens.
func TestWhatIsBrokenIsRefused(t *testing.T) {
	y := newYard(t)
	y.sicken()
	var told strings.Builder
	seen, whys := map[string]string{}, map[string]string{}
	all := slices.Concat(brokenTars(), brokenIndexes(), brokenManifests(), brokenLayers(),
		brokenContents(), brokenTrust(), brokenFits(), brokenPromises(), brokenGuests(),
		brokenStamps(), brokenExports(), brokenStarts(), brokenShadows(), brokenRequests(),
		brokenConfigs())
	for i := range all {
		b := &all[i]
		y.answers(b.name)
		before := y.state()
		of, why := y.attempt(i, b)
		after := y.state()
		for name, was := range before {
			now := after[name]
			if b.during != nil { // what was asked meanwhile counts, and is remembered
				was, now = uncounted(name, was), uncounted(name, now)
			}
			if now != was {
				t.Errorf("%s: %s: it was\n%s\nand is\n%s", b.name, name, was, now)
			}
		}
		why = plainly(why, y.dir)
		fmt.Fprintf(&told, "%s\n    %s: %s\n", b.name, of, why)
		if of != b.of || !strings.Contains(why, b.wrong) || !strings.Contains(why, b.do) {
			t.Errorf("%s: refused at %s: %s\n want at %s: … %s … %s", b.name, of, why, b.of,
				b.wrong, b.do)
		}
		if b.wrong == "" || b.do == "" || strings.Contains(b.wrong, b.do) {
			t.Errorf("%s: its message does not say what is wrong, or what to do", b.name)
		}
		if other, twice := seen[b.wrong]; twice || whys[why] != "" {
			t.Errorf("%s is told as %s%s is", b.name, other, whys[why])
		}
		seen[b.wrong], whys[why] = b.name, b.name
	}
	y.answers("at the end")
	y.shelved()
	if len(all) < 50 {
		t.Errorf("there are %d", len(all))
	}
	golden := filepath.Join("testdata", "broken.txt")
	if *rewrite {
		if err := os.WriteFile(golden, []byte(told.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(told.String())) {
		t.Errorf("not as in %s; if that is right, run with -rewrite and look at it:\n%s",
			golden, told.String())
	}
	// After a restart the same is linked, and goes on where it was.
	linked := linkedIn(t, y.App, "l", "deduplicator")
	stopped(t, y.App)
	y.App = start(t, y.cfg, Options{})
	y.connect()
	y.answers("after a restart")
	if got := linkedIn(t, y.App, "l", "deduplicator"); got != linked || got == "" {
		t.Errorf("%q is linked, it was %q", got, linked)
	}
}
