package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// firstVersion is that which the first of migrations leaves behind.
const firstVersion = 1

// ErrVersion refuses a store that a newer broker wrote.
var ErrVersion = errors.New("store: a store of a newer version: use that version of the broker, " +
	"or restore a backup")

// migration brings a store from the version before its own to its own. It must do so from any
// state that a crash in it leaves. What it writes goes to batch, which is committed with the new
// version number; one that is too large for a batch commits the rest itself before.
type migration func(db *pebble.DB, batch *pebble.Batch) error

// migrations are those to version 2, 3 and so on.
func migrations() []migration { return []migration{indexEndings} }

// readable refuses a store that is newer than this program.
func readable(db *pebble.DB, steps []migration) error {
	v, err := versionOf(db)
	if newest := firstVersion + len(steps); err == nil && v > newest {
		err = fmt.Errorf("%w: %d, this program knows %d", ErrVersion, v, newest)
	}
	return err
}

// migrate brings the store to the version of this program.
func migrate(db *pebble.DB, steps []migration) error {
	v, err := versionOf(db)
	if err != nil {
		return err
	}
	newest := firstVersion + len(steps)
	if v == 0 {
		return setVersion(db, newest, nil)
	}
	for ; v < newest; v++ {
		if err := setVersion(db, v+1, steps[v-firstVersion]); err != nil {
			return fmt.Errorf("store: migrate to version %d: %w", v+1, err)
		}
	}
	return nil
}

// versionOf is 0 for an empty store.
func versionOf(db *pebble.DB) (int, error) {
	b, closer, err := db.Get(versionKey())
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("store: version: %w", err)
	}
	if len(b) != 4 {
		return 0, errors.Join(fmt.Errorf("%w: version", errRecord), closer.Close())
	}
	return int(binary.BigEndian.Uint32(b)), closer.Close()
}

// setVersion commits a step with its number. It is on the device when it returns: the journal is
// not read by an older version after it.
func setVersion(db *pebble.DB, v int, step migration) error {
	b := db.NewBatch()
	if step != nil {
		if err := step(db, b); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if err := b.Set(versionKey(), binary.BigEndian.AppendUint32(nil, uint32(v)), nil); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return err
	}
	return errors.Join(db.Flush(), b.Close())
}

// stepBytes is about how much of a step is committed at once.
const stepBytes = 4 << 20

// indexEndings brings a store to version 2: messages in queues that expire are in an index by time.
func indexEndings(db *pebble.DB, _ *pebble.Batch) (err error) {
	from := []byte{kindQueue}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(from)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	b := db.NewBatch()
	defer func() { err = errors.Join(err, b.Close()) }()
	for it.First(); it.Valid(); it.Next() {
		key := it.Key()
		if len(key) != 14 || key[5] != partEntry {
			continue
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		e, err := readEntry(v)
		if err != nil || e.expire == 0 {
			continue // what is damaged is for those who read it
		}
		num := binary.BigEndian.Uint32(key[1:])
		if err := errors.Join(
			b.Set(endingKey(nil, e.expire, num, cutSeq(key)), nil, nil),
			b.Set(partKey(nil, num, partExpires), nil, nil),
		); err != nil {
			return err
		}
		if b.Len() >= stepBytes {
			if err := b.Commit(pebble.NoSync); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return errors.Join(it.Error(), b.Commit(pebble.NoSync))
}
