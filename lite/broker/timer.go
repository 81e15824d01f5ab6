package broker

const (
	wheelSlots = 512
	wheelStep  = 100 // ms: the longest a timer is late
)

// timer is one deadline of its owner, embedded in it. The zero value is not armed.
type timer[O expirer] struct {
	at         Time
	prev, next *timer[O]
	owner      O
}

// expirer is told when its timer is due. It may arm the timer again.
type expirer interface{ due(k *Kernel) }

// wheel holds timers by the step they are due in, modulo its size: arming and disarming cost the
// same however many there are. A timer more than one turn away stays in its slot and is passed
// over. Owners of one kind have a wheel: a pointer to the kind is half of an interface.
type wheel[O expirer] struct {
	slots [wheelSlots]timer[O] // list heads
	step  Time                 // last step that was run
}

func (w *wheel[O]) start(now Time) {
	w.step = now / wheelStep
	for i := range w.slots {
		h := &w.slots[i]
		h.prev, h.next = h, h
	}
}

// arm sets t to fire at the first tick at or after at, in place of what was set.
func (w *wheel[O]) arm(t *timer[O], owner O, at Time) {
	w.disarm(t)
	t.at, t.owner = at, owner
	step := (at + wheelStep - 1) / wheelStep
	if step <= w.step {
		step = w.step + 1
	}
	h := &w.slots[step%wheelSlots]
	t.prev, t.next = h.prev, h
	h.prev.next = t
	h.prev = t
}

func (w *wheel[O]) disarm(t *timer[O]) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.prev, t.next = nil, nil
}

// run fires what is due. At most one whole turn is walked, however far the clock went.
func (w *wheel[O]) run(k *Kernel, now Time) {
	last := now / wheelStep
	if last-w.step > wheelSlots {
		w.step = last - wheelSlots
	}
	for w.step < last {
		w.step++
		w.runSlot(k, &w.slots[w.step%wheelSlots], now)
	}
}

// runSlot moves the slot to a list of its own first: what fires may arm and disarm any timer.
func (w *wheel[O]) runSlot(k *Kernel, h *timer[O], now Time) {
	if h.next == h {
		return
	}
	var list timer[O]
	list.next, list.prev = h.next, h.prev
	list.next.prev, list.prev.next = &list, &list
	h.next, h.prev = h, h
	for list.next != &list {
		t := list.next
		w.disarm(t)
		if t.at > now {
			w.arm(t, t.owner, t.at)
			continue
		}
		t.owner.due(k)
	}
}
