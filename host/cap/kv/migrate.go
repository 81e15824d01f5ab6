package kv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ErrBusy says that not all changes of the keys are settled: try again soon.
var ErrBusy = errors.New("kv: the keys are still being written")

// ErrTwice is the refusal of a migration that makes the same key of two.
var ErrTwice = errors.New("two would become one")

// Schema is the schema version of what a component has, 0 if it never said, and how many keys that
// are.
func (s *Store) Schema(component string) (schema uint32, keys int64) {
	a := s.area(component)
	return a.schema.Load(), a.count.Load()
}

// LoadSchema takes in what a Keeper kept before this run.
func (s *Store) LoadSchema(component string, schema uint32) {
	s.area(component).schema.Store(schema)
}

// Migration brings the keys of a component to another schema, one by one, beside what is there: its
// guests go on reading and changing that until Store.Apply. Keys that they change come again.
//
// A key at work stands alone in a store of its own, Scratch, in which a guest makes of it what it
// becomes. Of that nothing is seen by others, nor noted.
type Migration struct {
	area *area
	to   uint32
	// Scratch is the store in which the guest migrates.
	Scratch *Store
	scratch *area
	dirty   *dirty
	// made is by key what becomes of it, of keys that do not stay as they are; owner is by key of
	// what it comes.
	made  map[string][]outcome
	owner map[string]string
	// more is how many entries and bytes there will be more than there are.
	more usage
	// reserved are those that are counted in for Apply.
	reserved [2]int64
}

// outcome is one key that a key becomes.
type outcome struct {
	key string
	state
}

func (o *outcome) size() int64 { return int64(len(o.key) + len(o.value) + entryBytes) }

// dirty is the keys that were changed since they were looked at.
type dirty struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

func (d *dirty) mark(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys[key] = struct{}{}
}

func (d *dirty) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]string, 0, len(d.keys))
	for key := range d.keys {
		list = append(list, key)
	}
	clear(d.keys)
	slices.Sort(list)
	return list
}

// Migrate begins a migration; one of a component at a time. It must be ended by Drop, also after
// Apply.
func (s *Store) Migrate(component string, to uint32) *Migration {
	m := &Migration{
		area: s.area(component), to: to, Scratch: New(s.cfg),
		dirty: &dirty{keys: map[string]struct{}{}},
		made:  map[string][]outcome{}, owner: map[string]string{},
	}
	m.scratch = m.Scratch.area(component)
	m.area.dirty.Store(m.dirty) // before the keys are listed: none is missed
	for i := range m.area.shards {
		sh := &m.area.shards[i]
		sh.mu.Lock()
		for key := range sh.items {
			m.dirty.mark(key)
		}
		sh.mu.Unlock()
	}
	return m
}

// Left is how many keys are to be brought.
func (m *Migration) Left() int {
	m.dirty.mu.Lock()
	defer m.dirty.mu.Unlock()
	return len(m.dirty.keys)
}

// Changes is what Store.Apply is to write: keys that come, change or go, and the bytes of those
// that come or change.
func (m *Migration) Changes() (keys int, bytes int64) {
	return len(m.made) + int(m.more.count.Load()), m.more.bytes.Load()
}

// Run brings the keys that are to be brought now: migrate is called for each, with that key alone
// in Scratch. An error of it ends the migration, as too much does.
func (m *Migration) Run(now int64, migrate func(key string) error) error {
	keys := m.dirty.take()
	for _, key := range keys {
		m.retract(key)
	}
	for _, key := range keys {
		if err := m.bring(now, key, migrate); err != nil {
			return fmt.Errorf("key %.80q: %w", key, err)
		}
	}
	return nil
}

// retract forgets what becomes of key.
func (m *Migration) retract(key string) {
	for _, o := range m.made[key] {
		delete(m.owner, o.key)
		m.more.give(1, o.size())
	}
	if m.owner[key] == key {
		delete(m.owner, key)
	}
	delete(m.made, key)
}

// bring has migrate make of key what it becomes.
func (m *Migration) bring(now int64, key string, migrate func(key string) error) error {
	was := m.area.stateOf(key)
	if !was.there || was.expire != 0 && was.expire <= now {
		return nil
	}
	m.empty()
	defer m.empty()
	sh := m.scratch.shard([]byte(key))
	sh.mu.Lock()
	m.scratch.bring(sh, key, was)
	sh.mu.Unlock()
	if err := migrate(key); err != nil {
		return err
	}
	list := m.outcomes(now, was)
	if len(list) == 1 && list[0].key == key && list[0].same(was) {
		return m.own(key, list) // it stays as it is
	}
	for i := range list {
		m.more.count.Add(1)
		m.more.bytes.Add(list[i].size())
	}
	m.made[key] = list
	if err := m.own(key, list); err != nil {
		return err
	}
	return m.fits()
}

// own notes that list comes of key, and of no other.
func (m *Migration) own(key string, list []outcome) error {
	for i := range list {
		if other, taken := m.owner[list[i].key]; taken && other != key {
			return fmt.Errorf("%.80q comes of it, and of %.80q as well: %w", list[i].key, other,
				ErrTwice)
		}
		m.owner[list[i].key] = key
	}
	return nil
}

// fits is an error if what is made is more than a component may have, whatever else there is.
func (m *Migration) fits() error {
	cfg := &m.area.store.cfg
	if m.more.count.Load() > cfg.EntriesMax || m.more.bytes.Load() > cfg.BytesMax {
		return fmt.Errorf("%w: all keys together are %d with %d bytes", ErrTooLarge,
			m.more.count.Load(), m.more.bytes.Load())
	}
	return nil
}

