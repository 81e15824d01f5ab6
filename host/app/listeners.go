package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/shard"
	"github.com/hpmq/hpmq/lite/broker"
)

// Listening is where a listener was opened.
type Listening struct {
	Name string
	// Bind is as configured, but for the port if that was 0.
	Bind string
	// Address is host:port, or the path of a unix socket.
	Address string
}

// openListeners links and opens all listeners of the configuration.
func (a *App) openListeners(ctx context.Context) error {
	a.change.Lock()
	defer a.change.Unlock()
	c := &changeover{app: a}
	for i := range a.cfg.Listeners {
		c.want(a.cfg.Listeners[i])
	}
	c.fresh = true // nothing is there that a refusal could harm
	if err := c.run(ctx); err != nil {
		return err
	}
	if err := a.forgetStrangers(); err != nil {
		return err
	}
	a.sweepPulledLocked()
	err := a.loops.Each(ctx, func(_ int, k *broker.Kernel, now broker.Time) { k.Begin(now) })
	if err == nil {
		a.log.Info("app: accepting", "listeners", len(a.doors), "since start",
			time.Since(a.started))
	}
	return err
}

// Listening answers where the node listens, in the order the listeners were added.
func (a *App) Listening() []Listening {
	a.change.Lock()
	defer a.change.Unlock()
	doors := slices.SortedFunc(maps.Values(a.doors), func(x, y *door) int {
		return cmp.Compare(x.n, y.n)
	})
	out := make([]Listening, 0, len(doors))
	for _, d := range doors {
		l := Listening{Name: d.cfg.Name, Bind: d.bind}
		if b, err := configs.ParseBind(d.bind); err == nil {
			l.Address = b.Address()
		}
		out = append(out, l)
	}
	return out
}

// openSocketLocked opens the socket of a door that is linked, where cfg says.
func (a *App) openSocketLocked(d *door, cfg *configs.Listener) error {
	e, err := a.eraLocked(d, cfg)
	if err != nil {
		return err
	}
	was := *d
	d.socket, d.opened = a.socketKeyLocked(cfg.Name), cfg.Bind
	addr, err := a.loops.AddListener(d.socketConfig(cfg, e), e.kernel)
	if err != nil {
		d.socket, d.opened = was.socket, was.opened
		return &BindError{Who: "listener " + cfg.Name, Bind: cfg.Bind, Err: err}
	}
	d.bind = boundAt(cfg.Bind, addr)
	d.file = socketFile(d.bind)
	a.offerLocked(d, e)
	return nil
}

// updateLocked changes what the open socket of d offers.
func (a *App) updateLocked(d *door, cfg *configs.Listener) error {
	e, err := a.eraLocked(d, cfg)
	if err != nil {
		return err
	}
	if err := a.loops.UpdateListener(d.socketConfig(cfg, e), e.kernel); err != nil {
		return fmt.Errorf("app: listener %s: %w", cfg.Name, err)
	}
	a.offerLocked(d, e)
	return nil
}

func (a *App) offerLocked(d *door, e *era) {
	d.eras = append(d.eras, e)
	a.loops.note(d.key, e.kernels)
	for loop, l := range e.kernels {
		a.loops.Post(loop, func(k *broker.Kernel, _ broker.Time) { k.Serve(l) })
	}
}

func (e *era) kernel(loop int) *broker.Listener { return e.kernels[loop] }

// codec is gate.ListenerConfig.Codec: whoever comes while no codec is linked speaks MQTT.
func (e *era) codec(loop int) gate.Codec {
	if c := e.codecs[loop]; c.Linked() {
		return c.Conn()
	}
	return nil
}

// closeSocketLocked closes the socket of a door. Its connections go on, judged by its link.
func (a *App) closeSocketLocked(d *door) error {
	if d.socket == "" {
		return nil
	}
	if err := a.loops.RemoveListener(d.socket, false); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	d.socket = ""
	return nil
}

// findLocked answers the open listener of that name, else those that were removed under it or have
// it as their id.
func (a *App) findLocked(name string) []*door {
	if d := a.doors[name]; d != nil {
		return []*door{d}
	}
	if d := a.left[name]; d != nil {
		return []*door{d}
	}
	var out []*door
	for _, id := range slices.Sorted(maps.Keys(a.left)) {
		if d := a.left[id]; d.cfg.Name == name {
			out = append(out, d)
		}
	}
	return out
}

// viewOf answers what the gate shows of the socket of d.
func viewOf(views []shard.View, d *door) shard.View {
	for _, v := range views {
		if d.socket != "" && v.Name == d.socket {
			return v
		}
	}
	return shard.View{}
}

// Reach answers the host and port by which a client on this machine reaches an address that was
// opened: one that means every address is reached by loopback.
func Reach(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address, ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return host, port
}
