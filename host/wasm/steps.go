package wasm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// coreModule is a core module of a plan: what is known of it, and its code by how it was rewritten.
// One module can stand in several steps that give it other imports.
type coreModule struct {
	*fuel.Module
	rewritten map[string]*fuel.Module
	compiled  map[string]wazero.CompiledModule
}

// function finds an exported function.
func (c *coreModule) function(name string) (signature, error) {
	for _, ex := range c.Exports {
		if ex.Kind == fuel.KindFunc && ex.Name == name {
			return signature{params: valueTypes(ex.Params), results: valueTypes(ex.Results)}, nil
		}
	}
	return signature{}, fmt.Errorf("a core module exports no function %q", name)
}

// bare tells that it has no code, and nothing to run.
func (c *coreModule) bare() bool { return c.Functions == 0 && !c.HasStart }

// ownPages is what the memory that it defines starts with.
func (c *coreModule) ownPages() uint64 {
	imported := slices.ContainsFunc(c.Imports, func(im fuel.Import) bool {
		return im.Kind == fuel.KindMemory
	})
	if imported {
		return 0
	}
	return uint64(c.MemoryPagesMin)
}

// has checks that a step's instance exports an item. The counters are no exports here.
func (l *linker) has(d plan.CoreDef, sort component.Sort) error {
	if d.Instance < 0 || d.Instance >= len(l.p.Instances) || d.Sort != sort {
		return fmt.Errorf("core instance %d is none to have a %v of", d.Instance, sort)
	}
	c := l.modules[l.p.Instances[d.Instance].Module]
	if !slices.ContainsFunc(c.Exports, func(ex fuel.Export) bool {
		return ex.Name == d.Name && ex.Kind == byte(sort)
	}) {
		return fmt.Errorf("core instance %d exports no %v %q", d.Instance, sort, d.Name)
	}
	return nil
}

// rewriteAll learns of all modules what they are. Sizes are added up by step: a module that stands
// in two has two memories.
func (l *linker) rewriteAll(context.Context) error {
	var low, high, pages, elements uint64
	for i := range l.p.Instances {
		in := &l.p.Instances[i]
		c := l.modules[in.Module]
		if c == nil {
			var err error
			if c, err = l.rewriteFirst(i); err != nil {
				return fmt.Errorf("core module %d: %w", in.Module, err)
			}
			l.modules[in.Module] = c
			if err := l.withinAlive(c.Alive); err != nil {
				return err
			}
		}
		low, high = low+c.TableElementsMin, high+c.TableElementsMax
		pages += c.ownPages()
		elements += c.Elements
		if err := l.e.withinSegments(elements); err != nil {
			return err
		}
		if len(in.Args) != len(c.Imports) {
			return fmt.Errorf("core instance %d is given %d imports of %d", i, len(in.Args),
				len(c.Imports))
		}
	}
	l.m.bytesMin = pages * pageBytes
	l.m.steps = make([]step, len(l.p.Instances))
	l.fixTables = high > uint64(l.e.cfg.TableElementsMax)
	return l.e.withinTables(low)
}

func (l *linker) rewriteFirst(i int) (*coreModule, error) {
	c := &coreModule{
		rewritten: map[string]*fuel.Module{}, compiled: map[string]wazero.CompiledModule{},
	}
	names, _ := l.importNames(i)
	key := rewriteKey(fuel.Own, names)
	r, err := l.rewrite(i, fuel.Own, names)
	if err != nil {
		return nil, err
	}
	c.Module, c.rewritten[key] = r, r
	return c, nil
}

// importNames says what the imports of a step ask for once renamed: a trampoline by its place, an
// export of another step by its name, from a module that is the place of that step among from. So
// two steps that are given alike share their code.
func (l *linker) importNames(i int) (names []fuel.Name, from []int) {
	for place, a := range l.p.Instances[i].Args {
		if a.Def.Instance < 0 {
			names = append(names, fuel.Name{Module: hostImports, Name: strconv.Itoa(place)})
			continue
		}
		n := slices.Index(from, a.Def.Instance)
		if n < 0 {
			n, from = len(from), append(from, a.Def.Instance)
		}
		names = append(names, fuel.Name{Module: strconv.Itoa(n), Name: a.Def.Name})
	}
	return names, from
}

func rewriteKey(c fuel.Counters, names []fuel.Name) string {
	var b strings.Builder
	b.WriteByte(byte(c))
	for _, n := range names {
		fmt.Fprintf(&b, "%q %q ", n.Module, n.Name)
	}
	return b.String()
}

// rewrite rewrites the module of a step. Together the modules may have ModuleBytesMax, as often as
// each is rewritten.
func (l *linker) rewrite(i int, c fuel.Counters, names []fuel.Name) (*fuel.Module, error) {
	code := l.p.Modules[l.p.Instances[i].Module]
	if l.bytes += len(code); l.bytes > 2*int(l.e.cfg.ModuleBytesMax) {
		return nil, fmt.Errorf("%w: its core modules are instantiated with so many different "+
			"imports that they come to %d bytes", fuel.ErrLimit, l.bytes)
	}
	return fuel.RewriteWith(code, l.e.fuelLimits(), fuel.Options{
		Counters: c, FixTables: l.fixTables,
		Rename: func(place int, im fuel.Import) fuel.Name {
			if place >= len(names) {
				return fuel.Name{}
			}
			return names[place]
		},
	})
}

