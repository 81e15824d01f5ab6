package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/admin"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/client"
)

// by is who swaps, in the audit, if nobody says who.
const by = "admin API"

// Link is admin.Links.
func (o *operator) Link(context.Context) ([]client.Linked, error) {
	var out []client.Linked
	for _, l := range o.shown() {
		first := len(out)
		for i := range l.Components {
			out = append(out, linkedOf(l.Listener, &l.Components[i]))
		}
		o.waysBack(out[first:])
	}
	return out, nil
}

func linkedOf(listener string, v *link.ComponentView) client.Linked {
	if v == nil {
		return client.Linked{Grants: []string{}}
	}
	return client.Linked{
		Listener: listener, Role: v.Role.String(), Position: v.Position, Name: v.Name,
		Version: cmp.Or(v.Version, v.BundleVersion),
		Bundle:  v.Bundle, BundleVersion: v.BundleVersion,
		Form: string(v.Form), Contract: v.Contract,
		Digest: v.Digest, Size: v.Size, Grants: v.Grants,
		OnFault: v.OnFault.String(), Calls: v.Calls, Faults: v.Faults,
		Breaker: v.Breaker, LastFault: v.LastFault, Previous: v.Previous,
		BreakerSince: v.BreakerSince, BreakerOpened: v.BreakerOpened, Absent: v.Absent,
		Since: v.Since, Guests: v.Guests, MemoryBytesMax: v.MemoryBytesMax,
		Added: v.Added,
	}
}

// Swap is admin.Links. A name without a component is that of a default one; files of the broker's
// machine are not to be had by the API.
func (o *operator) Swap(ctx context.Context, s client.Swap) (client.Swapped, error) {
	role, err := link.ParseRole(s.Role)
	if err != nil {
		return client.Swapped{}, refusal(err)
	}
	c := configs.Component{
		Use: s.Use, Config: s.Config, Grants: s.Grants, OnFault: s.OnFault,
	}
	switch {
	case len(s.Wasm) == 0 && s.Use == "":
		err = errors.New("app: swap: name a component, or bring one")
	case len(s.Wasm) == 0 && (c.IsPath() || c.InRegistry()):
		err = fmt.Errorf("app: swap: %s is no default component; send the file itself, or "+
			"ask for a change of a bundle (hpmq-cli link swap --bundle)", s.Use)
	}
	if err != nil {
		return client.Swapped{}, refusal(err)
	}
	ref, err := refOf(&c)
	if err != nil {
		return client.Swapped{}, refusal(err)
	}
	if _, err = o.places.find(s.Listener); err == nil && role == link.RoleCodec {
		err = o.takesCodec(s.Listener)
	}
	if err != nil {
		return client.Swapped{}, err
	}
	item := rollout.Item{
		Listener: s.Listener, Role: s.Role, Position: s.Position, Source: s.Use,
		Settings: rollout.Settings{Config: ref.Config, Grants: s.Grants, OnFault: s.OnFault},
	}
	if len(s.Wasm) > 0 {
		digest, err := o.receive(s.Wasm)
		if err != nil {
			return client.Swapped{}, refusal(err)
		}
		item.Source = sentName(s.Use) + "@" + digest
	}
	done, err := o.swap(ctx, rollout.Request{
		Items: []rollout.Item{item}, Force: s.Force, By: s.By,
	})
	done.Listener = s.Listener
	return swapped(&done), refusal(err)
}

// swapID begins the ids of changes that somebody waits for as for a swap.
const swapID = "swap-"

// swap is a change that is committed at once; the answer is that of its first place. Swaps of one
// listener wait for each other, and for a reload.
func (o *operator) swap(ctx context.Context, q rollout.Request) (link.Result, error) {
	m := o.changes.machine
	q.ID, q.By = swapID+rand.Text(), cmp.Or(q.By, by)
	kept, end := o.changes.expect(q.ID)
	defer end()
	_, err := m.Submit(q)
	for busy := (*rollout.BusyError)(nil); errors.As(err, &busy) && soon(busy); busy = nil {
		if err = o.free(ctx, busy); err == nil {
			_, err = m.Submit(q)
		}
	}
	none := link.Result{}
	if err != nil {
		return none, err
	}
	c, err := m.Wait(ctx, q.ID)
	if err != nil { // who asked has gone
		go func() { _, _ = m.Cancel(o.life, q.ID, q.By) }()
		return none, err
	}
	o.changes.mu.Lock()
	defer o.changes.mu.Unlock()
	switch {
	case c.State == rollout.Done && len(kept.results) > 0:
		return kept.results[0], nil
	case kept.err != nil:
		return none, kept.err
	}
	return none, fmt.Errorf("app: swap: %s at step %s: %s", c.State, c.Of, c.Why)
}

// soon says whether who is at a listener is worth waiting for.
func soon(busy *rollout.BusyError) bool {
	return busy.Until != nil || strings.HasPrefix(busy.Change, swapID)
}

// free waits for who is at a listener.
func (o *operator) free(ctx context.Context, busy *rollout.BusyError) error {
	if busy.Until == nil {
		_, err := o.changes.machine.Wait(ctx, busy.Change)
		return err
	}
	select {
	case <-busy.Until:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("app: swap: %w", context.Cause(ctx))
	}
}

