//go:build unix

package storm

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/load"
	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	api "github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	receiversMax = 8
	pacersMax    = 2
)

// yard is a broker with all its clients.
type yard struct {
	*testing.T
	book
	broker  *process.Broker
	api     *api.Client
	sources []string // of the versions
	start   time.Time

	receivers []*receiver
	pubs      []*publisher
	idle      []*line
	pacers    []*pacer

	rate, sent, held atomic.Int64
	now              atomic.Int32
	stop             chan struct{}
	pacing           sync.WaitGroup

	ended chan *api.ChangeEvent
	swaps []swapped
	spent [windows]spent
}

// spent is what a kind of window took.
type spent struct {
	seconds     float64
	broker, own float64 // CPU seconds
	sent        int64
}

// open starts the broker, sends it the bundles and connects everybody.
func open(t *testing.T) *yard {
	y := &yard{T: t, start: time.Now(), stop: make(chan struct{}),
		ended: make(chan *api.ChangeEvent, 64)}
	bin, err := process.BuildWith(t.Context(), "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, "hpmq.yaml", configured(t, filepath.Join(dir, "data"), &key))
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	y.broker, err = process.Start(ctx, bin, "--config", filepath.Join(dir, "hpmq.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(y.broker.Stop)
	if y.api, err = api.New("http://"+y.broker.Admin, ""); err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		up, err := y.api.Upload(t.Context(), bundleName, parcel(t, &key, version))
		if err != nil {
			t.Fatal(err)
		}
		y.sources = append(y.sources, up.Source)
	}
	y.connect()
	y.follow(ctx)
	return y
}

// connect opens all connections: half of them idle, half publishers, and the receivers.
func (y *yard) connect() {
	y.Helper()
	y.idle = make([]*line, *connections/2)
	y.pubs = make([]*publisher, *connections-len(y.idle))
	y.receivers = make([]*receiver, min(receiversMax, len(y.pubs)))
	y.must(each(len(y.receivers), y.receive))
	y.must(each(len(y.idle), func(i int) (err error) {
		id := fmt.Sprintf("storm-i-%d", i)
		if y.idle[i], err = dial(y.broker.MQTT, id); err != nil {
			return err
		}
		return y.idle[i].subscribe("storm/idle/" + id)
	}))
	y.must(each(len(y.pubs), y.publisher))
	y.Cleanup(func() {
		for _, l := range y.lines() {
			_ = l.conn.Close()
		}
		for _, r := range y.receivers {
			<-r.done
		}
	})
	for i, p := range y.pubs {
		y.receivers[i%len(y.receivers)].tally.tracks[p.id] = &track{}
	}
	for _, r := range y.receivers {
		go r.run()
	}
	for i := range min(pacersMax, len(y.pubs)) {
		c := &pacer{start: y.start, book: &y.book, rate: &y.rate, now: &y.now, sent: &y.sent,
			held: &y.held, stop: y.stop}
		for j := i; j < len(y.pubs); j += min(pacersMax, len(y.pubs)) {
			c.pubs = append(c.pubs, y.pubs[j])
		}
		y.pacers = append(y.pacers, c)
		y.pacing.Go(c.run)
	}
	y.Cleanup(y.calm)
}

func (y *yard) receive(i int) error {
	l, err := dial(y.broker.MQTT, fmt.Sprintf("storm-r-%d", i))
	if err != nil {
		return err
	}
	y.receivers[i] = &receiver{line: l, start: y.start, book: &y.book, id: i,
		tally: newTally(&y.book, *swaps), done: make(chan struct{})}
	l.buf = make([]byte, 256<<10)
	return l.subscribe(fmt.Sprintf("storm/out/%d/#", i))
}

func (y *yard) publisher(i int) error {
	l, err := dial(y.broker.MQTT, publisherID(i))
	if err != nil {
		return err
	}
	raw, err := l.conn.(*net.TCPConn).SyscallConn()
	l.have, l.buf = nil, nil
	n := len(y.receivers)
	y.pubs[i] = &publisher{line: l, raw: raw, id: i, topic: topicOf(i, i%n),
		stray: topicOf(i+1, i%n)}
	return err
}

// lines are all connections.
func (y *yard) lines() (all []*line) {
	all = append(all, y.idle...)
	for _, p := range y.pubs {
		if p != nil {
			all = append(all, p.line)
		}
	}
	for _, r := range y.receivers {
		all = append(all, r.line)
	}
	return all
}

func (y *yard) must(err error) {
	y.Helper()
	if err != nil {
		y.Fatalf("%v\n%s", err, y.broker.Log())
	}
}

// calm ends all publishing; it may be called twice.
func (y *yard) calm() {
	select {
	case <-y.stop:
	default:
		close(y.stop)
	}
	y.pacing.Wait()
}

// during does something while what is sent belongs to a window.
func (y *yard) during(w window, do func()) {
	pid := y.broker.PID()
	before, sent, began := load.Used(pid), y.sent.Load(), time.Now()
	y.now.Store(int32(w))
	do()
	y.now.Store(int32(unmeasured))
	after, s := load.Used(pid), &y.spent[w]
	s.seconds += time.Since(began).Seconds()
	s.broker += after.Broker - before.Broker
	s.own += after.Own - before.Own
	s.sent += y.sent.Load() - sent
}

// wait lets some time pass, which is what is measured.
func (y *yard) wait(d time.Duration) {
	end := time.NewTimer(d)
	defer end.Stop()
	select {
	case <-end.C:
	case <-y.broker.Done():
		y.Fatalf("the broker ended:\n%s", y.broker.Log())
	case <-y.Context().Done():
	}
}

// drain waits until all that was sent is acknowledged and has arrived. It gives up when nothing
// comes any more.
func (y *yard) drain() {
	y.calm()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var had uint64
	for since := time.Now(); time.Since(since) < patience; <-tick.C {
		open, arrived, sent := y.settled()
		if open == 0 && arrived >= sent {
			return
		}
		if now := arrived + 1<<40 - open; now != had {
			had, since = now, time.Now()
		}
	}
}

// settled reads acknowledgements and counts. The pacers have ended.
func (y *yard) settled() (open, arrived, sent uint64) {
	for _, c := range y.pacers {
		for _, p := range c.pubs {
			c.settle(p)
			sent += p.seq
			if !p.over {
				open += p.open()
			}
		}
	}
	for _, r := range y.receivers {
		arrived += r.arrived.Load()
	}
	return open, arrived, sent
}

// alive asks every connection but the receivers' for a sign of life, and takes account of all.
func (y *yard) alive() {
	_ = each(len(y.idle), func(i int) error {
		if _, err := y.idle[i].ask([]byte{0xC0, 0}, mqtt.PINGRESP); err != nil {
			y.fault(disconnected, 1, "idle %d: %v", i, err)
		}
		return nil
	})
	_ = each(len(y.pubs), func(i int) error {
		p := y.pubs[i]
		if p.over {
			return nil
		}
		p.buf = make([]byte, 256)
		if _, err := p.ask([]byte{0xC0, 0}, mqtt.PINGRESP); err != nil {
			y.fault(disconnected, 1, "publisher %d: %v", i, err)
		}
		return nil
	})
}
