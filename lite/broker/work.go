package broker

import "sort"

// work is what a session has once a QoS 1 or 2 message was for it, a QoS 2 message came from it, or
// a message had to wait. What only reads takes a nil one for an empty one.
type work struct {
	flight flight
	queue  queue
	loose  *queue // nil, or QoS 0 messages that a rate holds back (loose.go)
	// received holds the packet identifiers of QoS 2 messages that were accepted and not yet
	// released [MQTT-4.3.3-10]; the value is not nil while the acceptance still waits for
	// something.
	received map[uint16]*publication
	back     backlog    // of a durable session
	held     int        // steps in flight that wait for the Store
	fetches  []*reading // of retained messages, that wait for room
	// counted and countedBytes of what waits are in the kernel's count of all.
	counted, countedBytes int
}

// busy answers s.work, made if it is not there.
func (s *session) busy() *work {
	if s.work == nil {
		s.work = &work{}
	}
	return s.work
}

// find answers the message in flight under id, nil if there is none.
func (w *work) find(id uint16) *outgoing {
	if w == nil {
		return nil
	}
	return w.flight.find(id)
}

// inflight is how many messages are in flight.
func (w *work) inflight() int {
	if w == nil {
		return 0
	}
	return w.flight.count
}

// queued is how many messages wait for a place in the window.
func (w *work) queued() int {
	if w == nil {
		return 0
	}
	return w.queue.len()
}

// looseWaits is true when QoS 0 messages wait for a rate.
func (w *work) looseWaits() bool { return w != nil && w.loose != nil }

// shrink gives back what a window without messages takes.
func (w *work) shrink() {
	if w != nil {
		w.flight.shrink()
	}
}

// receive takes note of an identifier.
func (w *work) receive(id uint16, pub *publication) {
	if w.received == nil {
		w.received = make(map[uint16]*publication)
	}
	w.received[id] = pub
}

// accepted looks an identifier up in received.
func (w *work) accepted(id uint16) (pub *publication, ok bool) {
	if w == nil {
		return nil, false
	}
	pub, ok = w.received[id]
	return pub, ok
}

// receivedIDs are the identifiers in received, ascending.
func (w *work) receivedIDs() []uint16 {
	list := make([]uint16, 0, len(w.received))
	for id := range w.received {
		list = append(list, id)
	}
	sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
	return list
}
