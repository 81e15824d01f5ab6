package load

// trackedMax bounds the sequence numbers remembered as missing, of one publisher at one subscriber.
const trackedMax = 1 << 16

// track knows which messages of one publisher arrived at one subscriber.
type track struct {
	// next is one more than the highest sequence number seen.
	next    uint64
	missing map[uint64]struct{}
	unique  uint64
	dups    uint64
	late    uint64
}

// see counts the message with sequence number seq.
func (t *track) see(seq uint64) {
	switch {
	case seq == t.next:
		t.next++
		t.unique++
	case seq > t.next:
		t.miss(seq)
		t.next = seq + 1
		t.unique++
	default:
		t.seeOld(seq)
	}
}

func (t *track) miss(upTo uint64) {
	if t.missing == nil {
		t.missing = map[uint64]struct{}{}
	}
	for s := t.next; s < upTo && len(t.missing) < trackedMax; s++ {
		t.missing[s] = struct{}{}
	}
}

// seeOld tells a late message from a second one.
func (t *track) seeOld(seq uint64) {
	if _, ok := t.missing[seq]; !ok {
		t.dups++
		return
	}
	delete(t.missing, seq)
	t.late++
	t.unique++
}
