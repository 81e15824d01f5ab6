package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// What bounds a look at a folder of bundles: its entries, the files of one, the bytes of one.
const (
	watchedMax      = 256
	watchedFilesMax = 4096
	watchedBytesMax = 256 << 20
)

// watcher looks into a folder for bundles that take the place of those that are linked. It has a
// goroutine of its own.
type watcher struct {
	*App
	cfg configs.Bundles
	// seen are the stamps of the last look, done those that were dealt with, by name; both of what
	// is there.
	seen, done map[string]string
	// old are those that the first look found: what was asked for before the start, maybe.
	old map[string]string
	// notes name the bundles of what is there, by its name.
	notes   map[string]string
	found   int    // what was no bundle at this look
	trouble string // what was told of the folder last
}

// openWatch watches the folder of bundles, if there is one.
func (a *App) openWatch(context.Context) error {
	w := &watcher{App: a, cfg: a.cfg.Bundles, done: make(map[string]string)}
	if w.cfg.Watch == "" {
		return nil
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-a.life.Done():
				return
			case <-a.clock.After(w.cfg.Interval.Std()):
				w.look()
			}
		}
	}()
	a.later("watch over bundles", func(context.Context) error {
		<-ended // life has
		return nil
	})
	return nil
}

// look takes what is the same as it was at the look before, and was not dealt with.
func (w *watcher) look() {
	now, err := stamps(w.cfg.Watch)
	if text := told(err); text != w.trouble {
		if w.trouble = text; err != nil {
			w.log.Error("app: the folder of bundles", "folder", w.cfg.Watch, "error", err)
		}
	}
	taken := false
	w.found = 0
	for _, name := range slices.Sorted(maps.Keys(now)) {
		stamp := now[name]
		if w.seen[name] != stamp || w.done[name] == stamp {
			continue
		}
		taken = true
		err := w.take(filepath.Join(w.cfg.Watch, name), w.old[name] == stamp)
		switch {
		case errors.Is(err, rollout.ErrBusy), errors.Is(err, rollout.ErrTooMany),
			errors.Is(err, rollout.ErrLedger):
			continue // at the next look
		case err != nil:
			w.log.Error("app: a bundle in the watched folder is not linked: mend it, and put it "+
				"there again", "bundle", name, "error", err)
		}
		if bad := (*unreadable)(nil); errors.As(err, &bad) {
			w.refuse(name, stamp, bad)
		}
		w.done[name] = stamp
	}
	if w.remember(now); taken {
		w.renew()
	}
}

// renew has the notes of what is there stay: those of files that come and go push the oldest out.
func (w *watcher) renew() {
	for _, note := range w.notes {
		if w.changes.machine.WasDealt(note) {
			_ = w.changes.machine.Dealt(note) // else it is renewed later
		}
	}
}

// unreadable is what is wrong with a file or folder that is no bundle: no change can be asked for.
type unreadable struct{ error }

func (u *unreadable) Unwrap() error { return u.error }

// refuse has the record of changes say so, once. Of one look it is told of as many as it keeps:
// more would push each other out, and a start would tell it of all of them again.
func (w *watcher) refuse(name, stamp string, why error) {
	if w.found++; w.found > rollout.Default().FindingsMax {
		return // the log has it
	}
	sum := sha256.Sum256([]byte(stamp))
	id := fmt.Sprintf("folder-%s-%s", strings.ToValidUTF8(name[:min(len(name), 64)], "?"),
		hex.EncodeToString(sum[:4]))
	last := id
	for n := 2; w.old[name] != stamp; n++ {
		if _, err := w.changes.machine.Change(last); err != nil {
			break
		}
		last = fmt.Sprintf("%s-%d", id, n)
	}
	err := w.changes.machine.Refuse(rollout.Finding{ID: last, By: watchedBy, Of: "read",
		Reason: fmt.Sprintf("%.200s is in the watched folder", name),
		Why:    fmt.Errorf("%w; mend it, and put it there again", why)})
	if err != nil {
		w.log.Error("app: a bundle in the watched folder", "bundle", name, "error", err)
	}
}

