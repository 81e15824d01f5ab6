package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/wasm"
)

// turnover is what becomes of the table of a listener.
type turnover struct {
	old, next *table
	trial     bool // next comes beside old, as a canary
}

// Migrator brings what components keep in kv to other schemas. A program whose kv begins anew with
// each start has none, and does not link what it needs.
type Migrator interface {
	// needs are the entries whose component has keys of another schema than they are made for, one
	// for each component.
	needs(l *Linker, shifts []turnover) ([]*entry, error)
	// migrate begins the migrations that shifts need, and brings all keys but those that change
	// while it does; nil for none. They must be ended.
	migrate(l *Linker, shifts []turnover) (bringing, error)
}

// bringing is migrations of one change.
type bringing interface {
	// used says that somebody uses the keys meanwhile.
	used() bool
	// beside are those beside the loops that may use the keys meanwhile: they are to be held.
	beside() []*entry
	// applied brings the last keys of all and makes them valid, or changes nothing. Nobody uses
	// them, and who is beside the loops and made for keys that are no more there will not any more.
	applied(until time.Time) error
	refuse(err error) error
	// end lets go of them; those that were not applied have changed nothing.
	end()
}

// Migrations is the Migrator of a store.
func Migrations(keys *kv.Store) Migrator { return migrator{keys} }

type migrator struct{ kv *kv.Store }

// migrations are those of one change.
type migrations struct {
	linker *Linker
	kv     *kv.Store
	all    []*migration
}

func (l *Linker) needs(shifts []turnover) ([]*entry, error) {
	if l.ports.Keys == nil {
		return nil, nil
	}
	return l.ports.Keys.needs(l, shifts)
}

// migrate is Migrator.migrate.
func (l *Linker) migrate(shifts []turnover) (bringing, error) {
	if l.ports.Keys == nil {
		return nil, nil
	}
	return l.ports.Keys.migrate(l, shifts)
}

// migration brings what a component keeps in kv to the schema of an entry that is to be linked.
type migration struct {
	entry *entry
	kv    *kv.Store
	keys  *kv.Migration
	// apart has the guest that migrates; nil if the component has no migration.
	apart *entry
	in    *instance
	fn    *wasm.Func
	from  uint32
	// fuel is what all keys together may still spend.
	fuel uint64
	// until is when the loops have stood still for too long; zero while they go on.
	until time.Time
	// used says that somebody uses the keys until then, beside those of them beside the loops.
	used   bool
	beside []*entry
}

// errManyKeys is the refusal of a migration for which the loops would stand still for too long.
var errManyKeys = errors.New("the loops would stand still for too long")

// errNoMigration is the refusal of keys of another schema.
var errNoMigration = errors.New("it has no migration between the two")

