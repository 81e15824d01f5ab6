package story

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// teller tells one story: it knows the connections by name.
type teller struct {
	driver Driver
	views  map[string]*view
	// assigned are client identifiers the broker chose, by connection: id=$a stands for that of a.
	assigned map[string]string
}

func newTeller(d Driver) *teller {
	return &teller{driver: d, views: map[string]*view{}, assigned: map[string]string{}}
}

// tell carries out one command and answers what came of it.
func (t *teller) tell(line string) ([]string, error) {
	c, err := ParseCommand(line)
	if err != nil {
		return nil, err
	}
	if err := t.act(c); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Verb, err)
	}
	events, err := t.driver.Settle()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Verb, err)
	}
	return t.lines(events), nil
}

// lines prints events, sorted by connection: between connections a broker need not keep an order.
func (t *teller) lines(events []Event) []string {
	by := map[string][]string{}
	for _, e := range events {
		by[e.Conn] = append(by[e.Conn], t.line(e))
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[name]...)
	}
	return out
}

func (t *teller) line(e Event) string {
	v := t.views[e.Conn]
	switch {
	case e.Wrong != "":
		return e.Conn + " WRONG " + e.Wrong
	case e.Note != "":
		return e.Conn + " " + e.Note
	case e.Closed:
		return e.Conn + " closed"
	case v == nil:
		return fmt.Sprintf("%s <- BAD before CONNECT: % x", e.Conn, e.Packet)
	}
	return e.Conn + " <- " + v.show(e.Packet)
}

// act sends the packet the command names; what is no packet is the driver's.
func (t *teller) act(c *Command) error {
	conn, posErr := c.Pos(0)
	switch c.Verb {
	case "connect":
		return firstError(posErr, t.connect(conn, c))
	case "open":
		loop, err := c.Number("loop", 0)
		t.views[conn] = t.view(conn, 5, c)
		return firstError(posErr, err, t.driver.Open(conn, int(loop)))
	case "drop":
		return firstError(posErr, t.driver.Drop(conn))
	}
	v := t.views[conn]
	if v == nil {
		v = &view{version: 5}
	}
	p, ok, err := encode(c, v.version)
	if !ok {
		return t.driver.Do(c)
	}
	if err := firstError(posErr, err); err != nil {
		return err
	}
	return t.driver.Send(conn, p)
}

// encode answers the packet of a command; ok is false if the command is no packet.
func encode(c *Command, version byte) (p []byte, ok bool, err error) {
	switch c.Verb {
	case "publish":
		p, err = encodePublish(c, version)
	case "puback":
		p, err = encodeAck(c, version, firstPuback)
	case "pubrec":
		p, err = encodeAck(c, version, firstPubrec)
	case "pubrel":
		p, err = encodeAck(c, version, firstPubrel)
	case "pubcomp":
		p, err = encodeAck(c, version, firstPubcomp)
	case "subscribe":
		p, err = encodeSubscribe(c, version)
	case "unsubscribe":
		p, err = encodeUnsubscribe(c, version)
	case "ping":
		p, err = packet(c, firstPingreq, nil)
	case "disconnect":
		p, err = encodeReasoned(c, version, firstDisconnect, nil)
	case "auth":
		p, err = encodeReasoned(c, version, firstAuth, nil)
	case "send":
		p, err = encodeRaw(c)
	default:
		return nil, false, nil
	}
	return p, true, err
}

func (t *teller) view(conn string, version byte, c *Command) *view {
	show, _ := c.Get("show")
	return &view{
		version: version,
		limits:  strings.Contains(show, "limits"),
		reasons: strings.Contains(show, "reasons"),
		assigned: func(id string) {
			t.assigned[conn] = id
		},
	}
}

// connect opens a connection and sends CONNECT. The client identifier is the name of the
// connection if the script does not say otherwise; again sends CONNECT on an open connection.
func (t *teller) connect(conn string, c *Command) error {
	version, err1 := c.Number("version", 5)
	loop, err2 := c.Number("loop", 0)
	if err := firstError(err1, err2); err != nil {
		return err
	}
	id, ok := c.Get("id")
	if !ok {
		c.Args = append(c.Args, Arg{Key: "id", Value: conn})
	} else if strings.HasPrefix(id, "$") {
		c.Args = append(c.Args, Arg{Key: "id", Value: t.assigned[id[1:]]})
	}
	t.views[conn] = t.view(conn, byte(version), c)
	p, err := encodeConnect(c, byte(version))
	if err != nil {
		return err
	}
	if !c.Flag("again") {
		if err := t.driver.Open(conn, int(loop)); err != nil {
			return err
		}
	}
	return t.driver.Send(conn, p)
}
