package link

import (
	"context"
	"errors"
)

// Wanted is what a listener is to be linked to.
type Wanted struct {
	Listener string
	Spec     Spec
}

// Rehearse takes all steps of Link but the commit, for all of wanted side by side: components are
// read, compiled, checked, made and configured, and end when it returns. It goes on after a refusal
// and answers all of them. It blocks for as long as compiling takes; what is linked goes on.
func (l *Linker) Rehearse(ctx context.Context, wanted []Wanted) error {
	var errs []error
	for i := range wanted {
		made, err := l.rehearse(ctx, &wanted[i])
		defer closeAll(made) // until all are made: a start has them all at once
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// rehearse answers the entries that could be made, and what the others were refused for.
func (l *Linker) rehearse(ctx context.Context, w *Wanted) (made []*entry, err error) {
	if err := l.fits(w.Listener, w.Spec); err != nil {
		return nil, err
	}
	var errs []error
	var together ward
	for r := Role(0); r < roleCount; r++ {
		for _, ref := range w.Spec[r] {
			b := build{l: l, listener: w.Listener, ward: &together, role: r, ref: ref}
			e, err := b.entry(ctx)
			if errs = append(errs, err); e != nil {
				made = append(made, e)
			}
		}
	}
	return made, errors.Join(errs...)
}

func closeAll(entries []*entry) {
	for _, e := range entries {
		e.close()
	}
}
