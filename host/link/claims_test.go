package link

import (
	"sync/atomic"
	"testing"
)

// slowKeys is a Migrator that waits in migrate the first time.
type slowKeys struct {
	Migrator
	waited      atomic.Bool
	begun, goOn chan struct{}
}

func (s *slowKeys) migrate(l *Linker, shifts []turnover) (bringing, error) {
	if !s.waited.Swap(true) {
		close(s.begun)
		<-s.goOn
	}
	return s.Migrator.migrate(l, shifts)
}

// TestAMigrationHoldsUpNobodyElse: who links other components commits meanwhile, with keys of their
// own or without. Who links that component waits, and is judged by what came of it.
func TestAMigrationHoldsUpNobodyElse(t *testing.T) {
	h, _ := keeps(t)
	h.other("other", Spec{RoleTransformer: {ref("transformer", "")}})
	slow := &slowKeys{Migrator: h.linker.ports.Keys, begun: make(chan struct{}),
		goOn: make(chan struct{})}
	h.linker.ports.Keys = slow
	migrated, late := make(chan error, 1), make(chan error, 1)
	go func() { migrated <- h.swapped(keeper(t, 2, "")) }()
	<-slow.begun
	far := ref("transformer", "tag=far:;")
	if _, err := h.linker.Swap(t.Context(), Request{Listener: "other", Role: RoleTransformer,
		Ref: far}); err != nil {
		t.Error(err)
	}
	if _, err := h.linker.Rollback(t.Context(), "other", RoleTransformer); err != nil {
		t.Error(err)
	}
	own := withoutMigration(t, 0)
	own.Code = stamped(t, "deduplicator-kv", `{"name":"another","version":"1.0.0",`+
		`"role":"deduplicator","state":{"schema":7}}`)
	h.other("third", Spec{RoleDeduplicator: {own}})
	go func() {
		late <- h.linker.Link(t.Context(), "fourth", Spec{RoleDeduplicator: {keeper(t, 1, "")}})
	}()
	close(slow.goOn)
	if err := <-migrated; err != nil {
		t.Error(err)
	}
	refusedAt(t, <-late, StepMigrate)
	if got := h.chestShown(); got != "2: a=12 0, m=22 5000, z=32 0" {
		t.Error(got)
	}
}
