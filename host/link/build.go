package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/component"
)

// build makes an entry beside the running ones. Its methods are the steps of a swap up to the
// commit, in their order; each error is a *StepError.
type build struct {
	l        *Linker
	listener string
	ward     *ward // of the listener
	role     Role
	ref      Ref
	// before is the entry that is swapped out, nil for none.
	before *entry
}

func (b *build) refuse(s Step, err error, do string) error {
	use := b.ref.Use
	if use == "" {
		use = "component"
	}
	return &StepError{Step: s, Listener: b.listener, Role: b.role, Use: use, Do: do, Err: err}
}

// entry takes all steps. On an error nothing is left of it.
func (b *build) entry(ctx context.Context) (*entry, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	art, err := b.read(ctx)
	if err != nil {
		return nil, err
	}
	mod, err := b.l.modules.acquire(ctx, art.Code)
	if err != nil {
		return nil, b.compileRefusal(err)
	}
	e := b.begin(art, mod)
	if err := b.prepare(ctx, e, art); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// compileRefusal tells what of the imports is wrong and what can be done. All that a component
// wants is in one answer: what nobody serves, and what it must be granted beside.
func (b *build) compileRefusal(err error) error {
	var imports *wasm.ImportsError
	switch {
	case errors.As(err, &imports):
		err = b.l.contracts.explain(err)
		do := "build it against wit/ as this broker has it, " +
			b.l.contracts.packages()
		if missing := b.missing(imports.Interfaces, b.ref.Grants); missing != nil {
			do += "; it also wants " + strings.Join(missing, ", ") + ", which its link must grant"
		}
		return b.refuse(StepCompile, err, do)
	case errors.Is(err, component.ErrNotServed):
		return b.refuse(StepCompile, err, "build it without that")
	}
	return b.refuse(StepCompile, err, "give a component of a world of wit/, or a WebAssembly core "+
		"module that speaks the canonical ABI of one")
}

// missing are the capabilities among interfaces that are not granted.
func (b *build) missing(interfaces, granted []string) []string {
	var missing []string
	for _, name := range interfaces {
		short, ok := b.l.contracts.capability(name)
		if ok && !slices.Contains(alwaysGranted[:], short) && !slices.Contains(granted, short) &&
			!slices.Contains(missing, short) {
			missing = append(missing, short)
		}
	}
	return missing
}

// check looks at the request alone.
func (b *build) check() error {
	if len(b.ref.Config) > b.l.cfg.ConfigBytesMax {
		err := fmt.Errorf("its configuration has %d bytes as JSON", len(b.ref.Config))
		return b.refuse(StepRequest, err, fmt.Sprintf("shorten it to %d", b.l.cfg.ConfigBytesMax))
	}
	if len(b.ref.Config) > 0 && !json.Valid(b.ref.Config) {
		return b.refuse(StepRequest, errors.New("its configuration is not JSON"),
			"correct the configuration")
	}
	if err := checkEnv(b.ref.Env); err != nil {
		return b.refuse(StepRequest, err, "correct env in its entry of the configuration")
	}
	all := b.l.contracts.capabilities()
	for _, g := range b.ref.Grants {
		if !slices.Contains(all, g) {
			return b.refuse(StepRequest, fmt.Errorf("there is no capability %q to grant", g),
				"grant some of "+strings.Join(all, ", "))
		}
	}
	return nil
}

func (b *build) read(ctx context.Context) (Artifact, error) {
	if b.ref.Code != nil {
		return Artifact{Code: b.ref.Code}, nil
	}
	art, err := b.l.ports.Read(ctx, b.ref.Use)
	if err != nil {
		return art, b.refuse(StepRead, err, "name a default component or a .wasm file")
	}
	return art, nil
}

// begin is an entry without seats, named as far as the artifact names it.
func (b *build) begin(art Artifact, mod *module) *entry {
	e := &entry{
		linker: b.l, listener: b.listener, role: b.role, digest: mod.Digest(), module: mod,
		id: b.l.entries.Add(1), ward: b.ward, breaker: wasm.NewBreaker(b.l.cfg.Pool),
		config: b.ref.Config, onFault: b.ref.OnFault.or(b.role), since: time.Now(),
		own: b.ref.Limits, limits: b.l.cfg.limits(b.role, b.ref.Limits),
		name: art.Name, version: art.Version, env: b.ref.Env,
		bundle: b.ref.Bundle, bundleVersion: b.ref.BundleVersion,
		shipped: art.Default || b.ref.Vouched != "",

		wasi: state.Settings{Environment: environment(b.ref.Env), WaitMax: b.role.waitMax()},

		lendsAbove: math.MaxInt,
	}
	if b.role == RoleWorker {
		e.desk = newDesk(e)
	}
	return e
}

// prepare takes the steps from the compiled module on.
func (b *build) prepare(ctx context.Context, e *entry, art Artifact) error {
	m, err := b.manifest(e, art.Code)
	if err != nil {
		return err
	}
	if e.speaks, err = b.exports(e.module); err != nil {
		return err
	}
	if e.speaks.lent != nil {
		e.lendsAbove = handleAbove
	}
	e.self, e.schema = publish.From(e.name), m.State.Schema
	e.grants = b.grants(e, art, &m)
	if err := b.imports(e); err != nil {
		return err
	}
	return b.seats(ctx, e)
}

// exports chooses the versions that the guests are asked in, and checks that the module has what is
// called, as it is called.
func (b *build) exports(mod *module) (spoken, error) {
	s, wrong := b.l.contracts.spoken(mod.Module, b.role)
	if mod.Form() == wasm.CoreForm && !mod.Has("cabi_realloc") {
		wrong = append(wrong, "no cabi_realloc")
	}
	if len(wrong) == 0 {
		return s, nil
	}
	err := errors.New("it exports " + wasm.List(wrong, ", "))
	for r := Role(0); r < roleCount && s.role == nil; r++ {
		if other, _ := b.l.contracts.spoken(mod.Module, r); other.role != nil {
			return s, b.refuse(StepExports, err,
				"it is made as "+r.String()+": link it in that role")
		}
	}
	return s, b.refuse(StepExports, err, "build it against the world "+b.role.String()+
		"-component of wit/ as this broker has it, "+b.l.contracts.packages())
}

// WASI is always served, preview 1 and 0.2: clocks, random numbers and standard output to the log.
// What else of it there is refuses. Compile knows whether all of it is there that a module wants.
const (
	wasiModule   = "wasi_snapshot_preview1"
	wasiPackages = "wasi:"
)

// ungranted says whether every guest has an interface, without a word in its link: WASI, and what
// it is lent.
func (cs contracts) ungranted(name string) bool {
	return name == wasiModule || strings.HasPrefix(name, wasiPackages) || cs.isGiven(name)
}

// alwaysGranted cannot hurt anybody.
var alwaysGranted = [...]string{"log", "config"}

// grants are what the link says; if it says nothing, those of the entry it takes the place of if
// that is the same component; if not, what a default component asks for, and nothing for others.
// So what a file has by a link that says nothing, an operator once wrote for a file of its name.
func (b *build) grants(e *entry, art Artifact, m *manifest) []string {
	granted := b.ref.Grants
	switch {
	case granted != nil:
	case !b.ref.Exact && b.before.isSame(e):
		granted = b.before.grants
		e.keeps = append(e.keeps, granted[len(alwaysGranted):]...) // nil if there are none
	case art.Default:
		for _, c := range m.Capabilities {
			granted = append(granted, c.Name)
		}
	}
	out := slices.Clone(alwaysGranted[:])
	for _, g := range granted {
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// isSame says whether e is another version of what before is. A file can write any name into
// itself: it is not one of a component that comes with the broker.
func (before *entry) isSame(e *entry) bool {
	return before != nil && before.name == e.name && before.shipped == e.shipped
}

// imports checks what the module wants against what it is granted.
func (b *build) imports(e *entry) error {
	names := e.module.Imports()
	var unknown []string
	for _, name := range names {
		short, ok := b.l.contracts.capability(name)
		if !ok && !b.l.contracts.ungranted(name) {
			unknown = append(unknown, name)
		}
		e.usesHistory = e.usesHistory || short == "history"
		e.usesKV = e.usesKV || short == "kv"
	}
	if unknown != nil {
		return b.refuse(StepImports, fmt.Errorf("it imports %s, which no link can grant",
			wasm.List(unknown, ", ")), "build it against wit/")
	}
	missing := b.missing(names, e.grants)
	if missing == nil {
		return nil
	}
	err := fmt.Errorf("it wants %s, which it is not granted", strings.Join(missing, ", "))
	if b.before != nil && b.before.shipped && e.name == filePrefix+b.before.name {
		err = fmt.Errorf("%w: what %s has comes with the broker's own, and this is a file of that "+
			"name", err, b.before.name)
	}
	all := append(slices.Clone(e.grants[len(alwaysGranted):]), missing...)
	return b.refuse(StepImports, err, fmt.Sprintf("if it may have that, write grants: [%s] in its "+
		"entry of the configuration, or swap it in with --grant %s", strings.Join(all, ", "),
		strings.Join(all, ",")))
}

// seats makes and configures the guests of e.
func (b *build) seats(ctx context.Context, e *entry) error {
	n, beside := b.l.cfg.seats(b.role), b.role == RoleAuthenticator || b.role == RoleWorker
	if e.scratch != nil {
		n = 1
	}
	e.seats = make([]seat, n)
	if err := b.budget(e); err != nil {
		return err
	}
	cfg := b.l.cfg.Pool
	cfg.Breaker = e.breaker
	cfg.Limits = wasm.Limits{
		Fuel: e.limits.Fuel, StartFuel: e.limits.StartFuel, DepthMax: e.limits.DepthMax,
		MemoryBytesMax: e.limits.MemoryBytesMax,
	}
	for i := range e.seats {
		if e.seats[i].loop = i; beside {
			e.seats[i].loop = noLoop
		}
		var err error
		if e.seats[i].pool, err = wasm.OpenPool(ctx, cfg, e.builder()); err != nil {
			return b.refusal(err)
		}
	}
	first, err := e.seats[0].pool.Guest(b.l.time())
	if err != nil {
		return b.refusal(err)
	}
	e.wants = first.Env().(*instance).wants
	return nil
}

// refusal tells the steps of instance apart, and what can be done.
func (b *build) refusal(err error) error {
	step := StepInstantiate
	if errors.Is(err, errConfigure) {
		step = StepConfigure
	}
	var own *ownError
	switch {
	case errors.As(err, &own):
		return b.refuse(step, err, "correct its configuration")
	case errors.Is(err, errInterest):
		return b.refuse(step, err, "let its configuration name fewer filters, or wider ones")
	case errors.Is(err, context.Canceled):
		return b.refuse(step, err, "ask again, if it was not you who ended it")
	case errors.Is(err, wasm.ErrLimits):
		return b.refuse(step, err, "let it have less, or raise the bound of all under wasm in the "+
			"configuration and restart the broker")
	case errors.Is(err, wasm.ErrFuel):
		return b.refuse(step, err, "give it less configuration, or raise wasm.start_fuel_max; if "+
			"it never ends, ask its author")
	case errors.Is(err, wasm.ErrStartMemory):
		return b.refuse(step, err, "build it with a smaller stack, 64 KiB is plenty: zig --stack "+
			"65536 (16 MiB else), wasm-ld -z stack-size=65536, clang -Wl,-z,stack-size=65536, "+
			"rustc -C link-arg=-zstack-size=65536; or write memory: 32MiB, above what it starts "+
			"with, in its entry of the configuration")
	case errors.Is(err, wasm.ErrTrap):
		return b.refuse(step, err, "look for its lines in the log; if it wants more memory, write "+
			"memory: 32MiB in its entry of the configuration; else ask its author")
	case errors.Is(err, wasm.ErrDepth), errors.Is(err, ErrGarbage):
		return b.refuse(step, err, "ask its author")
	case step == StepConfigure:
		return b.refuse(step, err, "correct its configuration, or ask its author")
	}
	return b.refuse(step, err, "raise memory in its entry of the configuration, or the bound it "+
		"meets under wasm")
}