// takesCodec refuses a codec where connections would not get to it.
func (a *App) takesCodec(listener string) error {
	a.change.Lock()
	defer a.change.Unlock()
	d := a.doors[listener]
	if d == nil {
		return nil
	}
	if b, err := configs.ParseBind(d.cfg.Bind); err != nil || !b.WebSocket() {
		return nil
	}
	return refusal(fmt.Errorf("app: swap: listener %s has WebSocket: a codec is for tcp, tls "+
		"and unix", listener))
}

// Rollback is admin.Links.
func (o *operator) Rollback(ctx context.Context, r client.Rollback) (client.Swapped, error) {
	role, err := link.ParseRole(r.Role)
	if err != nil {
		return client.Swapped{}, refusal(err)
	}
	at, err := o.places.find(r.Listener)
	if err != nil {
		return client.Swapped{}, err
	}
	var done link.Result
	var undo error
	fleeting := ""
	if !o.changes.machine.Lasts(r.Listener, r.Role) {
		fleeting = "not on record, since the configuration names what this took out: write what " +
			"is wanted into that, or a restart or a reload links it again"
	}
	err = o.changes.machine.Undo(r.Listener, r.Role, cmp.Or(r.By, by), func() error {
		if undo = o.admitsBack(&r, at.key); undo == nil {
			done, undo = o.linker.Rollback(ctx, at.key, role)
		}
		return undo
	})
	if undo != nil {
		err = renamed(undo, at.key, r.Listener)
	}
	if errors.Is(undo, link.ErrNoPrevious) {
		done, err = o.back(ctx, r)
		fleeting = "" // that is a change
	}
	done.Listener = r.Listener
	out := swapped(&done)
	if err == nil {
		out.Unrecorded = cmp.Or(o.changes.machine.Unrecorded("", r.Listener), fleeting)
	}
	return out, refusal(err)
}

// admitsBack refuses what nobody vouches for any more, though it is still warm: by the record of
// what an undo brings back, or, of what that does not have, by what changes once linked.
func (o *operator) admitsBack(r *client.Rollback, key string) error {
	was, _ := o.changes.machine.Undoes(r.Listener, r.Role)
	for _, v := range o.chain(key, r.Role) {
		if v.Previous == "" {
			continue
		}
		digest := "sha256:" + v.Previous
		err := o.judgeDigest(digest)
		for _, s := range was {
			if s.Pinned != nil && s.Pinned.Digest == digest {
				err = o.judgePlace(s.Pinned)
				break
			}
		}
		if err != nil {
			return fmt.Errorf("app: roll back %s: %w", r.Role, err)
		}
	}
	return nil
}

// back is a rollback of what the tables have let go, as it is after a restart: by a change.
func (o *operator) back(ctx context.Context, r client.Rollback) (link.Result, error) {
	items, err := o.changes.machine.Back(r.Listener, r.Role)
	if err != nil {
		return link.Result{}, fmt.Errorf("app: roll back %s of %s: %w", r.Role, r.Listener, err)
	}
	return o.swap(ctx, rollout.Request{
		Items: items, Reason: "link rollback", Undo: true, By: r.By,
	})
}

func swapped(r *link.Result) client.Swapped {
	return client.Swapped{
		Old: linkedOf(r.Listener, r.Old), New: linkedOf(r.Listener, r.New),
		Listener: r.Listener, Role: r.Role.String(), Position: r.Position,
		PrepareMillis: r.Prepare.Milliseconds(), CommitMicros: r.Commit.Microseconds(),
		Keeps: r.Keeps,
	}
}

// refusal puts an error of a room into the words of the admin API. What a room has no word for was
// refused: the API changes nothing by halves.
func refusal(err error) error {
	var bind *BindError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTaken), errors.Is(err, errUnknown), errors.Is(err, errRefused):
		return err
	case errors.Is(err, rollout.ErrBehind):
		return as(admin.ErrGone, err)
	case errors.Is(err, link.ErrUnknownListener):
		return as(errUnknown, err)
	case errors.Is(err, link.ErrNoPrevious), errors.Is(err, link.ErrBusy), errors.As(err, &bind),
		errors.Is(err, rollout.ErrBusy), errors.Is(err, rollout.ErrContent),
		errors.Is(err, rollout.ErrEnded), errors.Is(err, rollout.ErrCommitted),
		errors.Is(err, rollout.ErrNotYet), errors.Is(err, rollout.ErrNoBack),
		errors.Is(err, rollout.ErrElsewhere):
		return as(errTaken, err)
	case errors.Is(err, rollout.ErrUnknown), errors.Is(err, rollout.ErrNotHeld):
		return as(errUnknown, err)
	case errors.Is(err, rollout.ErrLedger):
		return as(admin.ErrBusy, fmt.Errorf("%w; look at the device of the data folder: it is "+
			"tried again by itself, then ask again", err))
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT),
		errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EIO):
		return as(admin.ErrBusy, fmt.Errorf("%w; look at the device of the data folder, then ask "+
			"again", err))
	case errors.Is(err, rollout.ErrTooMany), errors.Is(err, rollout.ErrClosed):
		return as(admin.ErrBusy, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return as(errRefused, err)
}

// as marks err as of a kind without changing what it says.
func as(kind, err error) error { return &kinded{kind, err} }

type kinded struct{ kind, err error }

func (k *kinded) Error() string   { return k.err.Error() }
func (k *kinded) Unwrap() []error { return []error{k.kind, k.err} }
