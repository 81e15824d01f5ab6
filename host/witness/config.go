package witness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Config of a Witness.
type Config struct {
	// Dir holds a folder for each listener.
	Dir string
	// Loops is how many kernels there are.
	Loops int
	// LoopBytesMax bounds what waits of one loop: what is above goes unlogged. Three times as much
	// may be held.
	LoopBytesMax int
	// Interval is how long steps wait at most before they are put together.
	Interval time.Duration
	// Settle waits until what the kernels had sent each other when it was called has arrived: how
	// many got a message is known then. nil does not wait.
	Settle func(ctx context.Context) error
	// FlushAge is how long records wait at most before they are written.
	FlushAge time.Duration
	// QueriesMax bounds the questions at once, FollowersMax those of them that go on.
	QueriesMax, FollowersMax int
	// ScanBytesMax bounds what one answer reads and restores.
	ScanBytesMax int64
	// FreeBytesMin must stay free of the device; Free says what is, nil does not look.
	FreeBytesMin int64
	Free         func(dir string) (int64, error)
	// Now is the clock of the kernels.
	Now func() broker.Time
	// Trouble is told when a listener is not logged for what the device says, and, with nil, when
	// it is again. It must not call the Witness.
	Trouble func(listener string, err error)
	// Found is told what opening the log of a listener found, if it is not as it was left.
	Found func(listener string, rep msglog.Report)
}

// Default suits an edge box. Set Dir, Loops and Now.
func Default() Config {
	return Config{
		LoopBytesMax: 1 << 20, // 5,000 small messages, a tenth of a second
		Interval:     100 * time.Millisecond,
		FlushAge:     5 * time.Second, // what a kill takes
		QueriesMax:   8,
		FollowersMax: 4,
		ScanBytesMax: 64 << 20, // a fifth of a second
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Dir == "" || c.Now == nil:
		return errors.New("witness: Dir and Now are needed")
	case c.Loops < 1 || c.Loops > broker.PeersMax:
		return fmt.Errorf("witness: loops: 1 to %d", broker.PeersMax)
	case c.LoopBytesMax < 1 || c.Interval <= 0 || c.FlushAge < 0 || c.ScanBytesMax < 1:
		return errors.New("witness: bounds must be positive")
	case c.FollowersMax < 1 || c.QueriesMax <= c.FollowersMax:
		return errors.New("witness: there must be more questions than followers")
	}
	return nil
}

// Payload says what is kept of payloads.
type Payload uint8

const (
	// Full keeps them up to Settings.PayloadBytesMax.
	Full Payload = iota
	// None keeps none.
	None
	// Redacted keeps what the Redactor makes of them.
	Redacted
)

// Redactor is asked about each record, beside the way of the message: what it makes of it is what
// is kept. A broker.Policy is one. Only the goroutine of the Witness calls it.
type Redactor interface {
	Transform(now broker.Time, d broker.Direction, who *broker.Identity, m *broker.Message,
		out *[]broker.Message) broker.Verdict
}

// Settings say what is logged of a listener.
type Settings struct {
	// Filters name the topics; "#" is all of them, those that begin with "$" too.
	Filters         []string
	Payload         Payload
	PayloadBytesMax int
	Redactor        Redactor // of Redacted
	// BytesMax and AgeMax bound what is kept.
	BytesMax int64
	AgeMax   time.Duration
}

// Whole logs everything for as long as a Log does by default.
func Whole() Settings {
	d := msglog.Default()
	return Settings{
		Filters: []string{"#"}, PayloadBytesMax: 64 << 10, BytesMax: d.BytesMax, AgeMax: d.Age,
	}
}

// filters are those of a listener. They never change, so that many loops may look.
type filters struct {
	all  bool
	tree topic.Tree[struct{}]
}

func newFilters(list []string) (*filters, error) {
	f := new(filters)
	for _, s := range list {
		if !topic.ValidFilter([]byte(s)) {
			return nil, fmt.Errorf("witness: %q is no topic filter", s)
		}
		f.all = f.all || s == "#"
		f.tree.Put(s, struct{}{})
	}
	return f, nil
}

// has allocates nothing: the values are empty.
func (f *filters) has(name []byte) bool {
	return f.all || len(f.tree.AppendMatches(nil, name)) > 0
}
