package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// The alarms there are. Each has a retained message below alarmTopic while it lasts.
const (
	alarmStorageFull    = "storage_full"
	alarmStorageFailing = "storage_failing"
	alarmRetainedFull   = "retained_full"
	alarmQueuesFull     = "queues_full"

	alarmTopic = "$SYS/broker/alarms/"
	alarmEvery = time.Second
)

// alarms are what an operator must see to.
type alarms struct {
	mu  sync.Mutex
	now map[string]client.Alarm
}

// list answers what lasts, by name.
func (x *alarms) list() []client.Alarm {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := slices.Collect(maps.Values(x.now))
	slices.SortFunc(list, func(a, b client.Alarm) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// set takes note that an alarm lasts, or not, and says if that is new.
func (x *alarms) set(name string, on bool, text string) (client.Alarm, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a, was := x.now[name]
	switch {
	case on == was:
		return a, false
	case on:
		a = client.Alarm{Name: name, Since: time.Now().UTC().Truncate(time.Second), Text: text}
		x.now[name] = a
	default:
		delete(x.now, name)
	}
	return a, true
}

func (x *alarms) has(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.now[name]
	return ok
}

// openAlarms begins to look for what an operator must see to.
func (a *App) openAlarms(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(alarmEvery)
		defer ticker.Stop()
		for ctx.Err() == nil {
			a.watch(ctx)
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	}()
	a.later("alarms", func(context.Context) error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// watch looks once.
func (a *App) watch(ctx context.Context) {
	if d := a.loops.disk; d != nil {
		st := d.Stats()
		a.alarm(alarmStorageFull, st.LowSpace, fmt.Sprintf("%d bytes are free where the data "+
			"folder is: nothing new is kept until there is more", st.FreeBytes))
		a.alarm(alarmStorageFailing, st.Failing && !st.LowSpace, "the device of the data folder "+
			"fails: what must be kept is refused until it works; the log says how")
	}
	a.alarm(alarmRetainedFull, a.above(alarmRetainedFull, a.loops.retained(),
		a.cfg.RetainedMessagesMax), "as many messages are retained as retained_messages_max "+
		"allows: those on new topics are refused")
	st, err := a.loops.Stats(ctx)
	if err != nil {
		return
	}
	full := false
	messages := share(int64(a.cfg.QueuedMessagesMax), len(st.Kernels))
	bytes := share(int64(a.cfg.QueuedBytesMax), len(st.Kernels))
	for i := range st.Kernels {
		k := &st.Kernels[i]
		full = full || a.above(alarmQueuesFull, k.Queued, messages) ||
			a.above(alarmQueuesFull, k.QueuedBytes, bytes)
	}
	a.alarm(alarmQueuesFull, full, "as much waits for sessions as queued_messages_max or "+
		"queued_bytes_max allows: queue_policy says what becomes of more")
}

// above is true from the bound on, and then until a tenth of it is free again.
func (a *App) above(name string, n, bound int) bool {
	if a.alarms.has(name) {
		bound -= bound / 10
	}
	return bound > 0 && n >= bound
}

// alarm tells what is new of an alarm: the log, and who has subscribed. An empty payload ends it.
func (a *App) alarm(name string, on bool, text string) {
	x, changed := a.alarms.set(name, on, text)
	switch {
	case !changed:
		return
	case on:
		a.log.Warn("app: alarm", "name", name, "text", text)
		if b, err := json.Marshal(x); err == nil {
			a.loops.tell(alarmTopic+name, b)
		}
	default:
		a.log.Info("app: alarm over", "name", name, "since", x.Since)
		a.loops.tell(alarmTopic+name, nil)
	}
}