func (k migrator) needs(l *Linker, shifts []turnover) (all []*entry, err error) {
	for _, e := range users(shifts, false) {
		schema, _ := k.kv.Schema(e.name)
		if e.schema == schema || slices.ContainsFunc(all, e.isNamed) {
			continue
		}
		if err := k.agree(l, e, shifts); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func (e *entry) isNamed(other *entry) bool { return e.name == other.name }

// users are the entries of the tables after or before that use kv; those that come stand first, and
// once more.
func users(shifts []turnover, before bool) []*entry {
	var came, all []*entry
	for _, s := range shifts {
		now, other := s.next, s.old
		if before {
			now, other = other, now
		}
		for r := range roleCount {
			had, _ := other.chainOf(r)
			have, _ := now.chainOf(r)
			came, all = append(came, without(have, had)...), append(all, have...)
		}
	}
	return slices.DeleteFunc(append(came, all...), func(e *entry) bool { return !e.usesKV })
}

// agree refuses e if its component could not be migrated, or is linked elsewhere for another
// schema: then that would read keys that it does not know.
func (k migrator) agree(l *Linker, e *entry, shifts []turnover) error {
	schema, keys := k.kv.Schema(e.name)
	if keys > 0 && e.speaks.migration == nil {
		return e.refuseMigration(fmt.Errorf("what %s has in kv is of schema %d, and this version "+
			"is made for schema %d: %w", e.name, schema, e.schema, errNoMigration))
	}
	all := users(shifts, false)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ls := range l.listeners {
		t := ls.table.Load()
		changed := func(s turnover) bool { return s.old.listener == t.listener }
		if !slices.ContainsFunc(shifts, changed) {
			all = append(all, users([]turnover{{old: &table{}, next: t}}, false)...)
		}
		if t.trial != nil && !slices.ContainsFunc(shifts, changed) {
			all = append(all, users([]turnover{{old: &table{}, next: t.trial.candidate}},
				false)...)
		}
	}
	for _, other := range all {
		if other.name == e.name && other.schema != e.schema {
			err := fmt.Errorf("listener %s has %s %s, which is made for schema %d of its keys in "+
				"kv, not %d", other.listener, e.name, other.called(), other.schema, e.schema)
			return e.refusedMigration(err, "change all places that have it in one plan")
		}
	}
	return nil
}

// refuseMigration is the refusal of an entry for its keys in kv.
func (e *entry) refuseMigration(err error) error {
	do := "mend that, and try it again"
	switch {
	case errors.Is(err, errNoMigration):
		do = "link a version that has one; or, with the broker stopped, give up what it knows: " +
			"hpmq-cli store kv drop " + e.name
	case errors.Is(err, errManyKeys):
		do = "name this version in the configuration and start the broker anew: it migrates then " +
			"before anybody comes"
	case errors.Is(err, kv.ErrTooLarge):
		do = "raise the limits of remember in the configuration, or ask its author"
	case errors.Is(err, kv.ErrBusy), errors.Is(err, errLate):
		do = "try it again when there is less to do"
	case errors.Is(err, wasm.ErrTrap), errors.Is(err, wasm.ErrFuel), errors.Is(err, wasm.ErrDepth),
		errors.Is(err, ErrGarbage), errors.Is(err, kv.ErrTwice), errors.As(err, new(*ownError)):
		do = "ask its author"
	}
	return e.refusedMigration(err, do)
}

func (e *entry) refusedMigration(err error, do string) error {
	return &StepError{Step: StepMigrate, Listener: e.listener, Role: e.role, Use: e.name, Do: do,
		Err: err}
}

func (k migrator) migrate(l *Linker, shifts []turnover) (bringing, error) {
	needs, err := k.needs(l, shifts)
	if err != nil || needs == nil {
		return nil, err
	}
	m := &migrations{linker: l, kv: k.kv}
	for _, e := range needs {
		mg := &migration{entry: e, keys: k.kv.Migrate(e.name, e.schema),
			fuel: l.cfg.MigrationFuel, kv: k.kv}
		mg.from, _ = k.kv.Schema(e.name)
		mg.used = slices.ContainsFunc(users(shifts, true), e.isNamed)
		mg.beside = l.besideOf(e, users(shifts, false))
		m.all = append(m.all, mg)
		if err := mg.begin(); err != nil {
			m.end()
			return nil, e.refuseMigration(err)
		}
	}
	return m, nil
}

// besideOf are those of the component of e that may be in a guest beside the loops: of who come,
// and of who ever stood in a table and are not closed yet.
func (l *Linker) besideOf(e *entry, come []*entry) (all []*entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range append(come, slices.Collect(maps.Keys(l.keepers))...) {
		if other.name == e.name && other.role.isBeside() && !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// keep notes who stands in a table that is about to answer and uses kv beside the loops, until it
// is closed. Who has left is back.
func (l *Linker) keep(t *table) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := range roleCount {
		entries, _ := t.chainOf(r)
		for _, e := range entries {
			e.left.Store(false)
			if e.usesKV && r.isBeside() {
				l.keepers[e] = struct{}{}
			}
		}
	}
}

// forget is for an entry that is closed.
func (l *Linker) forget(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.keepers, e)
}

func (mg *migration) begin() error {
	if mg.entry.speaks.migration == nil || mg.keys.Left() == 0 && !mg.used {
		return nil
	}
	var err error
	if mg.apart, err = mg.entry.apart(context.Background(), mg.keys.Scratch); err != nil {
		return err
	}
	l := mg.entry.linker
	g, err := mg.apart.seats[0].pool.Guest(time.UnixMilli(int64(l.ports.Now())))
	if err != nil {
		return err
	}
	mg.in = g.Env().(*instance)
	mg.fn, err = g.Func(mg.entry.speaks.migration.exports[0].name)
	if err != nil {
		return err
	}
	return mg.follow()
}

// Few enough keys are brought while the loops stand still. Keys that change faster than they can be
// brought are not followed for ever.
const (
	migrationKeysFew   = 64
	migrationRoundsMax = 32
)

// follow brings the keys that have changed, until few are left.
func (mg *migration) follow() error {
	for range migrationRoundsMax {
		err := mg.run()
		if err == nil {
			err = mg.few()
		}
		if err != nil || mg.keys.Left() <= migrationKeysFew {
			return err
		}
	}
	return nil
}

func (mg *migration) run() error {
	return mg.keys.Run(int64(mg.entry.linker.ports.Now()), mg.key)
}

// few is an error if too much is changed for loops that stand still meanwhile.
func (mg *migration) few() error {
	cfg := &mg.entry.linker.cfg
	keys, bytes := mg.keys.Changes()
	if mg.used && (keys > cfg.MigrationKeysMax || bytes > int64(cfg.MigrationBytesMax)) {
		return fmt.Errorf("it changes %d keys and %d bytes, and may change %d and %d while the "+
			"broker runs: %w", keys, bytes, cfg.MigrationKeysMax, cfg.MigrationBytesMax,
			errManyKeys)
	}
	return nil
}

// key has the guest migrate a key.
func (mg *migration) key(key string) error {
	switch {
	case mg.in == nil:
		return errNoMigration
	case !mg.until.IsZero() && time.Now().After(mg.until):
		return errLate
	}
	in, most := mg.in, mg.fuel
	if !mg.until.IsZero() {
		most = min(most, mg.entry.linker.cfg.StateFuel)
	}
	in.use(mg.fn)
	in.guest.Allow(most)
	in.num(uint64(mg.from))
	in.num(uint64(mg.entry.schema))
	text(in, key)
	if err := in.outcome(12, nil); err != nil {
		mg.entry.refusedFor(in, err, most)
		return err
	}
	mg.fuel -= min(in.guest.Fuel(), mg.fuel)
	return nil
}

func (m *migrations) applied(until time.Time) error {
	var keys []*kv.Migration
	for _, mg := range m.all {
		mg.until = until
		err := mg.keys.Settle()
		if err == nil {
			err = mg.run()
		}
		if err == nil {
			err = mg.few()
		}
		if mg.until = (time.Time{}); err != nil {
			return mg.entry.refuseMigration(err)
		}
		keys = append(keys, mg.keys)
	}
	if !until.IsZero() && time.Now().After(until) {
		return m.refuse(errLate)
	}
	if err := m.kv.Apply(keys); err != nil {
		return m.refuse(err)
	}
	m.bar()
	for _, mg := range m.all {
		m.linker.ports.Log.Info("keys migrated", "component", mg.entry.name, "from", mg.from,
			"to", mg.entry.schema, "fuel", m.linker.cfg.MigrationFuel-mg.fuel)
	}
	return nil
}

func (m *migrations) refuse(err error) error { return m.all[0].entry.refuseMigration(err) }

func (m *migrations) used() bool {
	return slices.ContainsFunc(m.all, func(mg *migration) bool { return mg.used })
}

func (m *migrations) end() {
	for _, mg := range m.all {
		mg.keys.Drop()
		if mg.apart != nil {
			mg.apart.close()
		}
	}
}

func (m *migrations) beside() (all []*entry) {
	for _, mg := range m.all {
		all = append(all, mg.beside...)
	}
	return all
}

// bar keeps out of their guests who is made for other keys than there are by now.
func (m *migrations) bar() {
	for _, e := range m.beside() {
		schema, _ := m.kv.Schema(e.name)
		e.barred = e.schema != schema
	}
}
