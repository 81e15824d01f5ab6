package storm

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// patience bounds every single wait.
const patience = 2 * time.Minute

// dialers is how many connections are opened at once.
const dialers = 32

// line is one connection with MQTT 5. One goroutine reads it, one writes.
type line struct {
	conn net.Conn
	have []byte // read and not taken
	buf  []byte
}

// dial connects a clean session and waits for CONNACK.
func dial(addr, id string) (*line, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, buf: make([]byte, 256)}
	c := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte(id)}
	frame, err := l.ask(c.Append(nil), mqtt.CONNACK)
	var ack mqtt.Connack
	if err == nil {
		err = ack.Decode(mqtt.V5, frame)
	}
	if err == nil && ack.Reason != mqtt.Success {
		err = fmt.Errorf("CONNACK says %v", ack.Reason)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect %s: %w", id, err), conn.Close())
	}
	return l, nil
}

func (l *line) subscribe(filter string) error {
	frame, err := l.ask(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, []mqtt.Subscription{
		{Filter: []byte(filter), QoS: mqtt.AtLeastOnce}}), mqtt.SUBACK)
	var ack mqtt.Suback
	if err == nil {
		err = ack.Decode(mqtt.V5, frame)
	}
	if err == nil && (len(ack.Reasons) != 1 || ack.Reasons[0] != 1) {
		err = fmt.Errorf("SUBACK says %v", ack.Reasons)
	}
	if err != nil {
		return fmt.Errorf("subscribe %s: %w", filter, err)
	}
	return nil
}

// ask writes a packet; the next one must be of type want.
func (l *line) ask(packet []byte, want mqtt.Type) ([]byte, error) {
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := l.conn.Write(packet); err != nil {
		return nil, err
	}
	for {
		frame, err := l.next()
		if err != nil {
			return nil, err
		}
		if frame == nil {
			if err := l.fill(); err != nil {
				return nil, err
			}
			continue
		}
		if mqtt.TypeOf(frame) != want {
			return nil, fmt.Errorf("%v came, not %v", mqtt.TypeOf(frame), want)
		}
		return frame, l.conn.SetDeadline(time.Time{})
	}
}

// next takes a whole packet of what was read, nil if there is none. It holds until fill.
func (l *line) next() ([]byte, error) {
	n, err := mqtt.Frame(l.have, 1<<20)
	if err != nil || n == 0 {
		return nil, err
	}
	frame := l.have[:n]
	l.have = l.have[n:]
	return frame, nil
}

// fill blocks for more bytes.
func (l *line) fill() error {
	if len(l.have) == len(l.buf) {
		l.buf = append(make([]byte, 0, 2*len(l.buf)), l.have...)[:2*len(l.buf)]
	}
	kept := copy(l.buf, l.have)
	n, err := l.conn.Read(l.buf[kept:])
	l.have = l.buf[:kept+n]
	if n > 0 {
		return nil
	}
	return err
}

// each does something for all numbers below n, some at once; the first error is told.
func each(n int, do func(i int) error) error {
	errs := make([]error, dialers)
	var wg sync.WaitGroup
	for w := range dialers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += dialers {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
