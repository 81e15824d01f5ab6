package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
)

// CheckReport says what a store holds and what is wrong with it.
type CheckReport struct {
	Sessions int `json:"sessions"`
	// Estates are sessions that ended, and have something left for others of a shared group.
	Estates       int   `json:"estates"`
	Queued        int   `json:"queued"`
	QueuedBytes   int64 `json:"queued_bytes"`
	InFlight      int   `json:"in_flight"`
	Received      int   `json:"received"`
	Shared        int   `json:"shared"`
	SharedBytes   int64 `json:"shared_bytes"`
	Retained      int64 `json:"retained"`
	RetainedBytes int64 `json:"retained_bytes"`
	// Notes are the keys of components and the last payloads of topics.
	Notes        int64 `json:"notes"`
	NoteBytes    int64 `json:"note_bytes"`
	DiskBytes    int64 `json:"disk_bytes"`
	JournalBytes int64 `json:"journal_bytes"`
	// Faults are the first of what is wrong, FaultsFound all of it.
	Faults      []string `json:"faults,omitempty"`
	FaultsFound int      `json:"faults_found"`
}

// faultsMax bounds the faults that are told one by one.
const faultsMax = 100

// Check looks at every record. Writes wait meanwhile.
func (d *Disk) Check() (rep CheckReport, err error) {
	if berr := d.between(func() { rep, err = d.check() }); berr != nil {
		return rep, berr
	}
	return rep, err
}

func (d *Disk) check() (CheckReport, error) {
	c := checker{
		d: d, known: map[uint32]bool{}, sharers: map[uint64]int64{}, now: d.cfg.Now(),
	}
	for _, step := range []func() error{
		c.sessions, c.queues, c.shared, c.retained, c.notes, c.database,
	} {
		if err := step(); err != nil {
			return c.rep, err
		}
	}
	return c.rep, nil
}

// checker is the state of one check.
type checker struct {
	d       *Disk
	rep     CheckReport
	known   map[uint32]bool
	sharers map[uint64]int64
	now     broker.Time
}

func (c *checker) fault(format string, args ...any) {
	c.rep.FaultsFound++
	if len(c.rep.Faults) < faultsMax {
		c.rep.Faults = append(c.rep.Faults, fmt.Sprintf(format, args...))
	}
}

// each is Disk.each; what cannot be read is a fault.
func (c *checker) each(prefix []byte, visit func(key, value []byte) error) error {
	return c.d.eachLeft(prefix, after(prefix), visit, c.left)
}

func (c *checker) left(err error) error {
	c.fault("%v", err)
	return nil
}

func (c *checker) sessions() error {
	return c.d.sessions(func(r broker.Record) error {
		if string(r.Value) == broker.StoredEstate {
			c.rep.Estates++
		} else {
			c.rep.Sessions++
		}
		c.known[r.Num] = true
		return nil
	}, c.left)
}

// queues looks at what belongs to sessions.
func (c *checker) queues() error {
	return c.each([]byte{kindQueue}, func(key, value []byte) error {
		if len(key) < 6 {
			c.fault("key %x is too short", key)
			return nil
		}
		num := binary.BigEndian.Uint32(key[1:])
		if !c.known[num] {
			c.fault("session %d is not there, but something of it (%x)", num, key)
		}
		switch key[5] {
		case partReceived:
			c.rep.Received++
		case partFlight:
			c.rep.InFlight++
		case partEntry:
			c.entry(num, key, value)
		}
		return nil
	})
}

func (c *checker) entry(num uint32, key, value []byte) {
	e, err := readEntry(value)
	if err != nil {
		c.fault("session %d: entry %x: %v", num, key, err)
		return
	}
	c.rep.Queued++
	c.rep.QueuedBytes += int64(e.bytes())
	if e.expire > c.now {
		c.ending(num, cutSeq(key), e.expire)
	}
	if e.shared == 0 {
		return
	}
	c.sharers[e.shared]++
	v, ok, err := c.d.get(sharingKey(nil, num, cutSeq(key)))
	if err != nil || !ok || len(v) != 8 || binary.BigEndian.Uint64(v) != e.shared {
		c.fault("session %d: entry %x: that it has payload %d is not noted", num, key, e.shared)
	}
}

