package store

import (
	"fmt"
	"math/big"

	"github.com/cockroachdb/pebble/v2"
)

// eachLeft is eachBetween that goes on behind what cannot be read. left hears of each such place,
// and ends the walk by an error.
func (d *Disk) eachLeft(
	from, to []byte, visit func(key, value []byte) error, left func(err error) error,
) error {
	for {
		last := from
		err := d.eachBetween(from, to, func(key, value []byte) error {
			last = append(append([]byte(nil), key...), 0)
			return visit(key, value)
		})
		if err == nil || !pebble.IsCorruptionError(err) {
			return err
		}
		next := d.behind(last, to)
		if err := left(fmt.Errorf("%w: keys from %x to %x: %w", ErrDamaged, last, next,
			err)); err != nil || next == nil {
			return err
		}
		from = next
	}
}

// keyBits is how exactly the end of damage is looked for.
const keyBits = 8 * 24

// behind is the first key from which on the database can be read, by halves; nil if there is none
// before to.
func (d *Disk) behind(from, to []byte) []byte {
	low, high := numberOf(from), numberOf(to)
	one := big.NewInt(1)
	found := false
	for low.Cmp(high) < 0 {
		mid := new(big.Int).Add(low, high)
		mid.Rsh(mid, 1)
		if d.readableFrom(keyOf(mid), to) {
			high, found = mid, true
		} else {
			low = mid.Add(mid, one)
		}
	}
	if !found {
		return nil
	}
	return keyOf(high)
}

// numberOf is a key as a number, as far as it is looked at.
func numberOf(key []byte) *big.Int {
	b := make([]byte, keyBits/8)
	copy(b, key)
	return new(big.Int).SetBytes(b)
}

func keyOf(n *big.Int) []byte { return n.FillBytes(make([]byte, keyBits/8)) }

// readableFrom says whether the first record from a key on can be read.
func (d *Disk) readableFrom(from, to []byte) bool {
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return false
	}
	ok := true
	if it.First() {
		_, err := it.ValueAndErr()
		ok = err == nil
	}
	return it.Close() == nil && ok
}

// onward goes on where a start must: the database has told of the damage already.
func onward(error) error { return nil }
