package broker

import (
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// retain has the Store keep m, or forget the topic if m has no payload [MQTT-3.3.1-5]
// [MQTT-3.3.1-6].
func (k *Kernel) retain(m *Message) {
	if len(m.Payload) == 0 {
		k.put(Op{Kind: OpUnretain, Key: string(m.Topic)})
		return
	}
	at := len(k.fan.opBuf)
	k.fan.opBuf = appendMessage(k.fan.opBuf, m)
	k.put(Op{
		Kind: OpRetain, Key: string(m.Topic), Value: k.fan.opBuf[at:], Expire: m.Expire,
	})
}

// reading is a fetch of retained messages for one subscription.
type reading struct {
	sess  *session
	full  string
	only  string // the one topic that is read again, see overtakes
	tries int    // of that
	after string // the last topic of a page that is not the last one
	asOf  uint64
	since uint64 // see overtakes
}

// fetch reads the retained messages that sub matches, and sends each as the standard wants it: with
// the retain flag [MQTT-3.3.1-8] and at the lower of both QoS.
func (k *Kernel) fetch(sub *subscription) {
	r := &reading{sess: sub.sess, full: sub.full}
	k.fetchPage(r, sub)
}

// fetchPage asks for the next part.
func (k *Kernel) fetchPage(r *reading, sub *subscription) {
	if k.newer.reads == 0 {
		k.newer.forget()
	}
	k.newer.reads++
	r.since = k.newer.count
	t := k.asks.put(ask{kind: askRead, read: r})
	sub.sess.pending++
	q := Query{
		Filter: sub.aud.filter, After: r.after, Max: pageMessages, BytesMax: pageBytes,
		AsOf: r.asOf,
	}
	if r.only != "" {
		q.Filter = r.only
	}
	r.after = ""
	k.begin(nil, 0)
	done := k.store.Read(t, q, func(rec Record) { k.retained(r, &rec) })
	k.end()
	if done {
		k.asks.take(t)
		k.newer.reads--
		k.fetched(r)
	}
}

// overtakes are the topics whose retained message changed while the Store was asked for what is
// retained. Who is subscribed gets the new one as it was published: it must not get it once more,
// nor what it replaced after it. Which of two messages from different kernels the Store has last,
// and whether it has room for the new one at all, is not known here: the topic is read again.
type overtakes struct {
	reads  int // that are not answered
	count  uint64
	topics map[string]newer
	bytes  int
}

// newer is the message that changed a topic last, by its number where it was published.
type newer struct {
	count, num uint64
	origin     PeerID
}

// overtakenBytesMax bounds the topics; beyond it old messages may come behind new ones. So they may
// when a topic that was read again readTriesMax times changed each time.
const (
	overtakenBytesMax = 1 << 20
	readTriesMax      = 8
)

// note looks at m as it is brought to who is subscribed.
func (x *overtakes) note(m *Message) {
	if x.reads == 0 || !m.Retain {
		return
	}
	if x.topics == nil || x.bytes >= overtakenBytesMax {
		x.forget()
	}
	x.count++
	x.bytes += len(m.Topic) + 80
	x.topics[string(m.Topic)] = newer{x.count, m.num, m.origin}
}

// overtaken is true if m, which r brought, is not to be delivered now.
func (k *Kernel) overtaken(r *reading, name string, m *Message) bool {
	x, ok := k.newer.topics[name]
	switch {
	case !ok || x.count <= r.since:
		return false
	case x.origin == m.origin && x.num == m.num:
		return true
	case r.tries == readTriesMax:
		return false
	}
	w := r.sess.busy()
	w.fetches = append(w.fetches, &reading{
		sess: r.sess, full: r.full, only: name, tries: r.tries + 1,
	})
	return true
}

func (x *overtakes) forget() {
	if x.bytes > 0 || x.topics == nil {
		x.topics, x.bytes = make(map[string]newer), 0
	}
}

// fetched goes on with the next page, when there is room for it.
func (k *Kernel) fetched(r *reading) {
	s := r.sess
	if r.after != "" {
		s.busy().fetches = append(s.busy().fetches, r)
	}
	k.fetchOn(s)
	k.unpend(s)
}

// fetchOn goes on with retained messages that wait for room.
func (k *Kernel) fetchOn(s *session) {
	w := s.work
	for w != nil && len(w.fetches) > 0 {
		if !s.live() {
			w.fetches = nil
			return
		}
		if n, _ := w.waits(); n >= pageMessages || s.conn.out.Room() <= 0 {
			return
		}
		r := w.fetches[0]
		w.fetches = w.fetches[1:]
		if sub := s.subs.get(r.full); sub != nil {
			k.fetchPage(r, sub)
			return
		}
	}
}

// Read brings the answer of the Store to a question that it could not answer at once.
func (k *Kernel) Read(now Time, t Token, recs []Record, err error) {
	k.at(now)
	a, ok := k.asks.take(t)
	switch {
	case !ok:
		return
	case a.kind == askPage:
		for i := range recs {
			k.leaf(a.page, &recs[i])
		}
		k.turned(a.page, err)
		k.flushOps()
		return
	case a.kind == askTally:
		for i := range recs {
			k.tallied(a.sess, &recs[i], a.before)
		}
		k.unpend(a.sess)
		return
	case a.kind != askRead:
		return
	}
	k.newer.reads--
	k.begin(nil, 0)
	for i := range recs {
		k.retained(a.read, &recs[i])
	}
	k.end()
	if err != nil {
		k.stats.ReadErrors++
	}
	k.fetched(a.read)
}

// retained delivers one retained message to the subscription it was read for.
func (k *Kernel) retained(r *reading, rec *Record) {
	if rec.Kind == OpMore {
		r.after, r.asOf = rec.Key, rec.Seq
		return
	}
	sub := r.sess.subs.get(r.full)
	if sub == nil || rec.Expire != 0 && k.now >= rec.Expire {
		return
	}
	var m Message
	if !readMessage(rec.Value, &m) {
		k.stats.BadFrames++
		return
	}
	if sub.noLocal && m.From == r.sess.id() || k.overtaken(r, rec.Key, &m) {
		return
	}
	m.Retain = true
	t := target{sess: r.sess, qos: min(sub.qos, m.QoS), retain: true, first: sub.id}
	k.handOne(&t, &m)
}

// memory is the Store of a kernel that was given none: retained messages, in the kernel itself.
type memory struct {
	names topic.Names[Record]
}

func (s *memory) Write(_ Token, b *Batch) bool {
	for _, op := range b.Ops {
		switch op.Kind {
		case OpRetain:
			op.Value = append([]byte(nil), op.Value...)
			s.names.Put(op.Key, op)
		case OpUnretain:
			s.names.Delete(op.Key)
		}
	}
	return true
}

func (s *memory) Read(_ Token, q Query, visit func(Record)) bool {
	if q.Filter != "" {
		s.names.Match(q.Filter, func(_ string, r Record) bool {
			visit(r)
			return true
		})
	}
	return true
}

// will is what CONNECT asked to be published when its connection ends [MQTT-3.1.2-7].
type will struct {
	msg      Message
	delay    uint32 // seconds
	lifetime uint32 // Message Expiry Interval, counted from the publication
	expires  bool
}

func newWill(w *mqtt.Will, from string) *will {
	x := &will{}
	x.delay, _ = w.Props.Uint32(mqtt.WillDelayInterval)
	x.lifetime, x.expires = w.Props.Uint32(mqtt.MessageExpiryInterval)
	m := Message{
		Topic: w.Topic, Payload: w.Payload, Props: w.Props.AppendForward(nil),
		From: from, QoS: w.QoS, Retain: w.Retain,
	}
	x.msg = *m.Keep()
	return x
}

// publishWill sends a will the way of any message of the client.
func (k *Kernel) publishWill(s *session, w *will) {
	m := w.msg
	if w.expires {
		m.Expire = k.now + Time(w.lifetime)*1000
	}
	k.begin(nil, 0)
	if k.cfg.Durable && k.durable(s) {
		k.together() // a kill must not find the session without its will, and a peer without it too
	}
	if s.lis.Policy == nil || k.process(s.lis.Policy, s.who, &m) {
		k.spread(&m)
	}
	k.putSession(s) // without the will
	k.end()
}

// append encodes w, or that there is none.
func (w *will) append(dst []byte) []byte {
	dst = appendBool(dst, w != nil)
	if w == nil {
		return dst
	}
	dst = appendUint(dst, uint64(w.delay))
	dst = appendUint(dst, uint64(w.lifetime))
	return appendMessage(appendBool(dst, w.expires), &w.msg)
}

// will decodes what append made.
func (r *reader) will() *will {
	if !r.bool() {
		return nil
	}
	w := &will{delay: uint32(r.upTo(Never)), lifetime: uint32(r.upTo(Never)), expires: r.bool()}
	var m Message
	r.message(&m)
	w.msg = *m.Keep()
	return w
}
