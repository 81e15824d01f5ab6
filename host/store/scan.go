package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
)

// get answers a copy of the value under key.
func (d *Disk) get(key []byte) ([]byte, bool, error) {
	v, closer, err := d.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("store: read: %w", err)
	}
	v = append([]byte(nil), v...)
	return v, true, closer.Close()
}

// each calls visit for all keys that start with prefix, in order. Key and value are borrowed.
func (d *Disk) each(prefix []byte, visit func(key, value []byte) error) error {
	return d.eachBetween(prefix, after(prefix), visit)
}

// eachWithin is each for a prefix that may end in any byte.
func (d *Disk) eachWithin(prefix []byte, visit func(key, value []byte) error) error {
	return d.eachBetween(prefix, past(prefix), visit)
}

// eachBetween calls visit for all keys from one up to another, until visit answers an error.
func (d *Disk) eachBetween(
	from, to []byte, visit func(key, value []byte) error,
) (err error) {
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("store: read: %w", err)
		}
		switch err := visit(it.Key(), v); {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		}
	}
	return it.Error()
}

// Sessions calls visit for each session that is kept, as an OpPutSession, until it answers an
// error. Bytes are borrowed until visit returns. It goes on behind what is damaged: those sessions
// begin anew, and Stats tells of the damage.
func (d *Disk) Sessions(visit func(broker.Record) error) error {
	return d.sessions(visit, func(err error) error {
		if !pebble.IsCorruptionError(err) { // the database has told of that
			d.damage.note(err.Error(), err)
		}
		return nil
	})
}

// sessions is Sessions that tells left of what is damaged, and ends by its errors.
func (d *Disk) sessions(
	visit func(broker.Record) error, left func(err error) error,
) error {
	from := []byte{kindSession}
	return d.eachLeft(from, after(from), func(key, value []byte) error {
		id, state, err := readSession(value)
		if err == nil && len(key) != 5 {
			err = errRecord
		}
		if err != nil {
			return left(fmt.Errorf("%w: session %x", err, key))
		}
		return visit(broker.Record{
			Kind: broker.OpPutSession, Num: binary.BigEndian.Uint32(key[1:]), Key: string(id),
			Value: state,
		})
	}, left)
}

// LastSession is the highest number of a session that is kept, or may have been where the store is
// damaged.
func (d *Disk) LastSession() (num uint32, err error) {
	for _, kind := range []byte{kindSession, kindQueue} {
		last, err := d.lastOf(kind)
		if pebble.IsCorruptionError(err) { // as far as it can be read
			from := []byte{kind}
			err = d.eachLeft(from, after(from), func(key, _ []byte) error {
				if len(key) >= 5 {
					last = binary.BigEndian.Uint32(key[1:])
				}
				return nil
			}, onward)
		}
		if err != nil {
			return 0, err
		}
		num = max(num, last)
	}
	return num, nil
}

// lastOf is the session of the last key of a kind.
func (d *Disk) lastOf(kind byte) (num uint32, err error) {
	prefix := []byte{kind}
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, fmt.Errorf("store: read: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if it.Last() && len(it.Key()) >= 5 {
		num = binary.BigEndian.Uint32(it.Key()[1:])
	}
	return num, it.Error()
}
