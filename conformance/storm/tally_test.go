package storm

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
)

// message is what a receiver sees of one.
type message struct {
	publisher int
	seq       uint64
	sent      int64 // on the clock of the run, nanoseconds
	window    window
	swap      int
	version   string
}

// parse reads a message as the transformer leaves it.
func parse(payload []byte) (m message, ok bool) {
	ok = true
	number := func(key string) (n int64) {
		var err error
		n, err = strconv.ParseInt(string(field(payload, key)), 10, 64)
		ok = ok && err == nil && n >= 0
		return n
	}
	m.publisher = int(number(`"p":`))
	m.seq = uint64(number(`"n":`))
	m.sent = number(`"t":`)
	m.window = window(number(`"w":`))
	m.swap = int(number(`"s":`))
	m.version = string(bytes.Trim(field(payload, `"v":`), `"`))
	return m, ok && m.window < windows && field(payload, `"celsius":`) != nil
}

// field is what stands behind a key, nil if it is not there.
func field(payload []byte, key string) []byte {
	at := bytes.Index(payload, []byte(key))
	if at < 0 {
		return nil
	}
	rest := payload[at+len(key):]
	if end := bytes.IndexAny(rest, ",}"); end >= 0 {
		return rest[:end]
	}
	return nil
}

// faults count what must not be.
type faults struct {
	lost, doubled, reordered, wentBack, garbled, disconnected, other int
}

func (f *faults) sum() int {
	return f.lost + f.doubled + f.reordered + f.wentBack + f.garbled + f.disconnected + f.other
}

// book is where everybody writes down faults, with words for the first.
type book struct {
	mu    sync.Mutex
	count faults
	words []string
}

const wordsMax = 30

func (b *book) fault(of func(*faults) *int, n int, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*of(&b.count) += n
	if len(b.words) < wordsMax {
		b.words = append(b.words, fmt.Sprintf(format, args...))
	}
}

func (b *book) faults() (faults, []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count, append([]string(nil), b.words...)
}

func (b *book) broken() bool {
	f, _ := b.faults()
	return f.sum() > 0
}

func lost(f *faults) *int         { return &f.lost }
func doubled(f *faults) *int      { return &f.doubled }
func reordered(f *faults) *int    { return &f.reordered }
func wentBack(f *faults) *int     { return &f.wentBack }
func garbled(f *faults) *int      { return &f.garbled }
func disconnected(f *faults) *int { return &f.disconnected }
func other(f *faults) *int        { return &f.other }

// track is what one receiver got of one publisher, which is one topic.
type track struct {
	next    uint64 // one more than the highest number seen
	missing map[uint64]struct{}
	swap    int // the highest
}

// tally keeps the account of one receiver.
type tally struct {
	book   *book
	tracks map[int]*track
	// unique counts messages, each once.
	unique uint64
	// newest is the highest swap of all tracks: nothing may come behind it that an older one
	// answered, whoever published it.
	newest int
	// spans are by swap when the first and the last message was sent that it answered.
	spans []span
}

type span struct{ first, last int64 }

func newTally(b *book, swaps int) *tally {
	return &tally{book: b, tracks: map[int]*track{}, spans: make([]span, swaps+1)}
}

// see takes one message.
func (t *tally) see(m *message) {
	tr := t.tracks[m.publisher]
	if tr == nil || m.swap >= len(t.spans) || m.version != versionOf(m.swap) {
		t.book.fault(garbled, 1, "publisher %d, message %d: nobody answers as swap %d of "+
			"version %s", m.publisher, m.seq, m.swap, m.version)
		return
	}
	t.number(tr, m)
	if m.swap < t.newest {
		t.book.fault(wentBack, 1, "publisher %d, message %d: answered by swap %d (%s) after "+
			"%d (%s), %d of this publisher", m.publisher, m.seq, m.swap, m.version, t.newest,
			versionOf(t.newest), tr.swap)
	}
	tr.swap = max(tr.swap, m.swap)
	t.newest = max(t.newest, m.swap)
	s := &t.spans[m.swap]
	if s.first == 0 || m.sent < s.first {
		s.first = m.sent
	}
	s.last = max(s.last, m.sent)
}

// number looks at the order of a publisher's messages.
func (t *tally) number(tr *track, m *message) {
	if m.seq >= tr.next {
		for n := tr.next; n < m.seq && n < tr.next+missingMax; n++ {
			if tr.missing == nil {
				tr.missing = map[uint64]struct{}{}
			}
			tr.missing[n] = struct{}{}
		}
		tr.next = m.seq + 1
		t.unique++
		return
	}
	if _, ok := tr.missing[m.seq]; !ok {
		t.book.fault(doubled, 1, "publisher %d, message %d came twice", m.publisher, m.seq)
		return
	}
	delete(tr.missing, m.seq)
	t.unique++
	t.book.fault(reordered, 1, "publisher %d, message %d came behind message %d", m.publisher,
		m.seq, tr.next-1)
}

// missingMax bounds how many numbers are remembered for one gap.
const missingMax = 1 << 12

// close finds what is missing of what a publisher sent.
func (t *tally) close(publisher int, sent uint64) {
	tr := t.tracks[publisher]
	missing := sent - min(sent, tr.next) + uint64(len(tr.missing))
	if missing == 0 {
		return
	}
	t.book.fault(lost, int(missing), "publisher %d: %d of %d messages never came", publisher,
		missing, sent)
}

// The versions that take turns; swap 0 is what the configuration links.
var versions = [...]string{"1.0.0", "2.0.0"}

func versionOf(swap int) string {
	if swap == 0 {
		return "shipped"
	}
	return versions[(swap-1)%len(versions)]
}
