package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/shard"
	"github.com/hpmq/hpmq/host/websocket"
	"github.com/hpmq/hpmq/lite/broker"
)

// door is a listener from the moment it is added until its last connection has left. All of it is
// guarded by App.change.
type door struct {
	cfg configs.Listener
	// n counts the doors of the node, in the order they were added.
	n int
	// key is the name of its link. It is that of the listener, or another while the link of one
	// that was removed, with connections left, still has that.
	key string
	// id is by what operators know it once it is removed, NAME~1; before, it is empty.
	id string
	// how is what becomes of its connections once it is removed.
	how string
	// socket is what the gate knows its open socket by; bind is where that listens, opened how it
	// was named.
	socket, bind, opened string
	// file is the unix socket as it was made, nil if it is none.
	file fs.FileInfo
	// keys are its certificates, nil without TLS.
	keys *keys
	// marks are of what the last changeover linked, by since when it is.
	marks map[time.Time]mark
	// eras are those with connections, and the one that is offered, which is the last.
	eras []*era
	// halt ends a drain that is under way.
	halt context.CancelFunc
}

// era is what a door offers between two changes of it. Connections live on in that they came by.
type era struct {
	kernels []*broker.Listener // by loop
	codecs  []*link.Codec      // by loop
	tally   *gate.Tally
}

// name is by what operators know it.
func (d *door) name() string {
	if d.id != "" {
		return d.id
	}
	return d.cfg.Name
}

// stays is true if the listener as next wants it needs no other socket.
func (d *door) stays(next *configs.Listener) bool {
	return (next.Bind == d.cfg.Bind || next.Bind == d.bind) && next.SocketMode == d.cfg.SocketMode
}

// connections is how many there are by all of its eras.
func (d *door) connections() int {
	n := 0
	for _, e := range d.eras {
		n += e.tally.Connections()
	}
	return n
}

// boundAt is bind with the port that addr has.
func boundAt(bind string, addr net.Addr) string {
	b, err := configs.ParseBind(bind)
	tcp, ok := addr.(*net.TCPAddr)
	if err != nil || !ok {
		return bind
	}
	if b.Port = uint16(tcp.Port); b.Host != "" {
		b.Host = tcp.AddrPort().Addr().Unmap().String()
	}
	return b.String()
}

// eraLocked makes the era of d as cfg has it.
func (a *App) eraLocked(d *door, cfg *configs.Listener) (*era, error) {
	policy, err := a.policies(d, cfg)
	if err != nil {
		return nil, err
	}
	loops := a.loops.Loops()
	e := &era{
		kernels: make([]*broker.Listener, loops), codecs: make([]*link.Codec, loops),
	}
	limits := kernelLimits(&cfg.Limits)
	for loop := range e.kernels {
		e.kernels[loop] = &broker.Listener{
			Name:   cfg.Name,
			Auth:   a.linker.Authenticator(d.key, loop, a.loops.answerer(loop)),
			Policy: policy(loop), Presence: a.linker.Presence(d.key),
			Limits: limits, Durability: durability(cfg.Limits.Durability),
		}
		e.codecs[loop] = a.linker.Codec(d.key, loop)
	}
	e.tally = gate.NewTally(func() { go a.eraGone(d, e) })
	return e, nil
}

// eraGone lets go of an era without connections, and of its door if that was the last of one that
// was removed.
func (a *App) eraGone(d *door, e *era) {
	a.change.Lock()
	defer a.change.Unlock()
	d.eras = slices.DeleteFunc(d.eras, func(x *era) bool { return x == e })
	if d.id == "" || len(d.eras) > 0 || a.left[d.id] != d {
		return
	}
	if err := a.freeLocked(context.Background(), d, nil); err != nil {
		a.log.Error("app: let go of a listener", "listener", d.id, "error", err)
		return
	}
	a.log.Info("app: the last connection of a removed listener has left", "listener", d.id)
}

