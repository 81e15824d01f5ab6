package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// CloseListener is Shutdown for the connections of one listener.
func (k *Kernel) CloseListener(now Time, l *Listener, r mqtt.ReasonCode) {
	k.ThinListener(now, l, 1, r)
}

// ThinListener is CloseListener for one in parts of the connections that are there now, rounded up.
// It answers how many are left. Who calls it with n, n-1, … 1 at even distances ends them evenly.
func (k *Kernel) ThinListener(now Time, l *Listener, parts int, r mqtt.ReasonCode) int {
	k.at(now)
	all := 0
	for c := k.conns.next; c != &k.conns; c = c.next {
		if c.lis == l {
			all++
		}
	}
	end := (all + parts - 1) / parts
	left := all - end
	for c := k.conns.next; c != &k.conns && end > 0; {
		next := c.next
		if c.lis == l {
			end--
			k.disconnect(c, r)
		}
		c = next
	}
	return left
}

// ForgetListener lets go of the Policy of a listener that has no connection any more and none to
// come. Sessions of it that wait for their clients keep its limits and what they have; until the
// clients are back by another listener nobody judges what comes for them.
func (k *Kernel) ForgetListener(l *Listener) {
	bare := &Listener{Name: l.Name, Limits: l.Limits}
	if x := k.listeners[l.Name]; x != nil && x.of == l {
		x.lis, x.of = *bare, nil
	}
	for _, s := range k.sessions {
		if s.lis == l && s.conn == nil {
			s.lis = bare
		}
	}
}