// watchedBy is who asks for what is found, in the audit.
const watchedBy = "bundles.watch"

// remember keeps what a look found, and forgets what is not there any more: put there again, it is
// something new. A folder that could not be read says nothing.
func (w *watcher) remember(now map[string]string) {
	if now == nil {
		return
	}
	if w.old == nil {
		w.old = maps.Clone(now)
	}
	gone := func(name, _ string) bool { return now[name] == "" }
	maps.DeleteFunc(w.old, gone)
	maps.DeleteFunc(w.done, gone)
	maps.DeleteFunc(w.notes, gone)
	w.seen = now
}

func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// stamps say of each bundle in a folder what can be seen of it without reading it. Names that begin
// with a dot are not looked at.
func stamps(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !e.IsDir() && !strings.HasSuffix(name, ".tar") {
			continue
		}
		if len(out) == watchedMax {
			return out, fmt.Errorf("there are more than %d bundles: %s and what follows is not "+
				"looked at: take some away", watchedMax, name)
		}
		if stamp, err := stampOf(filepath.Join(dir, name)); err == nil {
			out[name] = stamp
		}
	}
	return out, nil
}

// stampOf is another when any file is.
func stampOf(path string) (string, error) {
	var files, bytes int64
	var last time.Time
	err := filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
		if files++; info.Mode().IsRegular() {
			bytes += info.Size()
		}
		if files > watchedFilesMax {
			return fs.SkipAll
		}
		return nil
	})
	return fmt.Sprint(files, " ", bytes, " ", last.UnixNano()), err
}

// take asks for a change of all places that a bundle is for. What is old was there at the start: if
// it was asked for before, it is not asked for again.
func (w *watcher) take(path string, old bool) error {
	l, b, err := w.read(path)
	if l != nil {
		defer func() {
			if err != nil {
				_ = l.Close()
			}
		}()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return err // it has just gone
	}
	if err != nil {
		return &unreadable{err}
	}
	if w.notes == nil {
		w.notes = make(map[string]string)
	}
	w.notes[filepath.Base(path)] = dealt(b)
	q := rollout.Request{
		By: watchedBy, Reason: fmt.Sprintf("%s %s is in %.200s", b.Name, b.Version, path),
		Watch: w.cfg.Observe.Std(), ByForce: "hpmq-cli link swap --force --bundle " + path,
	}
	percents, _ := w.cfg.Percents()
	for _, p := range percents {
		q.Canary.Steps = append(q.Canary.Steps,
			rollout.CanaryStep{Percent: p, Dwell: w.cfg.Dwell.Std()})
	}
	opened, linked := &openedBundle{Bundle: b, layout: l.layout}, false
	for i := range b.Components {
		c := &b.Components[i]
		art, err := opened.choose(rollout.Item{Role: c.Role, Component: c.Name})
		if err != nil {
			return err
		}
		items, already := w.places(b, c, art)
		q.Items, linked = append(q.Items, items...), linked || already
	}
	if len(q.Items) == 0 {
		return errors.Join(w.nothing(b, linked), l.Close())
	}
	if q.ID, err = w.name(b, old); q.ID == "" {
		return errors.Join(err, l.Close())
	}
	if _, err = w.changes.machine.Submit(q); err != nil {
		return err
	}
	go func() { // it is read until the change is verified
		if c, err := w.changes.machine.Wait(w.life, q.ID); err == nil && !c.Stopped {
			_ = w.changes.machine.Dealt(dealt(b)) // else its record says so, as long as it is kept
		}
		_ = l.Close()
	}()
	return nil
}

// nothing is to be asked for. What is linked was dealt with, whoever linked it: who goes away from
// it later would find it linked again by a start. What is linked nowhere is for who names it yet.
func (w *watcher) nothing(b *bundle.Bundle, linked bool) error {
	if !linked {
		w.log.Info("app: a bundle in the watched folder takes the place of nothing yet",
			"bundle", b.Name, "version", b.Version)
		return nil
	}
	if err := w.changes.machine.Dealt(dealt(b)); err != nil {
		return err
	}
	w.log.Info("app: a bundle in the watched folder is linked already",
		"bundle", b.Name, "version", b.Version)
	return nil
}

