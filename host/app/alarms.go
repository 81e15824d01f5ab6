package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/client"
)

// The alarms there are. Each has a retained message below alarmTopic while it lasts.
const (
	alarmStorageFull    = "storage_full"
	alarmStorageFailing = "storage_failing"
	alarmStorageDamaged = "storage_damaged"
	alarmRetainedFull   = "retained_full"
	alarmQueuesFull     = "queues_full"
	alarmLogAside       = "log_set_aside"
	alarmLogDamaged     = "log_damaged"
	alarmLogFull        = "log_full"
	alarmLogFailing     = "log_failing"
	alarmChanges        = "changes_failing"
	alarmComponent      = "component_failing"

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
	list := slices.AppendSeq([]client.Alarm{}, maps.Values(x.now)) // never null in JSON
	slices.SortFunc(list, func(a, b client.Alarm) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// set takes note that an alarm lasts, or not, and says if that is new.
func (x *alarms) set(name string, on bool, text string) (client.Alarm, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a, was := x.now[name]
	switch {
	case on && was:
		a.Text = text // its numbers are those of now
		x.now[name] = a
		return a, false
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

// unlogged says of which listeners the device does not take the message log, and why.
type unlogged struct {
	mu  sync.Mutex
	now map[string]error
}

func (x *unlogged) set(listener string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err == nil {
		delete(x.now, listener)
		return
	}
	if x.now == nil {
		x.now = make(map[string]error)
	}
	x.now[listener] = err
}

// list answers the names of those that have no room, and of those whose device fails otherwise.
func (x *unlogged) list() (full, failing []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, err := range x.now {
		if errors.Is(err, msglog.ErrSpace) || errors.Is(err, syscall.ENOSPC) {
			full = append(full, name)
		} else {
			failing = append(failing, name)
		}
	}
	slices.Sort(full)
	slices.Sort(failing)
	return full, failing
}

// openAlarms begins to look for what an operator must see to.
func (a *App) openAlarms(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	// A reload, which may run beside, changes none of these.
	b := bounds{
		a.cfg.RetainedMessagesMax, a.cfg.QueuedMessagesMax, int64(a.cfg.QueuedBytesMax),
	}
	go func() {
		defer close(ended)
		ticker := time.NewTicker(alarmEvery)
		defer ticker.Stop()
		for ctx.Err() == nil {
			a.watch(ctx, b)
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

// bounds are those whose reach is an alarm.
type bounds struct {
	retained, queued int
	queuedBytes      int64
}

// watch looks once.
func (a *App) watch(ctx context.Context, b bounds) {
	if d := a.loops.disk; d != nil {
		st := d.Stats()
		a.alarm(alarmStorageFull, st.LowSpace, fmt.Sprintf("%d bytes are free where the data "+
			"folder is: nothing new is kept until there is more", st.FreeBytes))
		a.alarm(alarmStorageDamaged, st.Damaged > 0, fmt.Sprintf("%d places of the store cannot "+
			"be read, one is %s; all else goes on. Put a backup in its place (hpmq-cli store "+
			"restore), or save the rest (hpmq-cli store export --skip-damaged)", st.Damaged,
			st.DamagedFirst))
		a.alarm(alarmStorageFailing, st.Failing && !st.LowSpace, "the device of the data folder "+
			"fails: what must be kept is refused until it works; the log says how")
	}
	full, failing := a.unlogged.list()
	a.alarm(alarmLogFull, len(full) > 0, "there is no room for the message log of "+
		strings.Join(full, ", ")+": messages go unlogged and are counted until there is")
	a.alarm(alarmLogFailing, len(failing) > 0, "the device of the message log of "+
		strings.Join(failing, ", ")+" fails: messages go unlogged and are counted until it works; "+
		"the log of the broker says how")
	a.alarm(alarmRetainedFull, a.above(alarmRetainedFull, a.loops.retained(),
		b.retained), "as many messages are retained as retained_messages_max "+
		"allows: those on new topics are refused")
	a.alarm(alarmLogAside, a.logAside.Load() > 0, fmt.Sprintf("%d files of the message log are "+
		"of a newer version and set aside until the next start; the log names them",
		a.logAside.Load()))
	a.alarm(alarmLogDamaged, a.logDamaged.Load() > 0, fmt.Sprintf("%d files of the message log "+
		"are damaged: what is behind the damage is not found", a.logDamaged.Load()))
	a.watchChanges()
	resting := a.resting()
	a.alarm(alarmComponent, len(resting) > 0, "components fail so often that they are given a "+
		"rest, and on_fault of their entries answers for them: "+strings.Join(resting, ", ")+
		". hpmq-cli link doctor says why, and what to do")
	st, err := a.loops.Stats(ctx)
	if err != nil {
		return
	}
	queues := false
	messages := share(int64(b.queued), len(st.Kernels))
	bytes := share(b.queuedBytes, len(st.Kernels))
	for i := range st.Kernels {
		k := &st.Kernels[i]
		queues = queues || a.above(alarmQueuesFull, k.Queued, messages) ||
			a.above(alarmQueuesFull, k.QueuedBytes, bytes)
	}
	a.alarm(alarmQueuesFull, queues, "as much waits for sessions as queued_messages_max or "+
		"queued_bytes_max allows: queue_policy says what becomes of more")
}

// watchChanges looks whether changes can be kept, and whether what happened could be.
func (a *App) watchChanges() {
	err := a.changes.machine.Failing()
	if err == nil {
		a.alarm(alarmChanges, false, "")
		return
	}
	text := fmt.Sprintf("%v; new changes and swaps are refused until it can, what is linked "+
		"serves on. Look at the device of the data folder", err)
	if lost := a.changes.machine.Unrecorded("", ""); lost != "" {
		text += ". What was rolled back meanwhile is " + lost
	}
	a.alarm(alarmChanges, true, text)
}

// resting are the components whose breaker is not closed, as LISTENER ROLE[POSITION] NAME.
func (a *App) resting() (list []string) {
	names := a.places.names()
	for _, l := range a.linker.Show() {
		name, ok := names[l.Listener]
		for i := range l.Components {
			c := &l.Components[i]
			if ok && c.Breaker != wasm.BreakerClosed.String() {
				list = append(list, fmt.Sprintf("%s %s[%d] %s", name, c.Role, c.Position, c.Name))
			}
		}
	}
	slices.Sort(list)
	return list
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
