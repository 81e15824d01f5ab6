package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/trial"
)

// links tries each link of a broker's configuration that uses the component: by its file, or a
// default component by its name.
func (k *check) links(ctx context.Context, t *trial.Trial, b *subject, c *checked) error {
	cfg, err := configs.Load(configs.Sources{File: k.linkFile})
	if err != nil {
		return err
	}
	listeners, uses := []string{}, []string{}
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		listeners = append(listeners, l.Name)
		if k.listener != "" && k.listener != l.Name {
			continue
		}
		for _, e := range entriesOf(l) {
			uses = append(uses, e.entry.Use)
			if !sameComponent(e.entry, b) {
				continue
			}
			one, err := k.linked(ctx, t, b, e)
			if err != nil {
				return err
			}
			c.Links = append(c.Links, one)
		}
	}
	switch {
	case c.Links != nil:
		return nil
	case k.listener != "" && !contains(listeners, k.listener):
		return fmt.Errorf("%s has no listener %q; there are %v", k.linkFile, k.listener, listeners)
	}
	return fmt.Errorf("no link of %s uses %s; they use %v", k.linkFile, filepath.Base(b.file), uses)
}

// entriesOf are the places of a listener's link.
func entriesOf(l *configs.Listener) []linkEntry {
	var all []linkEntry
	for _, role := range configs.Roles() {
		list := *l.Link.Role(role)
		for at := range list {
			where := fmt.Sprintf("%s %s[%d]", l.Name, role, at)
			all = append(all, linkEntry{where, role, &list[at]})
		}
	}
	return all
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// sameComponent says whether an entry of a link means this file.
func sameComponent(entry *configs.Component, b *subject) bool {
	if !entry.IsPath() {
		return entry.Use == b.name()
	}
	one, err := os.Stat(entry.Use)
	other, err2 := os.Stat(b.file)
	if err == nil && err2 == nil {
		return os.SameFile(one, other)
	}
	return filepath.Base(entry.Use) == filepath.Base(b.file) // not there on this machine
}

// linkEntry is a place in a link.
type linkEntry struct {
	where, role string
	entry       *configs.Component
}

// linked tries one entry: with its own configuration, grants and bounds.
func (k *check) linked(
	ctx context.Context, t *trial.Trial, b *subject, e linkEntry,
) (checkedLinked, error) {
	out := checkedLinked{Where: e.where, Grants: append([]string{}, e.entry.Grants...)}
	role, err := link.ParseRole(e.role)
	if err != nil {
		return out, err
	}
	ref := link.Ref{
		Use: b.name(), Code: b.code, Grants: out.Grants,
		Limits: link.Limits{Fuel: e.entry.Fuel, MemoryBytesMax: uint32(e.entry.Memory)},
	}
	if e.entry.Grants == nil && !e.entry.IsPath() {
		ref.Grants = trial.Grantable() // of a default component the manifest is trusted
	}
	if e.entry.Config != nil {
		if ref.Config, err = json.Marshal(e.entry.Config); err != nil {
			return out, err
		}
	}
	p, err := t.Probe(ctx, role, ref)
	var step *link.StepError
	switch {
	case err == nil:
		p.Close()
	case errors.As(err, &step):
		out.Refused, out.ToDo = fmt.Sprintf("at step %s: %v", step.Step, step.Err), step.Do
	default:
		return out, err
	}
	return out, nil
}
