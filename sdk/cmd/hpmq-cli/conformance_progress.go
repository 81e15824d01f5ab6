package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// progressEvery is how often --progress prints a line where there is no terminal.
const progressEvery = 10 * time.Second

// progress tells how far a run is: on a terminal in one line that is drawn again, else in a line
// now and then. Its methods may be called from several goroutines.
type progress struct {
	out    io.Writer
	redraw bool
	total  int

	mu           sync.Mutex
	done, failed int
}

// terminal is true if w is one.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// add counts a result.
func (p *progress) add(res suite.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if res.Outcome != suite.Passed && res.Outcome != suite.Skipped && res.Outcome != suite.NotRun {
		p.failed++
	}
	if p.redraw {
		_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", p.textLocked())
	}
}

func (p *progress) textLocked() string {
	return fmt.Sprintf("%d of %d runs of cases, %d failed so far", p.done, p.total, p.failed)
}

// watch prints a line at each tick, until stop is closed.
func (p *progress) watch(tick <-chan time.Time, stop <-chan struct{}) {
	for {
		select {
		case <-tick:
			p.mu.Lock()
			_, _ = fmt.Fprintln(p.out, p.textLocked())
			p.mu.Unlock()
		case <-stop:
			return
		}
	}
}

// start begins to tell, as far as it is wanted, and answers what ends it.
func (c *conformance) startProgress(total int) (end func()) {
	p := &progress{out: c.err, redraw: terminal(c.err), total: total}
	switch {
	case p.redraw:
		c.opts.Progress = p.add
		return func() { _, _ = io.WriteString(c.err, "\r\x1b[K") }
	case !c.progress:
		return func() {}
	}
	c.opts.Progress = p.add
	ticker, stop, stopped := time.NewTicker(progressEvery), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		p.watch(ticker.C, stop)
	}()
	return func() {
		ticker.Stop()
		close(stop)
		<-stopped
	}
}
