package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
)

// remember gives kv and history what the store kept of them, and has it keep what changes. There
// are no guests yet. It takes as long as reading what they hold, which is bounded by their limits.
func (a *App) remember() error {
	l := a.loops
	if l.disk == nil {
		return nil
	}
	began := time.Now()
	a.caps.kv.Keep(kvKeeper{l})
	a.caps.history.Keep(historyKeeper{l})
	l.disk.Settle(a.settleNote)
	keys, now := 0, a.now()
	err := l.disk.Notes(store.NoteKV, func(n store.Note) error {
		if component, schema, ok := n.Schema(); ok {
			a.caps.kv.LoadSchema(component, schema)
			return nil
		}
		keys++
		a.caps.kv.Load(now, kv.Note{
			Space: n.Space, Key: n.Key, Counter: n.Counter, N: n.N, Value: n.Value,
			Expire: int64(n.Expire), TTL: n.TTL,
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("app: remember: %w", err)
	}
	topics, err := a.rememberHistory()
	if err != nil {
		return fmt.Errorf("app: remember: %w", err)
	}
	if keys+topics > 0 {
		a.log.Info("app: components remember", "keys", keys, "topics", topics,
			"took", time.Since(began))
	}
	return nil
}

// rememberHistory loads the last payloads of the listeners there are. Those of others are dropped,
// as they are when a listener is removed.
func (a *App) rememberHistory() (topics int, err error) {
	known := make(map[string]bool)
	for i := range a.cfg.Listeners {
		known[a.cfg.Listeners[i].Name] = true
	}
	dropped := make(map[string]bool)
	d := a.loops.disk
	err = d.Notes(store.NoteHistory, func(n store.Note) error {
		if known[n.Space] {
			topics++
			a.caps.history.Load(history.Note{Listener: n.Space, Topic: n.Key, Payload: n.Value})
		} else if !dropped[n.Space] {
			dropped[n.Space] = true
			d.Note(&store.Note{Kind: store.NoteHistory, Space: n.Space, Gone: true, Whole: true})
		}
		return nil
	})
	return topics, err
}

// settleNote brings what became of a note to whose it is.
func (a *App) settleNote(n *store.Note, kept bool) {
	if n.Kind == store.NoteHistory {
		a.caps.history.Settle(
			history.Note{Listener: n.Space, Topic: n.Key, Change: n.Change}, kept)
		return
	}
	a.caps.kv.Settle(kv.Note{Space: n.Space, Key: n.Key, Change: n.Change}, kept)
}

// noteOn keeps n with the next write of the kernel on that loop, or soon. The answer is nil if n
// stays whatever becomes of that.
func (l *loops) noteOn(loop int, n *store.Note) *store.Fate {
	if loop < 0 {
		l.disk.Note(n)
		return nil
	}
	return l.views[loop].Note(n)
}

// kvKeeper is kv.Keeper.
type kvKeeper struct{ *loops }

func (k kvKeeper) Room() bool { return k.disk.Room() }

func (k kvKeeper) Note(loop int, n kv.Note) any {
	stored := storedNote(&n)
	f := k.noteOn(loop, &stored)
	if f == nil {
		return nil
	}
	return f
}

// storedNote is n as the store has it.
func storedNote(n *kv.Note) store.Note {
	if n.Schema {
		return store.SchemaNote(n.Space, uint32(n.N))
	}
	return store.Note{
		Kind: store.NoteKV, Space: n.Space, Key: n.Key, Gone: n.Gone, Counter: n.Counter, N: n.N,
		Value: n.Value, Expire: broker.Time(n.Expire), TTL: n.TTL, Change: n.Change,
	}
}

func (k kvKeeper) Keep(notes []kv.Note) error {
	list := make([]store.Note, len(notes))
	for i := range notes {
		list[i] = storedNote(&notes[i])
	}
	err := k.disk.Keep(list)
	if errors.Is(err, store.ErrGroup) {
		return fmt.Errorf("%w: %w", kv.ErrBusy, err)
	}
	return err
}

func (k kvKeeper) Saw(loop int, fate any) {
	if f, ok := fate.(*store.Fate); ok && loop >= 0 {
		k.views[loop].Saw(f)
	}
}

// historyKeeper is history.Keeper.
type historyKeeper struct{ *loops }

func (k historyKeeper) Room() bool { return k.disk.Room() }

func (k historyKeeper) Note(loop int, n history.Note) bool {
	return k.noteOn(loop, &store.Note{
		Kind: store.NoteHistory, Space: n.Listener, Key: n.Topic, Gone: n.Gone, Value: n.Payload,
		Change: n.Change,
	}) == nil
}
