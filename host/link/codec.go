package link

import (
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/host/codec"
	"github.com/hpmq/hpmq/lite/broker"
)

// codecsMax is how many codecs a listener may have: bytes are of one protocol.
const codecsMax = 1

// chainMax is how many components a listener may have in the role.
func (c *Config) chainMax(r Role) int {
	if r == RoleCodec {
		return codecsMax
	}
	return c.ChainMax
}

// Functions of the role, in the order of contract01.
const codecDecode, codecEncode = 0, 1

// Codec asks the codec of a listener on one loop; it is a codec.Guest. Only that loop uses it, but
// for Linked. Like a Policy it may be taken before the listener is linked.
type Codec struct {
	ls    *listener
	loop  int
	words codec.Words
	// bytes are those of the last answer.
	bytes arena
}

// Codec is what the connections of a listener on one loop are translated by.
func (l *Linker) Codec(listener string, loop int) *Codec {
	return &Codec{ls: l.listener(listener), loop: loop}
}

// Linked says whether the listener has a codec now. Safe for concurrent use.
func (c *Codec) Linked() bool {
	_, err := c.entry()
	return err == nil
}

// Conn is a new connection. Safe for concurrent use.
func (c *Codec) Conn() *codec.Conn { return codec.New(c, &c.words) }

// errNoCodec is why a connection ends whose codec was taken out of the link.
var errNoCodec = errors.New("the listener has no codec any more")

// entry is the codec that is linked now.
func (c *Codec) entry() (*entry, error) {
	chain := c.ls.table.Load().chains[RoleCodec]
	if chain == nil || len(chain.entries) == 0 {
		return nil, fmt.Errorf("link: codec of %s: %w", c.ls.name, errNoCodec)
	}
	return chain.entries[0], nil
}

// Decode asks what bytes of a client say; see codec.Guest. There is one way in all versions of the
// contract.
func (c *Codec) Decode(now int64, state, input []byte, out *codec.Decoded) error {
	return c.ask(now, func(in *instance) error {
		return c.decode(in, state, input, out)
	}, func() { *out = codec.Decoded{Consumed: len(input)} })
}

// Encode asks for the bytes of an event; see codec.Guest.
func (c *Codec) Encode(
	now int64, state []byte, what *codec.Event, out *codec.Encoded,
) error {
	return c.ask(now, func(in *instance) error {
		m := &what.Message
		if len(m.Topic)+len(m.Payload) > c.ls.linker.cfg.MessageBytesMax {
			return errTooLarge
		}
		return c.encode(in, state, what, out)
	}, func() { *out = codec.Encoded{Wait: true} })
}

// ask has a guest answer. If it cannot, the fault policy does: lost is called, or there is an
// error.
func (c *Codec) ask(
	now int64, question func(in *instance) error, lost func(),
) error {
	e, err := c.entry()
	if err != nil {
		return err
	}
	c.bytes.reset()
	in := e.seats[c.loop].take(broker.Time(now))
	if in == nil {
		err = errNoGuest
	} else if err = question(in); errors.Is(err, errTooLarge) {
		e.pass(c.loop, err, about{})
	} else if err != nil {
		e.fault(c.loop, in, err, about{})
	}
	switch {
	case err == nil:
		return nil
	case e.onFault == FaultOpen:
		lost()
		return nil
	}
	return fmt.Errorf("link: codec %s: %w", e.name, err)
}