// watched is a layout that is open.
type watched struct {
	io.Closer
	layout *oci.Layout
}

func (w *watcher) read(path string) (*watched, *bundle.Bundle, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, nil, err
	} else if info.Size() > watchedBytesMax {
		return nil, nil, fmt.Errorf("it has %d bytes, at most %d are read: make it smaller",
			info.Size(), watchedBytesMax)
	}
	l, err := openLayout(path)
	if err != nil {
		return nil, nil, err
	}
	open := &watched{l, l}
	d, err := bundle.Find(l, "")
	if err != nil {
		return open, nil, err
	}
	b, err := bundle.Take(l, d) // nobody vouched for it yet
	return open, b, err
}

// dealt names a bundle of the folder that was dealt with: for longer than changes are kept.
func dealt(b *bundle.Bundle) string { return "bundles.watch " + string(b.Digest) }

// name is by the bundle, so that it is asked for once, but for a file that was put there again, and
// for what only the end of the broker ended: that is tried at so many starts.
func (w *watcher) name(b *bundle.Bundle, old bool) (string, error) {
	id := fmt.Sprintf("bundle-%.64s-%s", b.Name, b.Digest.Short())
	name, stopped, last := id, 0, rollout.Change{}
	for n := 2; ; n++ {
		c, err := w.changes.machine.Change(name)
		if err != nil {
			break
		}
		if stopped++; !c.Stopped {
			stopped = 0
		}
		name, last = fmt.Sprintf("%s-%d", id, n), c
	}
	switch {
	case old && last.ID == "" && w.changes.machine.WasDealt(dealt(b)):
		return "", nil
	case !old || last.ID == "" || stopped > 0 && stopped < startsMax:
		return name, nil
	}
	_ = w.changes.machine.Dealt(dealt(b)) // else it is at the next start
	if last.State == rollout.Done {
		return "", nil
	}
	return "", fmt.Errorf("change %s ended as %s: %s", last.ID, last.State, last.Why)
}

// startsMax bounds how often in a row the end of the broker is no reason against a bundle: it might
// be what ends it.
const startsMax = 5

// places are items for where a component of that name is linked from another bundle, and whether
// it is linked from b somewhere.
func (w *watcher) places(
	b *bundle.Bundle, c *bundle.Component, art *rollout.Artifact,
) (items []rollout.Item, linked bool) {
	w.change.Lock()
	defer w.change.Unlock()
	for _, listener := range slices.Sorted(maps.Keys(w.doors)) {
		d := w.doors[listener]
		for i, v := range w.chain(d.key, c.Role) {
			name, had := w.from(listener, c.Role, i, d.marks[v.Since])
			if had == "" || name != c.Name {
				continue
			}
			if had == string(b.Digest) {
				linked = true
				continue
			}
			copied := *art
			items = append(items, rollout.Item{
				Listener: listener, Role: c.Role, Position: i, Component: c.Name,
				Source: b.Name + "@" + string(b.Digest),
				More:   &brought{art: &copied, watched: true},
			})
		}
	}
	return items, linked
}

// from answers of which name a component is, and in which bundle it came, "" for none.
func (w *watcher) from(listener, role string, i int, m mark) (name, bundle string) {
	for _, l := range w.changes.machine.Linked() {
		chain, changed := l.Chains[role]
		if l.Listener != listener || !changed || i >= len(chain) {
			continue
		}
		if p := chain[i].Pinned; p != nil {
			return p.Name, p.Bundle
		}
	}
	return m.name, m.bundle
}

// mayReplace refuses a bundle of one name that brings a component of another, unless who vouches
// for it may ship both: nobody named the place.
func (a *App) mayReplace(art *rollout.Artifact) error {
	if art.Vouched != "" ||
		art.Key == "" && sign.Matches(a.trust.Load().Unsigned, art.Name) {
		return nil
	}
	return fmt.Errorf("who vouches for the bundle may not ship %s: add that to the names of the "+
		"key in trust, or ask for the change by hand", art.Name)
}
