package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	api "github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// settings let all wait that is published: what is above a limit is dropped, and not lost. The
// small memory makes the store begin new segments often.
const settings = `data_dir: %s/data
loops: 2
admin: {bind: 127.0.0.1:0}
limits: {queue_messages_max: 10000000, queue_bytes_max: 4GiB}
store: {free_bytes_min: 0B, memory: 64MiB}
listeners:
  - name: mqtt
    bind: unix://%s/hpmq.sock
    link:
      transformer:
        - use: transformer-json
          config: {rules: [{direction: up, filter: c/+/j, steps: [{const: {by: one}}]}]}
      deduplicator:
        - use: deduplicator-window
          config: {rules: [{filter: d/#, window_ms: 3600000}]}
  - name: relaxed
    bind: unix://%s/relaxed.sock
    limits: {durability: interval}
`

// binaries are the broker that users have, and the one with faults.
type binaries struct{ plain, faulty string }

// build makes them, or takes those of -bin.
func build(t *testing.T) (b binaries) {
	t.Helper()
	if dir := *built; dir != "" {
		return binaries{filepath.Join(dir, "hpmq"), filepath.Join(dir, "hpmq-faults")}
	}
	dir := t.TempDir()
	var err error
	if b.plain, err = process.BuildWith(t.Context(), "", dir); err != nil {
		t.Fatal(err)
	}
	if b.faulty, err = process.BuildWith(t.Context(), "faults", dir); err != nil {
		t.Fatal(err)
	}
	return b
}

// world is a broker, its clients, and the folder.
type world struct {
	t      *testing.T
	rnd    *rand.Rand
	bin    binaries
	config string
	socket string
	broker *process.Broker
	at     where
	// relaxed is where the listener is whose durability is interval.
	relaxed where
	ledger  *ledger
	ctx     context.Context

	pubs []*publisher
	subs []*subscriber
	// shared are the members of one group; one of them comes and goes.
	shared []*subscriber
	away   *subscriber
	leave  func() // of away, nil while it is away
	gone   chan struct{}
	chg    *changer
	again  *repeater
	mortal *mortal
	tally  tally
	// patience is how long clients may wait without getting anything of what they are owed.
	patience time.Duration
}

func newWorld(t *testing.T, bin binaries, seed uint64) *world {
	ctx, cancel := context.WithCancel(context.Background())
	// A path of t.TempDir is too long for a socket.
	dir, err := os.MkdirTemp("", "crash-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, bin: bin, rnd: rand.New(rand.NewPCG(seed, 0)), ctx: ctx,
		config: filepath.Join(dir, "hpmq.yaml"), socket: filepath.Join(dir, "hpmq.sock"),
		ledger: newLedger(publishers + 1), patience: 3 * time.Minute,
	}
	if err := os.WriteFile(w.config, fmt.Appendf(nil, settings, dir, dir, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if w.broker != nil {
			w.broker.Kill()
		}
		_ = os.RemoveAll(dir)
	})
	w.start("")
	w.people()
	w.end()
	return w
}

// people brings the clients.
func (w *world) people() {
	w.away = newSubscriber("away", mqtt.V5, w, all(mqtt.ExactlyOnce)...)
	online := newSubscriber("online", mqtt.V311, w, all(mqtt.ExactlyOnce)...)
	narrow := newSubscriber("narrow", mqtt.V5, w, all(mqtt.AtLeastOnce)...)
	narrow.window = 8
	restless := newSubscriber("restless", mqtt.V311, w, all(mqtt.ExactlyOnce)...)
	restless.every = 300
	w.subs = []*subscriber{online, narrow, restless, w.away}
	for i := range 2 {
		s := newSubscriber(fmt.Sprint("shared-", i), mqtt.V5, w, mqtt.Subscription{
			Filter: []byte("$share/g/c/#"), QoS: mqtt.ExactlyOnce,
		})
		s.shared, s.every = true, 500*i
		w.shared = append(w.shared, s)
	}
	for _, s := range append(w.subs[:3:3], w.shared...) {
		go s.run(w.ctx)
	}
	w.toggle()
	for _, s := range append(w.subs, w.shared...) {
		<-s.subbed
	}
	w.toggle()
	w.chg = newChanger(w)
	go w.chg.run(w.ctx)
	w.again = newRepeater(w)
	go w.again.run(w.ctx)
	for i := range publishers {
		w.pubs = append(w.pubs, newPublisher(i, &w.at, w.ledger))
	}
	w.pubs = append(w.pubs, newRelaxed(&w.relaxed, w.ledger))
	for _, p := range w.pubs {
		go p.run(w.ctx)
	}
	w.mortal = newMortal(w)
	go w.mortal.live()
}

