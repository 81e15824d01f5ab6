package app

import (
	"context"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/host/fault"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
)

// storeName is the folder of the store in the data folder.
const storeName = "store"

const (
	restoreBatch = 512 // sessions given to a loop at once
	restoreAhead = 16  // batches that wait for a loop
)

// openStore opens the store if there is a data folder, and answers the highest number of a session
// in it.
func (a *App) openStore(l *loops) (last uint32, err error) {
	dir := a.dataPath(storeName)
	if dir == "" {
		return 0, nil
	}
	if err := backup.Settle(a.data); err != nil {
		return 0, fmt.Errorf("app: %w", err)
	}
	if err := a.openBackups(); err != nil {
		return 0, err
	}
	cfg := diskConfig(&a.cfg, dir)
	cfg.Now = func() broker.Time { return broker.Time(a.now()) }
	cfg.Trouble = func(err error) { a.log.Error("app: store", "error", err) }
	if a.space != nil {
		cfg.Space = a.space
	}
	cfg.Create = a.segment
	d, rep, err := store.OpenDisk(cfg)
	if err != nil {
		return 0, fmt.Errorf("app: %w", err)
	}
	a.later("store", func(context.Context) error { return d.Close() })
	a.log.Debug("app: the store is open", "boot", rep.Boot, "replayed", rep.Journal.Records,
		"cut bytes", rep.Journal.CutBytes, "took", rep.Took)
	l.disk, a.openTook = d, rep.Took
	return d.LastSession()
}

// restore gives every kernel the sessions that the store kept for it, and waits until each knows
// what those of the others want. Nobody can connect yet.
func (a *App) restore(ctx context.Context) error {
	if a.loops.disk == nil {
		return nil
	}
	began := time.Now()
	a.loading(true)
	defer a.loading(false)
	r := newRestore(a.loops)
	if err := a.loops.disk.Sessions(r.take); err != nil {
		return fmt.Errorf("app: restore: %w", err)
	}
	for loop := range r.batch {
		r.give(loop)
	}
	fault.Point("open.restored")
	err := a.loops.Each(ctx, func(_ int, k *broker.Kernel, now broker.Time) { k.Restored(now) })
	if err == nil {
		err = a.settle(ctx)
	}
	if err != nil {
		return fmt.Errorf("app: restore: %w", err)
	}
	if bad := r.bad(); bad > 0 {
		a.log.Error("app: sessions could not be restored; they start anew", "sessions", bad)
	}
	a.log.Info("app: restored", "sessions", r.count, "retained", a.loops.retained(),
		"took", time.Since(began), "open took", a.openTook)
	if most := sessionsMax(&a.cfg); r.count > most {
		a.log.Warn("app: there are more sessions than sessions_max: nobody gets a new one until "+
			"enough have ended; raise it, or let them expire", "sessions", r.count,
			"sessions_max", most)
	}
	return nil
}

// settle waits until every kernel is ready.
func (a *App) settle(ctx context.Context) error {
	for {
		ready := make([]bool, a.loops.Loops())
		err := a.loops.Each(ctx, func(loop int, k *broker.Kernel, _ broker.Time) {
			ready[loop] = k.Ready()
		})
		if err != nil {
			return err
		}
		all := true
		for _, ok := range ready {
			all = all && ok
		}
		if all {
			return nil
		}
	}
}

// restoring gives sessions to loops, a batch at a time.
type restoring struct {
	loops *loops
	batch []*sleepers
	free  []chan *sleepers // of each loop, batches it is done with
	wrong []int            // of the loops
	count int
}

// sleepers are sessions on their way to a loop, with the memory their records are in.
type sleepers struct {
	list  []broker.Record
	bytes []byte
}

func newRestore(l *loops) *restoring {
	n := l.Loops()
	r := &restoring{loops: l, batch: make([]*sleepers, n), wrong: make([]int, n)}
	for loop := range n {
		free := make(chan *sleepers, restoreAhead)
		for range restoreAhead {
			free <- &sleepers{}
		}
		r.free, r.batch[loop] = append(r.free, free), <-free
	}
	return r
}

// take keeps a copy of a session for its loop.
func (r *restoring) take(rec broker.Record) error {
	loop := int(broker.Home(rec.Key, len(r.batch)))
	b := r.batch[loop]
	at := len(b.bytes)
	b.bytes = append(b.bytes, rec.Value...)
	rec.Value = b.bytes[at:len(b.bytes):len(b.bytes)]
	b.list = append(b.list, rec)
	r.count++
	if len(b.list) == restoreBatch {
		r.give(loop)
	}
	return nil
}

// give hands the batch of a loop over. It waits while the loop has many.
func (r *restoring) give(loop int) {
	b := r.batch[loop]
	r.loops.Post(loop, func(k *broker.Kernel, now broker.Time) {
		for i := range b.list {
			if err := k.Restore(now, &b.list[i]); err != nil {
				r.wrong[loop]++
			}
		}
		b.list, b.bytes = b.list[:0], b.bytes[:0]
		r.free[loop] <- b
	})
	select {
	case r.batch[loop] = <-r.free[loop]:
	case <-r.loops.closed:
		r.batch[loop] = &sleepers{}
	}
}

// bad is how many sessions were refused; no loop may be at it any more.
func (r *restoring) bad() int {
	n := 0
	for _, w := range r.wrong {
		n += w
	}
	return n
}
