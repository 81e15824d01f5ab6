package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
)

// Limits bound one call and one instance of a component. A zero takes the bound of the linker's
// configuration, then the engine's.
type Limits struct {
	// Fuel is what one call may spend, in units of about one wasm instruction.
	Fuel uint64 `json:"fuel,omitempty"`
	// StartFuel is what starting may spend, and what configuring may.
	StartFuel uint64 `json:"start_fuel,omitempty"`
	// DepthMax is how deep calls inside the guest may nest.
	DepthMax uint32 `json:"depth_max,omitempty"`
	// MemoryBytesMax is how large the linear memory may grow.
	MemoryBytesMax uint32 `json:"memory_bytes_max,omitempty"`
}

// or fills the zeros of l from d.
func (l Limits) or(d Limits) Limits {
	if l.Fuel == 0 {
		l.Fuel = d.Fuel
	}
	if l.StartFuel == 0 {
		l.StartFuel = d.StartFuel
	}
	if l.DepthMax == 0 {
		l.DepthMax = d.DepthMax
	}
	if l.MemoryBytesMax == 0 {
		l.MemoryBytesMax = d.MemoryBytesMax
	}
	return l
}

// Config bounds the linker.
type Config struct {
	// Loops is how many event loops ask; each has its own guests.
	Loops int
	// Limits hold for a component that is asked on a loop and whose link says nothing.
	Limits Limits
	// AuthLimits hold for authenticators, which run beside the loops and hash slowly on purpose.
	AuthLimits Limits
	// WorkerLimits hold for workers, which run beside the loops.
	WorkerLimits Limits
	// WorkerQueueMax and WorkerQueueBytesMax are what may wait for one worker; what comes then is
	// left out, counted and said.
	WorkerQueueMax, WorkerQueueBytesMax int
	// WorkerStopTimeout is how long a worker that is swapped out may work at what waits for it.
	WorkerStopTimeout time.Duration
	// Pool says how dead guests are replaced; its Limits and Breaker are not looked at.
	Pool wasm.PoolConfig
	// ListenerGuestsMax is how many guests all components of a listener may have together, and
	// ListenerMemoryBytesMax what their memories may take; 0 is no bound. What a plan makes counts,
	// and what a rollback would bring back.
	ListenerGuestsMax      int
	ListenerMemoryBytesMax uint64
	// RedactFailures keeps topics, client ids and what guests say out of the record of failures and
	// out of the log of faults.
	RedactFailures bool

	// ChainMax is how many components a role of a listener may have.
	ChainMax int
	// InterestMax is how many topic filters a component may name per direction.
	InterestMax int
	// ConfigBytesMax bounds the configuration of one component.
	ConfigBytesMax int
	// FuelGrowthMax bounds what configuring adds to the fuel of a call: as much as it took itself.
	FuelGrowthMax uint64

	// MessageBytesMax bounds topic and payload of a message passed to a guest or taken from one. A
	// larger one is not shown to it, and the fault policy answers. What a guest gets by handle is
	// not bounded.
	MessageBytesMax int
	// MessagesMax is how many messages may come out of the transformers, or of a router, for one:
	// at no place of a chain are there more.
	MessagesMax int
	// AnswerBytesMax bounds the strings and lists of bytes in one answer together, and those that
	// one transformer answers about all that became of one message.
	AnswerBytesMax int

	// StateFuel is what a guest may spend to give its state to its successor, and that to take it;
	// and to migrate a key while loops stand still.
	StateFuel uint64
	// StateBytesMax bounds that state, of one loop.
	StateBytesMax int
	// MigrationFuel is what the migration of all keys of a component may spend.
	MigrationFuel uint64
	// MigrationKeysMax and MigrationBytesMax bound what a migration may change while loops stand
	// still; where nobody uses the keys yet, at the start, they do not hold.
	MigrationKeysMax, MigrationBytesMax int
	// HandOverTimeout is how long a hand-over may take, with the time in which the loops come to a
	// stop for it.
	HandOverTimeout time.Duration
	// BesideTimeout is how long it is waited before for the calls at hand of the workers and
	// authenticators that take part.
	BesideTimeout time.Duration

	// DecisionsMax is how many answers of authorizers a loop remembers per listener.
	DecisionsMax int
	// SharesMax is how many answers of routers about shared subscriptions a loop remembers.
	SharesMax int

	// AuthWorkers is how many authentications of a listener run at once.
	AuthWorkers int
	// AuthQueueMax is how many may wait; the next is refused as server busy.
	AuthQueueMax int
	// AuthTimeout is how long one may wait before it is refused as server busy.
	AuthTimeout time.Duration
}