// same says whether s and t are the same to a guest, now and later.
func (s state) same(t state) bool {
	return s.there == t.there && s.counter == t.counter && s.n == t.n && s.expire == t.expire &&
		bytes.Equal(s.value, t.value)
}

// stateOf is what is under key.
func (a *area) stateOf(key string) state {
	sh := a.shard([]byte(key))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.items[key].state()
}

// outcomes is what stands in the scratch, sorted. What is set for ever has what was left to the key
// it comes of.
func (m *Migration) outcomes(now int64, was state) (list []outcome) {
	for i := range m.scratch.shards {
		for key, it := range m.scratch.shards[i].items {
			o := outcome{key, it.state()}
			if o.expire == 0 {
				o.expire, o.ttl = was.expire, was.ttl
			}
			if o.expire == 0 || o.expire > now {
				list = append(list, o)
			}
		}
	}
	slices.SortFunc(list, func(a, b outcome) int { return strings.Compare(a.key, b.key) })
	return list
}

// empty takes all out of the scratch.
func (m *Migration) empty() {
	for i := range m.scratch.shards {
		sh := &m.scratch.shards[i]
		sh.mu.Lock()
		for _, it := range sh.items {
			m.scratch.remove(sh, it)
		}
		sh.mu.Unlock()
	}
}

// Settle waits until what the Keeper was told of changes of the keys is kept or taken back. Nobody
// may change a key from now on until Store.Apply or Drop. ErrBusy says that one of them waits for
// somebody; then they must go on before it can be tried again.
func (m *Migration) Settle() error {
	if keep := m.area.store.keep; keep != nil {
		if err := keep(nil); err != nil {
			return err
		}
	}
	for i := range m.area.shards {
		sh := &m.area.shards[i]
		sh.mu.Lock()
		o, ok := sh.open.(*open)
		busy := ok && len(o.past) > 0
		sh.mu.Unlock()
		if busy {
			return ErrBusy
		}
	}
	return nil
}

// Apply has all keys of all of list become what they become, and their schemas, in one write of the
// Keeper: on an error nothing has changed. No key may be left to be brought, see Settle.
func (s *Store) Apply(list []*Migration) error {
	var notes []Note
	for i, m := range list {
		if err := m.reserve(); err != nil {
			for _, other := range list[:i] {
				other.release()
			}
			return err
		}
		notes = append(notes, m.notes()...)
	}
	defer func() {
		for _, m := range list {
			m.release()
		}
	}()
	if s.keep != nil {
		if err := s.keep(notes); err != nil {
			return err
		}
	}
	for _, m := range list {
		m.apply()
	}
	return nil
}

// reserve counts in what there will be more, if there is room for it.
func (m *Migration) reserve() error {
	entries, size := m.more.count.Load(), m.more.bytes.Load()
	for key := range m.made {
		was := m.area.stateOf(key)
		entries, size = entries-1, size-int64(len(key)+len(was.value)+entryBytes)
	}
	cfg := &m.area.store.cfg
	n, b := m.area.count.Load()+entries, m.area.bytes.Load()+size
	if entries > 0 && n > cfg.EntriesMax || size > 0 && b > cfg.BytesMax {
		return fmt.Errorf("%w: there would be %d keys with %d bytes", ErrTooLarge, n, b)
	}
	if !m.area.store.total.take(entries, size, cfg.TotalEntriesMax, cfg.TotalBytesMax) {
		return fmt.Errorf("%w: all components together have no room for it", ErrTooLarge)
	}
	m.reserved[0], m.reserved[1] = entries, size
	return nil
}

// release ends that: what came counts for itself.
func (m *Migration) release() {
	m.area.store.total.give(m.reserved[0], m.reserved[1])
	m.reserved = [2]int64{}
}

func (m *Migration) apply() {
	m.area.dirty.Store(nil)
	for key := range m.made {
		m.area.become(key, state{})
	}
	for _, list := range m.made {
		for i := range list {
			m.area.become(list[i].key, list[i].state)
		}
	}
	m.area.schema.Store(m.to)
}

// become has key be what v says, and tells nobody.
func (a *area) become(key string, v state) {
	sh := a.shard([]byte(key))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a.restore(sh, key, v)
}

// notes are what the Keeper is to keep.
func (m *Migration) notes() []Note {
	list := []Note{{Space: m.area.name, Schema: true, N: int64(m.to)}}
	for key, made := range m.made {
		if _, stays := m.owner[key]; !stays {
			list = append(list, Note{Space: m.area.name, Key: key, Gone: true})
		}
		for i := range made {
			o := &made[i]
			list = append(list, Note{
				Space: m.area.name, Key: o.key, Counter: o.counter, N: o.n, Value: o.value,
				Expire: o.expire, TTL: o.ttl,
			})
		}
	}
	return list
}

// Drop ends the migration; if it was not applied, nothing has changed.
func (m *Migration) Drop() {
	m.area.dirty.CompareAndSwap(m.dirty, nil)
}

// Each calls visit for each key of a component with its value, as a guest gets it, and when it
// ends, 0 for never. The order is any; keys that change meanwhile are seen before or after.
func (s *Store) Each(component string, visit func(key string, value []byte, expire int64)) {
	a := s.area(component)
	for i := range a.shards {
		sh := &a.shards[i]
		sh.mu.Lock()
		for key, it := range sh.items {
			value := it.value
			if it.counter {
				value = strconv.AppendInt(nil, it.n, 10)
			}
			visit(key, value, it.expire)
		}
		sh.mu.Unlock()
	}
}