// ending looks whether an entry will be found when it expires. One that did is in no index any more
// if it is on its way to the client.
func (c *checker) ending(num uint32, seq uint64, expire broker.Time) {
	for _, key := range [][]byte{
		endingKey(nil, expire, num, seq), partKey(nil, num, partExpires),
	} {
		if _, ok, err := c.d.get(key); err != nil || !ok {
			c.fault("session %d: entry %d: that it expires is not noted", num, seq)
			return
		}
	}
}

// shared looks at payloads and the counts of those who have them.
func (c *checker) shared() error {
	err := c.each([]byte{kindShared}, func(key, value []byte) error {
		id := cutSeq(key)
		c.rep.Shared++
		c.rep.SharedBytes += int64(len(value))
		v, ok, err := c.d.get(sharedKey(nil, kindSharers, id))
		if err != nil {
			return err
		}
		if !ok || len(v) != 8 || int64(binary.BigEndian.Uint64(v)) != c.sharers[id] {
			c.fault("payload %d: %d entries have it, noted is %x", id, c.sharers[id], v)
		}
		delete(c.sharers, id)
		return nil
	})
	for id, n := range c.sharers {
		c.fault("payload %d is not there, %d entries want it", id, n)
	}
	return err
}

func (c *checker) retained() error {
	err := c.each([]byte{kindRetained}, func(key, value []byte) error {
		r, err := readRetained(value)
		topic := topicOf(key)
		if err != nil {
			c.fault("retained %q: %v", topic, err)
			return nil
		}
		c.rep.Retained++
		c.rep.RetainedBytes += int64(len(topic) + len(r.value))
		if r.expire == 0 {
			return nil
		}
		if _, ok, err := c.d.get(expiryKey(nil, r.expire, topic)); err != nil || !ok {
			c.fault("retained %q: its end is not noted", topic)
		}
		return nil
	})
	if st := c.d.Stats(); st.Retained != c.rep.Retained ||
		st.RetainedBytes != c.rep.RetainedBytes {
		c.fault("retained: %d of %d bytes, noted are %d of %d", c.rep.Retained,
			c.rep.RetainedBytes, st.Retained, st.RetainedBytes)
	}
	return err
}

// notes looks at what components made the broker remember.
func (c *checker) notes() error {
	for _, kind := range []NoteKind{NoteKV, NoteHistory} {
		err := c.each([]byte{byte(kind)}, func(key, value []byte) error {
			n, err := readNote(key, value)
			if err != nil {
				c.fault("%s %x: %v", kind, key, err)
				return nil
			}
			c.rep.Notes++
			c.rep.NoteBytes += int64(len(n.Key) + len(n.Value))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// database has the database look at its own files.
func (c *checker) database() error {
	if err := c.d.db.CheckLevels(nil); err != nil {
		c.fault("database: %v", err)
	}
	c.rep.DiskBytes = int64(c.d.db.Metrics().DiskSpaceUsage())
	_, c.rep.JournalBytes = c.d.journal.Segment()
	return nil
}

// ErrFaults says that a check found some.
var ErrFaults = fmt.Errorf("%w: a check found faults", ErrDamaged)

// CheckDir opens the store in dir, which no broker may use, brings its journal to the database and
// checks how its records belong together.
func CheckDir(dir string) (rep CheckReport, err error) {
	cfg := DefaultDisk()
	cfg.Dir = dir
	return checkWith(cfg, false)
}

// CheckWhole is CheckDir, and looks whether a kernel can read each record.
func CheckWhole(dir string) (rep CheckReport, err error) {
	cfg := DefaultDisk()
	cfg.Dir = dir
	return checkWith(cfg, true)
}

func checkWith(cfg DiskConfig, deep bool) (rep CheckReport, err error) {
	d, _, err := OpenDisk(cfg)
	if err != nil {
		return rep, err
	}
	rep, err = d.Check()
	if deep && err == nil {
		d.sound(&rep)
	}
	if err == nil && rep.FaultsFound > 0 {
		err = fmt.Errorf("%w: %d", ErrFaults, rep.FaultsFound)
	}
	return rep, errors.Join(err, d.Close())
}

// CheckSmall is CheckDir that takes little memory of a machine that has other things to do.
func CheckSmall(dir string) (rep CheckReport, err error) {
	cfg := ForMemory(0)
	cfg.Dir = dir
	return checkWith(cfg, false)
}
