package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
)

// refuse keeps r out of the group, with all that is to be kept together with it.
func (d *Disk) refuse(r *request, items []*request, err error) {
	if !pebble.IsCorruptionError(err) { // the database has told of that
		d.damage.note(err.Error(), err)
	}
	for _, o := range items {
		if g := r.batch.Group; o == r || g != 0 && o.batch.Group == g {
			o.refused = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
}

// roomy says whether there is room for notes on new keys.
func (d *Disk) roomy() { d.noRoom.Store(d.tight() || d.book.bytes > d.cfg.PendingBytesMax) }

// admit refuses a write that goes beyond a limit. Of a group it decides when the first part comes.
func (d *Disk) admit(r *request, items []*request) {
	g := r.batch.Group
	switch {
	case g == 0 && (r.token == 0 || r.judged) || r.refused != nil:
	case g == 0:
		r.judged = true
		r.refused = d.may(r, items)
	default:
		if _, done := d.tx.judged[g]; done {
			return
		}
		d.tx.judged[g] = struct{}{}
		whole := group{}
		for _, o := range items {
			if o.batch.Group == g {
				o.refused = d.may(o, items)
				whole.parts = append(whole.parts, o)
			}
		}
		whole.agree()
	}
}

// fitAll says why b may not be kept.
func (d *Disk) fitAll(b *broker.Batch) error {
	for i := range b.Ops {
		if err := d.fits(&b.Ops[i], true); err != nil {
			return err
		}
	}
	return nil
}

// fits says why op may not be kept; waited says that somebody waits for it.
func (d *Disk) fits(op *broker.Op, waited bool) error {
	switch op.Kind {
	case broker.OpRetain:
		if err := d.tx.fits(op); err != nil {
			return err
		}
	case broker.OpPutSession:
		if d.tight() {
			return d.fitsSession(op, waited)
		}
		return nil
	case broker.OpPush:
	default:
		return nil
	}
	if d.tight() {
		return ErrSpace
	}
	return nil
}
