package sim

import (
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// kill ends all kernels at once, as a power cut would, and starts new ones over what the store has.
func (w *world) kill() {
	if w.calm || w.err != nil {
		return
	}
	w.trace("killed")
	w.count.Kills++
	w.gen++
	w.store.kill()
	for _, s := range w.sockets {
		if !s.over {
			s.over = true
		}
		if !s.cut {
			s.cut = true
			if s == s.client.sock {
				s.client.again(s)
			}
		}
	}
	w.sockets = nil
	w.kernels = nil
	w.start()
}

// start makes the kernels, with the sessions that the store has. Nobody is let in before every
// kernel knows what the sessions of the others want.
func (w *world) start() {
	n := len(w.links)
	sessions := w.store.live.sessions()
	highest := uint32(0)
	for _, r := range sessions {
		highest = max(highest, r.Num)
	}
	for i := range n {
		cfg := broker.Default()
		cfg.Self, cfg.Peers, cfg.Seed = broker.PeerID(i), n, w.rnd.Uint64()
		cfg.Durable, cfg.Boot, cfg.Numbers = w.durable, w.store.boot, highest
		if w.guests != nil {
			w.guests.note(i, &cfg)
		}
		w.kernels = append(w.kernels, broker.New(cfg, shelf{w.store, i}, peers{w, i}))
	}
	for _, r := range sessions {
		k := w.kernels[broker.Home(r.Key, n)]
		if err := k.Restore(w.now, &r); err != nil {
			w.fail("%s: %v", r.Key, err)
		}
		k.Serve(w.lis)
	}
	for _, k := range w.kernels {
		k.Restored(w.now)
	}
	w.down = true
	w.open()
}

// open lets clients in as soon as the kernels are ready.
func (w *world) open() {
	for _, k := range w.kernels {
		if !k.Ready() {
			gen := w.gen
			w.after(1, func() {
				if gen == w.gen {
					w.open()
				}
			})
			return
		}
	}
	w.down = false
	for _, k := range w.kernels {
		k.Begin(w.now)
	}
}

// breakDisk makes the store refuse what is asked of it for a while.
func (w *world) breakDisk() {
	if !w.calm {
		w.store.failing = w.now + w.upTo(200)
		w.count.DiskFailures++
		w.trace("the disk fails")
	}
}

// hurt says whether the store failed so shortly ago that somebody may still be told of it.
func (w *world) hurt() bool { return w.store.hurt != 0 && w.now-w.store.hurt < hurtFor }

// hurtFor is the longest way of an answer: store, links, socket, each behind what was before it.
const hurtFor = 1000

// refused says whether r is how a client is told that the store failed.
func (w *world) refused(r mqtt.ReasonCode) bool {
	switch r {
	case mqtt.QuotaExceeded, mqtt.UnspecifiedError, mqtt.ServerUnavailable:
		return w.hurt()
	}
	return false
}
