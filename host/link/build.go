package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
)

// build makes an entry beside the running ones. Its methods are the steps of a swap up to the
// commit, in their order; each error is a *StepError.
type build struct {
	l        *Linker
	listener string
	role     Role
	ref      Ref
	// inherited are the grants of the entry that is swapped out.
	inherited []string
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
		return nil, b.refuse(StepCompile, err,
			"give a WebAssembly core module that speaks the canonical ABI of wit/")
	}
	e := b.begin(art, mod)
	if err := b.prepare(ctx, e, art); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// check looks at the request alone.
func (b *build) check() error {
	if len(b.ref.Config) > b.l.cfg.ConfigBytesMax {
		err := fmt.Errorf("a configuration of %d bytes", len(b.ref.Config))
		return b.refuse(StepRequest, err, fmt.Sprintf("keep it below %d", b.l.cfg.ConfigBytesMax))
	}
	if len(b.ref.Config) > 0 && !json.Valid(b.ref.Config) {
		return b.refuse(StepRequest, errors.New("the configuration is not JSON"), "correct it")
	}
	for _, g := range b.ref.Grants {
		if !slices.Contains(capabilities(), g) {
			return b.refuse(StepRequest, fmt.Errorf("no capability %q", g),
				"grant of "+strings.Join(capabilities(), ", "))
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
	return &entry{
		linker: b.l, listener: b.listener, role: b.role, digest: mod.Digest(), module: mod,
		config: b.ref.Config, onFault: b.ref.OnFault.or(b.role), since: time.Now(),
		limits: b.l.cfg.limits(b.role, b.ref.Limits), name: art.Name, version: art.Version,
	}
}

// prepare takes the steps from the compiled module on.
func (b *build) prepare(ctx context.Context, e *entry, art Artifact) error {
	if err := b.manifest(e); err != nil {
		return err
	}
	if err := b.exports(e.module); err != nil {
		return err
	}
	if err := b.imports(e, art); err != nil {
		return err
	}
	return b.seats(ctx, e)
}

// manifestSection is the custom section in which a module says who it is.
const manifestSection = "hpmq:manifest"

// manifest is what stands there, as JSON.
type manifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Role is what the component is made for; empty leaves that to its exports.
	Role string `json:"role"`
}

// nameMax bounds a component's name: it stands in log lines, keys and client ids.
const nameMax = 128

// manifest names e and checks that it is made for the role.
func (b *build) manifest(e *entry) error {
	var m manifest
	if text := e.module.Custom(manifestSection); text != nil {
		if err := json.Unmarshal(text, &m); err != nil {
			return b.refuse(StepManifest, err, "rebuild the component with a JSON manifest")
		}
	}
	if m.Role != "" && m.Role != b.role.String() {
		return b.refuse(StepManifest, fmt.Errorf("its manifest says %.40q", m.Role),
			"link it in that role")
	}
	if m.Name != "" {
		e.name, e.version = m.Name, m.Version
	}
	if e.name == "" {
		e.name = strings.TrimSuffix(path.Base(strings.ReplaceAll(b.ref.Use, `\`, "/")), ".wasm")
	}
	if e.name == "" || e.name == "." {
		e.name = e.digest[:12]
	}
	if len(e.name) > nameMax || strings.ContainsAny(e.name, "/+#\x00\n") {
		return b.refuse(StepManifest, fmt.Errorf("%.80q is no name", e.name),
			"name it in letters, digits, dots and dashes")
	}
	return nil
}

// exports checks that the module has what the role calls, as it is called.
func (b *build) exports(mod *module) error {
	var wrong []string
	for _, x := range append([]export{configureExport}, roleExports[b.role]...) {
		if text := x.as(mod.Module); text != "" {
			wrong = append(wrong, text)
		}
	}
	if !mod.Has("cabi_realloc") {
		wrong = append(wrong, "no cabi_realloc")
	}
	if len(wrong) == 0 {
		return nil
	}
	err := errors.New("it exports " + strings.Join(wrong, ", "))
	for r := Role(0); r < roleCount; r++ {
		if r != b.role && roleExports[r][0].as(mod.Module) == "" {
			return b.refuse(StepExports, err, "it is made as "+r.String()+": link it in that role")
		}
	}
	return b.refuse(StepExports, err, "build it against the world "+b.role.String()+
		"-component of wit/")
}

// wasiModule is always served: clocks, random numbers and standard output to the log.
const wasiModule = "wasi_snapshot_preview1"

// alwaysGranted cannot hurt anybody.
var alwaysGranted = [...]string{"log", "config"}

// capabilities are all that can be granted, as they are written in a link.
func capabilities() []string { return []string{"log", "config", "kv", "history", "publish"} }

// imports checks what the module wants against what it is granted.
func (b *build) imports(e *entry, art Artifact) error {
	granted := b.ref.Grants
	if granted == nil {
		granted = art.Grants
	}
	if granted == nil {
		granted = b.inherited
	}
	e.grants = slices.Clone(alwaysGranted[:])
	for _, g := range granted {
		if !slices.Contains(e.grants, g) {
			e.grants = append(e.grants, g)
		}
	}
	for _, name := range e.module.Imports() {
		short := strings.TrimSuffix(strings.TrimPrefix(name, "hpmq:broker/"), contractVersion)
		switch {
		case name == wasiModule:
		case !slices.Contains(capabilities(), short):
			return b.refuse(StepImports, fmt.Errorf("it imports %s, which no host serves", name),
				"build it against wit/")
		case !slices.Contains(e.grants, short):
			return b.refuse(StepImports, fmt.Errorf("it imports %s, which is not granted", name),
				fmt.Sprintf("add %q to the grants, if it should have it", short))
		case short == "history":
			e.usesHistory = true
		}
	}
	return nil
}

// seats makes and configures the guests of e.
func (b *build) seats(ctx context.Context, e *entry) error {
	n := b.l.cfg.Loops
	if b.role == RoleAuthenticator {
		n = b.l.cfg.AuthWorkers
	}
	cfg := b.l.cfg.Pool
	cfg.Limits = wasm.Limits{
		Fuel: e.limits.Fuel, DepthMax: e.limits.DepthMax, MemoryBytesMax: e.limits.MemoryBytesMax,
	}
	e.seats = make([]seat, n)
	for i := range e.seats {
		var err error
		if e.seats[i].pool, err = wasm.OpenPool(ctx, cfg, e.builder()); err != nil {
			return b.refusal(err)
		}
	}
	first, err := e.seats[0].pool.Guest(time.UnixMilli(int64(b.l.ports.Now())))
	if err != nil {
		return b.refusal(err)
	}
	e.wants = first.Env().(*instance).wants
	return nil
}

// refusal tells the steps of instance apart.
func (b *build) refusal(err error) error {
	var own *ownError
	switch {
	case errors.As(err, &own):
		return b.refuse(StepConfigure, err, "correct its configuration")
	case errors.Is(err, errConfigure):
		return b.refuse(StepConfigure, err, "ask its author, or give it more fuel or memory")
	default:
		return b.refuse(StepInstantiate, err, "ask its author, or give it more fuel or memory")
	}
}
