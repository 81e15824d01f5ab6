package broker

// Traced says to how many sessions of one kernel a message was given, and how often it was dropped
// on its way to one of them.
type Traced struct {
	Trace     uint64
	Receivers int
	Lost      uint64
}

// OnTrace sets what is called for each message with a Trace, once it was brought to the sessions
// of this kernel, from inside the call that brings it. f must not call the kernel.
func (k *Kernel) OnTrace(f func(Traced)) { k.onTrace = f }

// lost is all that was dropped on the way to a receiver.
func (k *Kernel) lost() uint64 {
	s := &k.stats
	return s.DroppedSlow + s.DroppedQueue + s.DroppedSize + s.DroppedExpired + s.DroppedPolicy
}

// traced brings m to whom bring brings it, and tells who that was.
func (k *Kernel) traced(m *Message, bring func(*Kernel, *Message)) {
	trace, before := m.Trace, k.lost()
	m.Trace = 0
	k.fan.trace = trace
	k.match.targets = k.match.targets[:0]
	bring(k, m)
	k.fan.trace = 0
	if k.onTrace != nil {
		k.onTrace(Traced{trace, len(k.match.targets), k.lost() - before})
	}
}
