package shard

import (
	"context"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/lite/broker"
)

// Stats counts what gate, mailboxes and kernels hold and did.
type Stats struct {
	Gate gate.Stats
	// Kernels is what each kernel answers, by loop.
	Kernels []broker.Stats
	// MailboxBytes is what waits between the kernels, MailboxesOver how many frames were put into
	// a mailbox above Config.MailboxBytesMax.
	MailboxBytes  int
	MailboxesOver uint64
}

// Stats answers the counts of now. It waits for every loop, as long as ctx allows; it must not be
// called from a loop. With an error Kernels is empty and the rest is as good as ever.
func (s *Shards) Stats(ctx context.Context) (Stats, error) {
	st := Stats{Gate: s.gate.Stats()}
	for _, sh := range s.shards {
		st.MailboxBytes += sh.box.waiting()
		st.MailboxesOver += sh.box.overs()
	}
	kernels := make([]broker.Stats, len(s.shards))
	err := s.Each(ctx, func(loop int, k *broker.Kernel, _ broker.Time) {
		kernels[loop] = k.Stats()
	})
	if err == nil {
		st.Kernels = kernels
	}
	return st, err
}