// toggle lets the client that is away come, or go.
func (w *world) toggle() {
	if w.leave != nil {
		w.leave()
		<-w.gone
		w.leave = nil
		return
	}
	ctx, leave := context.WithCancel(w.ctx)
	gone := make(chan struct{})
	w.leave, w.gone = leave, gone
	go func() {
		defer close(gone)
		w.away.run(ctx)
	}()
}

// start starts the broker and answers how long that took. It must.
func (w *world) start(faults string) time.Duration {
	w.t.Helper()
	began := time.Now()
	if err := w.try(faults); err != nil {
		w.t.Fatalf("the broker does not start: %v", err)
	}
	w.open()
	return time.Since(began)
}

// open tells clients that the broker is there.
func (w *world) open() {
	w.at.set(w.socket)
	w.relaxed.set(filepath.Join(filepath.Dir(w.socket), "relaxed.sock"))
}

// begin is start under the faults of a round; if they end it, without.
func (w *world) begin(r round, y *life) time.Duration {
	began := time.Now()
	switch err := w.try(r.faults); {
	case err == nil:
		w.open()
		return time.Since(began)
	case r.faults == "" || !strings.Contains(err.Error(), "fault: "):
		w.t.Fatalf("the broker does not start: %v", err)
	}
	y.reached = true
	return w.start("")
}

func (w *world) try(faults string) (err error) {
	bin, env := w.bin.plain, []string(nil)
	if faults != "" {
		bin, env = w.bin.faulty, []string{"BROKER_FAULTS=" + faults}
	}
	w.broker, err = process.StartIn(w.t.Context(), env, bin, "--config", w.config)
	return err
}

// live is one life of the broker: it begins, serves, ends.
func (w *world) live(i int, r round) {
	w.ledger.enter(i, r.failing())
	w.tally = append(w.tally, life{kind: r.kind})
	y := &w.tally[i]
	for _, faults := range r.starting {
		if err := w.try(faults); err == nil {
			w.broker.Kill() // it started: the point was not passed
		} else if !strings.Contains(err.Error(), "fault: ") {
			w.ledger.fault("other", "a start under %s: %v", faults, err)
		} else {
			y.reached = true
		}
	}
	y.start = w.begin(r, y)
	ctx, cancel := context.WithCancel(w.ctx)
	swapped := make(chan int)
	go func() { swapped <- w.swap(ctx) }()
	looked := make(chan bool)
	go func() { looked <- look(ctx, w, w.patience) }()
	if w.rnd.IntN(3) == 0 {
		w.toggle()
	}
	select {
	case <-w.broker.Done():
	case <-time.After(r.life):
	}
	if r.stop {
		w.broker.Terminate()
		select {
		case <-w.broker.Done():
		case <-time.After(time.Minute):
			w.ledger.fault("other", "not ended a minute after SIGTERM")
		}
	}
	cancel()
	y.swaps = <-swapped
	y.looked = <-looked
	w.over(i, r, y)
}

// end kills the broker.
func (w *world) end() {
	w.at.set("")
	w.relaxed.set("")
	w.broker.Kill()
}

// over kills the broker and notes how its life was.
func (w *world) over(i int, r round, y *life) {
	select {
	case <-w.broker.Done():
		if !r.stop && !strings.Contains(w.broker.Log(), "fault: ") {
			w.ledger.fault("other", "the broker ended by itself:\n%s", w.broker.Log())
		}
	default:
	}
	w.end()
	log := w.broker.Log()
	if strings.Contains(log, "panic: ") && !strings.Contains(log, "store: database: ") {
		w.ledger.fault("other", "the broker panicked:\n%s", log)
	}
	y.reached = y.reached || strings.Contains(log, "fault: ")
	if strings.Contains(r.faults, "power") && y.reached {
		w.ledger.excuse(i, r.failing())
	}
	n, refused := w.ledger.acknowledged()
	w.t.Logf("round %d: %s %s %v, start %v, %d acknowledged, %d refused", i, r.kind, r.faults,
		r.starting, y.start.Round(time.Millisecond), n, refused)
}

// swap changes the transformer until ctx ends, and answers how often.
func (w *world) swap(ctx context.Context) (n int) {
	c, err := api.New("http://"+w.broker.Admin, "")
	if err != nil {
		w.ledger.fault("other", "admin: %v", err)
		return 0
	}
	for ctx.Err() == nil {
		by := []string{"one", "two"}[n%2]
		_, err := c.Swap(ctx, api.Swap{
			Listener: "mqtt", Role: "transformer", Use: "transformer-json",
			Config: map[string]any{"rules": []any{map[string]any{
				"direction": "up", "filter": "c/+/j",
				"steps": []any{map[string]any{"const": map[string]any{"by": by}}},
			}}},
		})
		if err == nil {
			n++
		}
		rest(ctx, 20*time.Millisecond)
	}
	return n
}
