package main

import (
	"fmt"
	"io"
	"time"
)

// Where there is no terminal, something that takes longer than busyAfter is told in one line; on
// one, how long it takes is drawn again and again.
const (
	busyAfter = 2 * time.Second
	busyStep  = 200 * time.Millisecond
)

// busy tells on standard error that something takes long, until end is called.
func (s *settings) busy(what string) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	redraw := terminal(s.err)
	tick := time.NewTicker(busyAfter)
	if redraw {
		tick.Reset(busyStep)
	}
	go func() {
		defer close(stopped)
		teller{s.err, what, redraw}.tell(tick.C, stop)
	}()
	return func() {
		tick.Stop()
		close(stop)
		<-stopped
	}
}

// teller tells of one thing.
type teller struct {
	out    io.Writer
	what   string
	redraw bool
}

func (t teller) tell(tick <-chan time.Time, stop <-chan struct{}) {
	began, told := time.Now(), false
	for {
		select {
		case now := <-tick:
			if t.redraw {
				_, _ = fmt.Fprintf(t.out, "\r\x1b[K%s … %.1f s", t.what, now.Sub(began).Seconds())
			} else if !told {
				_, _ = fmt.Fprintf(t.out, "%s …\n", t.what)
			}
			told = true
		case <-stop:
			if t.redraw && told {
				_, _ = io.WriteString(t.out, "\r\x1b[K")
			}
			return
		}
	}
}
