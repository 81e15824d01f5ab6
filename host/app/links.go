package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/file"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/lite/broker"
)

// openLinker makes the linker. It comes after the loops, whose turns it must know, and before the
// listeners, which ask it.
func (a *App) openLinker(context.Context) error {
	return a.makeLinker(a.loops.Loops(), a.loops)
}

func (a *App) makeLinker(loops int, q turns) error {
	l, err := a.newLinker(loops, q)
	a.linker = l
	return err
}

// turns are the loops, as who changes a link sees them.
type turns interface {
	link.Quiescer
	link.Halter
}

func (a *App) newLinker(loops int, q turns) (*link.Linker, error) {
	reader := reader{bytesMax: int64(a.cfg.Wasm.ModuleMax)}
	a.bounds, a.interpreter = linkConfig(&a.cfg, loops), a.cfg.Wasm.Interpreter
	l, err := link.New(a.engine, a.bounds, link.Ports{
		Read: reader.read, Quiescer: q, Halter: q, History: a.caps.history, KV: a.caps.kv,
		Keys:  link.Migrations(a.caps.kv),
		Line:  a.caps.log.Line,
		Ships: ships, Log: a.log, Now: func() broker.Time { return broker.Time(a.now()) },
	})
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return l, nil
}

func linkConfig(c *configs.Config, loops int) link.Config {
	cfg := link.Default()
	cfg.Loops = loops
	cfg.ChainMax = configs.ChainMax
	w := &c.Wasm
	cfg.Limits = link.Limits{
		Fuel: w.FuelMax, StartFuel: w.StartFuelMax, DepthMax: w.DepthMax,
		MemoryBytesMax: uint32(w.MemoryMax),
	}
	cfg.ListenerGuestsMax = int(w.ListenerGuestsMax)
	cfg.ListenerMemoryBytesMax = uint64(w.ListenerMemoryMax)
	cfg.RedactFailures = w.Failures == configs.FailuresRedacted
	cfg.AuthLimits = link.Limits{
		Fuel: w.AuthFuelMax, StartFuel: w.StartFuelMax, DepthMax: w.DepthMax,
		MemoryBytesMax: uint32(w.AuthMemoryMax),
	}
	return cfg
}

// ships says whether a component of that name comes with the broker.
func ships(name string) bool {
	return slices.Contains(components.Names(), name) ||
		slices.Contains(components.Further(), name)
}

// reader brings components: the default ones by name, the others from files.
type reader struct{ bytesMax int64 }

// read is link.Ports.Read.
func (r reader) read(_ context.Context, use string) (link.Artifact, error) {
	ref := configs.Component{Use: use}
	if !ref.IsPath() {
		code, ok := components.Default(use)
		if !ok {
			return link.Artifact{}, fmt.Errorf("no component %q comes with the broker", use)
		}
		return link.Artifact{Code: code, Name: use, Default: true}, nil
	}
	code, err := file.Read(use, r.bytesMax)
	if errors.Is(err, file.ErrTooLarge) {
		return link.Artifact{}, fmt.Errorf("%w, the limit of wasm.module_max", err)
	}
	return link.Artifact{Code: code}, err
}

// specOf says a link in the linker's words.
func specOf(l *configs.Link) (link.Spec, error) {
	spec := make(link.Spec)
	for _, name := range configs.Roles() {
		role, err := link.ParseRole(name)
		if err != nil {
			return nil, err
		}
		for _, c := range *l.Role(name) {
			ref, err := refOf(&c)
			if err != nil {
				return nil, err
			}
			spec[role] = append(spec[role], ref)
		}
	}
	return spec, nil
}

func refOf(c *configs.Component) (link.Ref, error) {
	onFault, err := link.ParseFaultPolicy(c.OnFault)
	if err != nil {
		return link.Ref{}, err
	}
	text, err := jsonOf(c.Config)
	return link.Ref{
		Use: c.Use, Config: text, Env: c.Env, Grants: c.Grants, OnFault: onFault,
		Limits: entryLimits(c),
	}, err
}

func entryLimits(c *configs.Component) link.Limits {
	return link.Limits{Fuel: c.Fuel, MemoryBytesMax: uint32(c.Memory)}
}

// jsonOf is nil for nil.
func jsonOf(m map[string]any) (json.RawMessage, error) {
	if m == nil {
		return nil, nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, errors.Join(errRefused, err)
	}
	return text, nil
}

// Linked is what serves a listener, in few words.
type Linked struct {
	Listener string
	// Components are names with versions, in the order of the roles.
	Components []string
}

// Linked answers what is linked, by listener.
func (a *App) Linked() []Linked {
	var out []Linked
	for _, v := range a.shown() {
		l := Linked{Listener: v.Listener}
		for _, c := range v.Components {
			l.Components = append(l.Components, strings.TrimSpace(c.Name+" "+
				cmp.Or(c.Version, c.BundleVersion)))
		}
		out = append(out, l)
	}
	return out
}

// shown is what is linked, by the names that operators know, those of removed listeners among it.
func (a *App) shown() []link.ListenerView {
	names := a.names()
	var out []link.ListenerView
	for _, v := range a.linker.Show() {
		if name, ok := names[v.Listener]; ok {
			v.Listener = name
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(x, y link.ListenerView) int {
		return cmp.Compare(x.Listener, y.Listener)
	})
	return out
}

// names are the names that operators know of listeners, by those of their links.
func (a *App) names() map[string]string {
	a.change.Lock()
	defer a.change.Unlock()
	names := make(map[string]string, len(a.doors)+len(a.left))
	for _, doors := range []map[string]*door{a.doors, a.left} {
		for _, d := range doors {
			names[d.key] = d.name()
		}
	}
	return names
}