// Default suits one loop; set Loops.
func Default() Config {
	return Config{
		Loops:      1,
		Limits:     Limits{Fuel: 5_000_000},      // 2 ms of a loop at most; usual calls take 0.2
		AuthLimits: Limits{Fuel: 25_000_000_000}, // 800,000 rounds of PBKDF2, 4 s of one worker
		// 100 ms of one core that is not a loop's.
		WorkerLimits:   Limits{Fuel: 250_000_000},
		WorkerQueueMax: 4096, WorkerQueueBytesMax: 4 << 20,
		WorkerStopTimeout: 2 * time.Second,
		Pool:              wasm.DefaultPool(),

		ChainMax:       16,
		InterestMax:    256,
		ConfigBytesMax: 256 << 10,
		FuelGrowthMax:  100_000_000, // 40 ms: what TinyGo needs to clean up after 1,000 rules

		MessageBytesMax: 1 << 20,
		MessagesMax:     64,
		AnswerBytesMax:  4 << 20, // what a codec may say to a client, and a message, and more

		StateFuel:     25_000_000, // 10 ms: a megabyte, byte by byte
		StateBytesMax: 1 << 20,
		MigrationFuel: 25_000_000_000, // 10 s beside the loops
		// 200 ms on a slow core, with the write of the store.
		MigrationKeysMax: 20_000, MigrationBytesMax: 4 << 20,
		HandOverTimeout: 250 * time.Millisecond, // no client notices
		BesideTimeout:   2 * time.Second,        // a slow hash, or a worker that waits for a second

		DecisionsMax: 8192,
		SharesMax:    1024,

		AuthWorkers:  2, // a slow hash must not take every core from the loops
		AuthQueueMax: 1024,
		AuthTimeout:  5 * time.Second, // below the connect timeout of a listener
	}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	for _, n := range []int{
		c.Loops, c.ChainMax, c.InterestMax, c.ConfigBytesMax, c.MessageBytesMax, c.MessagesMax,
		c.DecisionsMax, c.SharesMax, c.AuthWorkers, c.AuthQueueMax, c.WorkerQueueMax,
		c.WorkerQueueBytesMax, c.AnswerBytesMax, c.StateBytesMax, c.MigrationKeysMax,
		c.MigrationBytesMax,
	} {
		if n < 1 {
			return errors.New("link: config: every bound must be at least 1")
		}
	}
	if c.ListenerGuestsMax < 0 {
		return errors.New("link: config: ListenerGuestsMax is below 0")
	}
	if c.AuthTimeout <= 0 || c.WorkerStopTimeout <= 0 || c.HandOverTimeout <= 0 ||
		c.BesideTimeout <= 0 {
		return errors.New("link: config: timeouts must be positive")
	}
	if err := c.Pool.Validate(); err != nil {
		return fmt.Errorf("link: config: %w", err)
	}
	return nil
}

// seats is how many ask a component of that role, each a guest of its own.
func (c *Config) seats(r Role) int {
	switch r {
	case RoleAuthenticator:
		return c.AuthWorkers
	case RoleWorker:
		return 1
	}
	return c.Loops
}

// limits are the bounds of a component of that role.
func (c *Config) limits(r Role, l Limits) Limits {
	switch r {
	case RoleAuthenticator:
		return l.or(c.AuthLimits)
	case RoleWorker:
		return l.or(c.WorkerLimits)
	}
	return l.or(c.Limits)
}
