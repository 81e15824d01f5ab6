package configs

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	parser "github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"go.yaml.in/yaml/v3"
)

// ParseListener reads one listener as it stands in the list of a configuration, YAML or JSON, over
// base: what text leaves out is as there, and a section that is null is left out. An error of type
// Problems lists every fault, by paths within the listener. Paths of files stay as they are.
func ParseListener(text []byte, base Listener) (Listener, error) {
	if problems := readOrigins("text", text, origins{}); len(problems) > 0 {
		return Listener{}, problems
	}
	k := koanf.New(".")
	lay := koanf.WithMergeFunc(overlay)
	if err := k.Load(rawbytes.Provider(text), parser.Parser(), lay); err != nil {
		return Listener{}, syntaxProblems("text", err)
	}
	d := decoder{from: origins{}, fresh: fresh(&base.Limits), clear: true}
	d.value("", k.Raw(), reflect.ValueOf(&base).Elem())
	var invalid Problems
	if err := base.Validate(); errors.As(err, &invalid) {
		d.problems.merge(invalid)
	}
	if err := d.problems.err(); err != nil {
		return Listener{}, err
	}
	return base, nil
}

// Validate answers every fault of l by itself as Problems, or nil.
func (l *Listener) Validate() error {
	var ps Problems
	l.Limits.validate(&ps, "limits")
	l.validate(&ps, "", nil)
	for i := range ps {
		ps[i].Path = strings.TrimPrefix(ps[i].Path, ".")
	}
	return ps.err()
}

// Foreign answers the first file of l that a stranger to the machine may not name: a component, or
// a path that depends on where the broker was started. What is as in base is left out.
func (l *Listener) Foreign(base *Listener) error {
	if err := l.foreignLink(base); err != nil {
		return err
	}
	if l.Secure == nil || reflect.DeepEqual(l.Secure, base.Secure) {
		return nil
	}
	for _, file := range l.Secure.Files() {
		if !filepath.IsAbs(file) {
			return fmt.Errorf("tls: %s: the path must be absolute, on the machine of the broker",
				clip(file))
		}
	}
	return nil
}

func (l *Listener) foreignLink(base *Listener) error {
	if m := l.Log; m != nil && m.Redact != nil && m.Redact.IsPath() &&
		!reflect.DeepEqual(m, base.Log) {
		return fmt.Errorf("log.redact.use: %s: only default components", clip(m.Redact.Use))
	}
	if reflect.DeepEqual(l.Link, base.Link) {
		return nil
	}
	for _, role := range Roles() {
		for i, c := range *l.Link.Role(role) {
			if c.IsPath() {
				return fmt.Errorf("link.%s[%d].use: %s: only default components; swap others in",
					role, i, clip(c.Use))
			}
		}
	}
	return nil
}

// Shown is l as it is written in a configuration, without what its components are told: there may
// be secrets in that.
func (l *Listener) Shown() (Document, error) {
	shown := *l
	for _, role := range Roles() {
		chain := slices.Clone(*l.Link.Role(role))
		for i := range chain {
			chain[i].Config = nil
		}
		*shown.Link.Role(role) = chain
	}
	if l.Log != nil && l.Log.Redact != nil {
		m, c := *l.Log, *l.Log.Redact
		c.Config, m.Redact = nil, &c
		shown.Log = &m
	}
	text, err := yaml.Marshal(&shown)
	if err != nil {
		return nil, fmt.Errorf("configs: show: %w", err)
	}
	var out Document
	if err := yaml.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("configs: show: %w", err)
	}
	return out, nil
}
