package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// ErrUnsound says that a record is not what a kernel would have asked for: it would be dropped, or
// do harm, when a kernel reads it.
var ErrUnsound = errors.New("store: not what a broker keeps")

// Sound says what is wrong with what p holds, as the kernel that will read it sees it. It does not
// look at what belongs together: Check and Loader do.
func Sound(p *Part) error {
	switch p.Kind {
	case PartShared:
		return soundMessage(p.Op.Body)
	case PartSession:
		return soundSession(&p.Op)
	case PartFlight:
		if _, _, ok := broker.ReadStoredFlight(p.Op.Value); !ok {
			return fmt.Errorf("%w: how far a delivery is cannot be read", ErrUnsound)
		}
	case PartQueued:
		if h, ok := broker.ReadStoredHead(p.Op.Value); !ok || h.QoS > mqtt.ExactlyOnce {
			return fmt.Errorf("%w: a delivery cannot be read", ErrUnsound)
		}
		if p.Shared == 0 {
			return soundMessage(p.Op.Body)
		}
	case PartRetained:
		return soundRetained(&p.Op)
	}
	return nil
}

func soundMessage(b []byte) error {
	m, ok := broker.ReadStoredMessage(b)
	switch {
	case !ok:
		return fmt.Errorf("%w: a message cannot be read", ErrUnsound)
	case !topic.ValidName(m.Topic):
		return fmt.Errorf("%w: %q is no topic of a message", ErrUnsound, m.Topic)
	case m.QoS > mqtt.ExactlyOnce:
		return fmt.Errorf("%w: QoS %d", ErrUnsound, m.QoS)
	}
	return nil
}

func soundRetained(op *broker.Op) error {
	if err := soundMessage(op.Value); err != nil {
		return err
	}
	m, _ := broker.ReadStoredMessage(op.Value)
	switch {
	case string(m.Topic) != op.Key:
		return fmt.Errorf("%w: a message on %q is retained on %q", ErrUnsound, m.Topic, op.Key)
	case strings.HasPrefix(op.Key, "$SYS/"):
		return fmt.Errorf("%w: %q is the broker's own", ErrUnsound, op.Key)
	}
	return nil
}

func soundSession(op *broker.Op) error {
	if string(op.Value) == broker.StoredEstate {
		return nil
	}
	s, ok := broker.ReadStoredSession(op.Value)
	switch v := s.Who.Version; {
	case !ok:
		return fmt.Errorf("%w: the state of a session cannot be read", ErrUnsound)
	case v != mqtt.V31 && v != mqtt.V311 && v != mqtt.V5:
		return fmt.Errorf("%w: protocol version %d", ErrUnsound, v)
	}
	for i := range s.Subscriptions {
		sub := &s.Subscriptions[i]
		_, rest, _, ok := topic.SplitShare(sub.Filter)
		if !ok || !topic.ValidFilter([]byte(rest)) {
			return fmt.Errorf("%w: %q is no topic filter", ErrUnsound, sub.Filter)
		}
		if sub.QoS > mqtt.ExactlyOnce || sub.RetainHandling > 2 {
			return fmt.Errorf("%w: the options of subscription %q", ErrUnsound, sub.Filter)
		}
	}
	if s.Will != nil && !topic.ValidName(s.Will.Message.Topic) {
		return fmt.Errorf("%w: %q is no topic of a will", ErrUnsound, s.Will.Message.Topic)
	}
	return nil
}

// sound adds to rep what is wrong with the records themselves.
func (d *Disk) sound(rep *CheckReport) {
	fault := func(text string) {
		rep.FaultsFound++
		if len(rep.Faults) < faultsMax {
			rep.Faults = append(rep.Faults, text)
		}
	}
	err := d.Walk(func(p Part) error {
		if err := Sound(&p); err != nil {
			fault(fmt.Sprintf("%s %q: %v", p.Kind, p.Op.Key, err))
		}
		return nil
	})
	if err != nil {
		fault(err.Error()) // behind it nothing is known
	}
}

// String is the word of a fault.
func (k PartKind) String() string {
	switch k {
	case PartShared:
		return "payload"
	case PartSession:
		return "session"
	case PartReceived:
		return "received"
	case PartFlight:
		return "delivery to"
	case PartQueued:
		return "message for"
	case PartRetained:
		return "retained"
	}
	return "note"
}
