package app

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// operator answers the admin API: it is all that an admin.Broker has.
type operator struct{ *App }

// Status is admin.Node.
func (o *operator) Status(ctx context.Context) (client.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	st, err := o.loops.Stats(ctx)
	if err != nil {
		return client.Status{}, fmt.Errorf("app: status: %w", err)
	}
	s := client.Status{
		Version: Version(), Node: o.name, Started: o.started.UTC().Truncate(time.Second),
		UptimeSeconds: int64(time.Since(o.started) / time.Second),
		Platform:      runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		DataDir:       o.data, Loops: o.loops.Loops(), Alarms: o.alarms.list(),
	}
	for i := range st.Kernels {
		addTotals(&s.Totals, &st.Kernels[i])
	}
	return s, nil
}

// Alarms is admin.Node.
func (o *operator) Alarms(context.Context) ([]client.Alarm, error) { return o.alarms.list(), nil }

func addTotals(t *client.Totals, k *broker.Stats) {
	t.Connections += k.Connections
	t.ConnectionsTotal += k.ConnectionsTotal
	t.Sessions += k.Sessions
	t.Subscriptions += k.Subscriptions
	t.Queued += k.Queued
	t.QueuedBytes += k.QueuedBytes
	t.PacketsReceived += k.PacketsReceived
	t.MessagesReceived += k.MessagesReceived
	t.MessagesSent += k.MessagesSent
	t.DroppedSlow += k.DroppedSlow
	t.DroppedQueue += k.DroppedQueue
	t.DroppedTotal += k.DroppedTotal
	t.DroppedOldest += k.DroppedOldest
	t.Rejected += k.Rejected
	t.DroppedSize += k.DroppedSize
	t.DroppedExpired += k.DroppedExpired
	t.DroppedPolicy += k.DroppedPolicy
	t.Suppressed += k.Suppressed
	t.Denied += k.Denied
}

// Sessions is admin.Sessions. Each loop brings its first few, so that the cost of an answer does
// not grow with the number of clients beyond one look at each.
func (o *operator) Sessions(
	ctx context.Context, after string, limit int,
) ([]client.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var mu sync.Mutex
	var all []client.Session
	err := o.loops.Each(ctx, func(_ int, k *broker.Kernel, _ broker.Time) {
		mine := firstSessions(k, after, limit)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, mine...)
	})
	if err != nil {
		return nil, fmt.Errorf("app: clients: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	slices.SortFunc(all, byClientID)
	return all[:min(limit, len(all))], nil
}

func byClientID(a, b client.Session) int { return cmp.Compare(a.ClientID, b.ClientID) }

// firstSessions answers the limit first sessions of k after the given client id. It keeps at most
// twice as many at hand.
func firstSessions(k *broker.Kernel, after string, limit int) []client.Session {
	var out []client.Session
	cut := func() {
		slices.SortFunc(out, byClientID)
		out = out[:min(limit, len(out))]
	}
	k.Clients(func(v broker.ClientView) bool {
		if v.ClientID <= after {
			return true
		}
		out = append(out, client.Session{
			ClientID: v.ClientID, Username: v.Username, Address: v.Address, Listener: v.Listener,
			Version: int(v.Version), Connected: v.Connected, Subscriptions: v.Subscriptions,
			Queued: v.Queued, Inflight: v.Inflight,
		})
		if len(out) >= 2*limit {
			cut()
		}
		return true
	})
	cut()
	return out
}

// Kick is admin.Sessions.
func (o *operator) Kick(ctx context.Context, clientID string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found := make(chan struct{}, o.loops.Loops())
	err := o.loops.Each(ctx, func(_ int, k *broker.Kernel, now broker.Time) {
		if k.Kick(now, clientID, mqtt.AdministrativeAction) {
			found <- struct{}{}
		}
	})
	if err != nil {
		return fmt.Errorf("app: kick: %w", err)
	}
	if len(found) == 0 {
		return fmt.Errorf("app: kick: client %q is not connected: %w", clientID, errUnknown)
	}
	o.log.Info("app: client disconnected by an operator", "client", clientID)
	return nil
}