// freeLocked ends what a removed door holds. The connections of its eras are gone, or first ends
// them: it is called on each loop before the kernel forgets them.
func (a *App) freeLocked(
	ctx context.Context, d *door, first func(loop int, k *broker.Kernel, now broker.Time),
) error {
	if d.halt != nil {
		d.halt()
	}
	delete(a.left, d.id)
	a.places.drop(d.id)
	a.loops.forget(d.key)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	eras := d.eras
	err := a.loops.Each(ctx, func(loop int, k *broker.Kernel, now broker.Time) {
		if first != nil {
			first(loop, k, now)
		}
		for _, e := range eras {
			k.ForgetListener(e.kernels[loop])
		}
	})
	if errors.Is(err, shard.ErrClosed) {
		return nil // the links end with the node
	}
	if a.redactors != nil {
		err = errors.Join(err, ignoreUnknown(a.redactors.Unlink(d.key)))
	}
	// After the loops: without a link the connections would be judged by none.
	return errors.Join(err, a.linker.Unlink(d.key))
}

// socketConfig is what the gate is told of cfg.
func (d *door) socketConfig(cfg *configs.Listener, e *era) shard.ListenerConfig {
	c := shard.ListenerConfig{
		Name: d.socket, Bind: d.opened, Limits: socketLimits(&cfg.Limits), Tally: e.tally,
		SocketMode: socketMode(cfg),
	}
	b, err := configs.ParseBind(cfg.Bind)
	if err != nil {
		return c // the gate says so too
	}
	if s := cfg.Secure; s != nil {
		c.TLS = &gate.TLS{
			Config: d.keys.TLS, HandshakeTimeout: s.HandshakeTimeout.Std(),
			HandshakesMax: s.HandshakesMax, HandshakesPerSourceMax: s.HandshakesPerSourceMax,
		}
	}
	if w := cfg.WebSocketOf(); b.WebSocket() {
		c.WebSocket = webSocket(&w, b)
	} else {
		c.Codec = e.codec
	}
	if p := cfg.Proxy; p != nil && len(p.Trusted) > 0 {
		trusted, unix := p.Prefixes()
		c.Proxy = proxy(trusted, unix, p)
	}
	return c
}

// webSocket lets in, on an address of loopback, only pages of this machine, unless others are
// named: any page in a browser here can connect to it, and clients from here need no password.
func webSocket(w *configs.WebSocket, b configs.Bind) *gate.WebSocket {
	origins := w.Origins
	if len(origins) == 0 && b.Loopback() {
		origins = []string{websocket.Loopback}
	}
	return &gate.WebSocket{Path: w.Path, Origins: origins}
}

// headersMax is how many connections may be awaited for their PROXY header at once: each is a
// goroutine of some kilobytes.
const headersMax = 1024

func proxy(trusted []netip.Prefix, unix bool, p *configs.Proxy) *gate.Proxy {
	return &gate.Proxy{
		Trusted: trusted, Unix: unix, Timeout: p.Timeout.Std(), HeadersMax: headersMax,
	}
}

// socketMode is 0 for what is no unix socket.
func socketMode(cfg *configs.Listener) fs.FileMode {
	b, err := configs.ParseBind(cfg.Bind)
	if err != nil || b.Scheme != configs.Unix {
		return 0
	}
	text := cfg.SocketMode
	if text == "" {
		text = configs.DefaultSocketMode
	}
	mode, err := strconv.ParseUint(text, 8, 16)
	if err != nil {
		return 0
	}
	return fs.FileMode(mode)
}

// renamed puts the name operators use into a refusal of the linker.
func renamed(err error, key, name string) error {
	var step *link.StepError
	if key == name || !errors.As(err, &step) {
		return err
	}
	named := *step
	named.Listener = name
	return &named
}

// free answers name, or the first of name#2, name#3 and so on, that is not taken.
func free(name string, taken func(string) bool) string {
	key := name
	for n := 2; taken(key); n++ {
		key = fmt.Sprintf("%s#%d", name, n)
	}
	return key
}

// linkKeyLocked answers a name for the link of a new door.
func (a *App) linkKeyLocked(name string) string {
	return free(name, func(key string) bool {
		for _, d := range a.left {
			if d.key == key {
				return true
			}
		}
		for _, d := range a.doors {
			if d.key == key {
				return true
			}
		}
		return false
	})
}

// socketKeyLocked answers a name for a new socket.
func (a *App) socketKeyLocked(name string) string {
	views := a.loops.Listeners()
	return free(name, func(key string) bool {
		return slices.ContainsFunc(views, func(v shard.View) bool { return v.Name == key })
	})
}