// withinAlive adds what compiling a module takes. Together the modules may take what two may, as
// often as each is compiled.
func (l *linker) withinAlive(n uint64) error {
	most := 2 * uint64(l.e.fuelLimits().AliveSumMax)
	if l.alive += n; l.alive <= most {
		return nil
	}
	return fmt.Errorf("%w: its core modules together have locals and operands alive at blocks "+
		"and branches %d times, at most %d are taken; optimize (-Os, wasm-opt -Os)",
		fuel.ErrLimit, l.alive, most)
}

// makeSteps compiles. Counters are in the first instance that needs some: it is there before all
// that would import them.
func (l *linker) makeSteps(ctx context.Context) error {
	for i := range l.p.Instances {
		if err := l.checkArgs(i); err != nil {
			return fmt.Errorf("core instance %d: %w", i, err)
		}
	}
	forwards := l.forwarders()
	l.m.counters = -1
	for i := range l.p.Instances {
		mode := fuel.Imported
		switch c := l.modules[l.p.Instances[i].Module]; {
		case c.bare():
			mode = fuel.Without
		case forwards[i]:
			mode, l.m.forwards = fuel.Without, true
		case l.m.counters < 0:
			mode, l.m.counters = fuel.Own, i
		}
		if err := l.makeStep(ctx, i, mode); err != nil {
			return fmt.Errorf("core instance %d: %w", i, err)
		}
	}
	if l.m.counters < 0 {
		if err := l.addCounters(ctx); err != nil {
			return err
		}
	}
	if len(l.loose) == 0 {
		return nil
	}
	var err error
	l.m.loose, err = l.m.hostModule(ctx, l.loose)
	return err
}

func (l *linker) makeStep(ctx context.Context, i int, mode fuel.Counters) error {
	names, from := l.importNames(i)
	s := &l.m.steps[i]
	c := l.modules[l.p.Instances[i].Module]
	s.from, s.start = from, c.HasStart
	var err error
	if s.core, err = l.compile(ctx, i, mode, names); err != nil {
		return err
	}
	host := map[string]*trampoline{}
	for place, a := range l.p.Instances[i].Args {
		if a.Def.Instance < 0 {
			host[strconv.Itoa(place)] = l.trampolines[a.Def.Trampoline]
		}
	}
	if len(host) == 0 {
		return nil
	}
	if l.given += len(host); l.given > int(l.e.cfg.TrampolinesMax) {
		return fmt.Errorf("%w: its core instances are given functions of the host more than %d "+
			"times (TrampolinesMax)", fuel.ErrLimit, l.e.cfg.TrampolinesMax)
	}
	s.host, err = l.m.hostModule(ctx, host)
	return err
}

// compile compiles the module of a step, unless an earlier one has it alike.
func (l *linker) compile(
	ctx context.Context, i int, mode fuel.Counters, names []fuel.Name,
) (wazero.CompiledModule, error) {
	c := l.modules[l.p.Instances[i].Module]
	key := rewriteKey(mode, names)
	if made := c.compiled[key]; made != nil {
		return made, nil
	}
	r := c.rewritten[key]
	if r == nil || l.fixTables {
		var err error
		if r, err = l.rewrite(i, mode, names); err != nil {
			return nil, err
		}
	}
	if len(c.compiled) > 0 { // the first time is counted, before all else
		if err := l.withinAlive(r.Alive); err != nil {
			return nil, err
		}
	}
	made, err := l.e.compileCode(ctx, r.Code)
	if err != nil {
		return nil, err
	}
	l.m.cores = append(l.m.cores, made)
	c.compiled[key] = made
	return made, nil
}

// addCounters adds a step for a component that has no code that counts.
func (l *linker) addCounters(ctx context.Context) error {
	r, err := fuel.Rewrite([]byte("\x00asm\x01\x00\x00\x00"), l.e.fuelLimits())
	if err != nil {
		return err
	}
	core, err := l.e.compileCode(ctx, r.Code)
	if err != nil {
		return err
	}
	l.m.cores = append(l.m.cores, core)
	l.m.counters = len(l.m.steps)
	l.m.steps = append(l.m.steps, step{core: core})
	return nil
}

// checkArgs checks that the imports of a step are what came before it.
func (l *linker) checkArgs(i int) error {
	in := &l.p.Instances[i]
	for place, im := range l.modules[in.Module].Imports {
		a := in.Args[place]
		if a.Module != im.Module || a.Name != im.Name {
			return fmt.Errorf("import %q %q is given for %q %q", a.Module, a.Name, im.Module,
				im.Name)
		}
		if a.Def.Instance >= i || byte(a.Def.Sort) != im.Kind {
			return fmt.Errorf("import %q %q is of another kind or comes later", im.Module, im.Name)
		}
		if err := l.checkArg(a.Def, im); err != nil {
			return fmt.Errorf("import %q %q: %w", im.Module, im.Name, err)
		}
	}
	return nil
}

func (l *linker) checkArg(d plan.CoreDef, im fuel.Import) error {
	if im.Kind != fuel.KindFunc {
		return l.has(d, d.Sort)
	}
	have, err := l.signatureOf(d)
	want := signature{params: valueTypes(im.Params), results: valueTypes(im.Results)}
	if err == nil && !have.equal(want) {
		err = fmt.Errorf("wanted as %v, is %v", want, have)
	}
	return err
}
