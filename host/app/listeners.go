package app

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/shard"
	"github.com/hpmq/hpmq/lite/broker"
)

// door is an open listener.
type door struct {
	cfg configs.Listener
	// bind is cfg.Bind, but for the port if that was 0.
	bind string
}

// stays is true if the listener as next wants it needs no other socket.
func (d *door) stays(next *configs.Listener) bool {
	return (next.Bind == d.cfg.Bind || next.Bind == d.bind) && next.Limits == d.cfg.Limits
}

// Listening is where a listener was opened.
type Listening struct {
	Name string
	// Bind is as configured, but for the port if that was 0.
	Bind string
	// Address is host:port.
	Address string
}

// openListeners links and opens all listeners of the configuration.
func (a *App) openListeners(ctx context.Context) error {
	a.change.Lock()
	defer a.change.Unlock()
	for i := range a.cfg.Listeners {
		if err := a.addLocked(ctx, a.cfg.Listeners[i]); err != nil {
			return err
		}
	}
	return nil
}

// Listening answers where the node listens, in the order the listeners were opened.
func (a *App) Listening() []Listening {
	views := a.loops.Listeners()
	out := make([]Listening, 0, len(views))
	for _, v := range views {
		l := Listening{Name: v.Name, Bind: v.Address}
		if b, err := configs.ParseBind(v.Address); err == nil {
			l.Address = b.Address()
		}
		out = append(out, l)
	}
	return out
}

// addLocked links a listener, then opens it. On an error nothing is left of it.
func (a *App) addLocked(ctx context.Context, l configs.Listener) error {
	if a.doors[l.Name] != nil {
		return fmt.Errorf("app: listener %s: %w", l.Name, errTaken)
	}
	spec, err := specOf(&l.Link)
	if err != nil {
		return fmt.Errorf("app: listener %s: %w", l.Name, err)
	}
	if err := a.linker.Link(ctx, l.Name, spec); err != nil {
		return err
	}
	if err := a.bindLocked(l); err != nil {
		return errors.Join(err, a.linker.Unlink(l.Name))
	}
	return nil
}

// bindLocked opens the socket of a listener that is linked.
func (a *App) bindLocked(l configs.Listener) error {
	kernels := make(generation, a.loops.Loops())
	limits := kernelLimits(&l.Limits)
	for loop := range kernels {
		kernels[loop] = &broker.Listener{
			Name:   l.Name,
			Auth:   a.linker.Authenticator(l.Name, loop, a.loops.answerer(loop)),
			Policy: a.linker.Policy(l.Name, loop),
			Limits: limits,
		}
	}
	addr, err := a.loops.AddListener(
		shard.ListenerConfig{Name: l.Name, Bind: l.Bind, Limits: socketLimits(&l.Limits)},
		func(loop int) *broker.Listener { return kernels[loop] })
	if err != nil {
		return &BindError{Who: "listener " + l.Name, Bind: l.Bind, Err: err}
	}
	a.loops.note(l.Name, kernels)
	a.doors[l.Name] = &door{cfg: l, bind: boundAt(l.Bind, addr)}
	return nil
}

// boundAt is bind with the port that addr has.
func boundAt(bind string, addr net.Addr) string {
	b, err := configs.ParseBind(bind)
	tcp, ok := addr.(*net.TCPAddr)
	if err != nil || !ok {
		return bind
	}
	if b.Port = uint16(tcp.Port); b.Host != "" {
		b.Host = tcp.AddrPort().Addr().String()
	}
	return b.String()
}

// unbindLocked closes the socket of a listener. Its connections go on, judged by its link.
func (a *App) unbindLocked(name string) error {
	if err := a.loops.RemoveListener(name, false); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	delete(a.doors, name)
	return nil
}

// dropLocked ends the connections of a listener whose socket is closed, then its link: in that
// order, for without a link all is allowed.
func (a *App) dropLocked(ctx context.Context, name string) error {
	if err := a.loops.drop(ctx, name); err != nil {
		return fmt.Errorf("app: listener %s: %w", name, err)
	}
	if err := a.linker.Unlink(name); err != nil {
		return fmt.Errorf("app: listener %s: %w", name, err)
	}
	return nil
}

// removeLocked closes a listener. With drop its connections end and so does its link, also later,
// when the socket is closed already; without drop both stay.
func (a *App) removeLocked(ctx context.Context, name string, drop bool) error {
	open := a.doors[name] != nil
	if !open && (!drop || a.loops.newest(name) == nil) {
		return fmt.Errorf("app: listener %s: %w", name, errUnknown)
	}
	if open {
		if err := a.unbindLocked(name); err != nil {
			return err
		}
	}
	if drop {
		return a.dropLocked(ctx, name)
	}
	return nil
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
	}
	return host, port
}
