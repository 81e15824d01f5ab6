package wasm

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// LineLogger is implemented by an env that wants what its guest writes to standard output and
// standard error. level is "info" or "warn"; text is one line, without its end, valid UTF-8. It is
// called on the guest's goroutine and must not block.
type LineLogger interface {
	GuestLog(level, text string)
}

const (
	lineBytesMax   = 1024 // a longer line is cut into several
	fdWriteIovsMax = 64
)

// logLines gathers what a guest writes until a line is whole, and lets so many a second through.
type logLines struct {
	parts   [2][]byte // standard output, standard error
	second  time.Time // when the count began
	count   uint32
	dropped uint32
}

// fdWrite takes all that is offered, whether it is shown or not.
func fdWrite(g *Guest, in []uint64) uint32 {
	fd, iovs, n := uint32(in[0]), uint32(in[1]), uint32(in[2])
	if fd != 1 && fd != 2 {
		return wasiBadF
	}
	if n > fdWriteIovsMax {
		return wasiInval
	}
	total := uint32(0)
	for i := range n {
		at, ok := g.here.memory.Uint32(iovs + 8*i)
		size, ok2 := g.here.memory.Uint32(iovs + 8*i + 4)
		g.must(ok && ok2, "fd_write")
		b, ok := g.here.memory.Read(at, size)
		g.must(ok, "fd_write")
		g.WriteLog(LogStream(fd-1), b)
		total += size
	}
	g.must(g.here.memory.PutUint32(uint32(in[3]), total), "fd_write")
	return wasiOK
}

// LogStream is one of the two streams that a guest may write to.
type LogStream byte

// The streams.
const (
	Stdout LogStream = iota
	Stderr
)

// WriteLog takes what the guest writes to a stream, borrowed until return: whole lines go to its
// env if that is a LineLogger, up to Config.LogLinesMax a second. It charges for the bytes.
func (g *Guest) WriteLog(stream LogStream, b []byte) {
	g.Charge(uint64(len(b)))
	for len(b) > 0 {
		part := &g.log.parts[stream]
		end := bytes.IndexByte(b, '\n')
		take := end
		if end < 0 {
			take = len(b)
		}
		take = min(take, lineBytesMax-len(*part))
		*part = append(*part, b[:take]...)
		b = b[take:]
		switch {
		case end >= 0 && take == end:
			b = b[1:]
		case len(*part) < lineBytesMax:
			return
		}
		g.logLine(stream, *part)
		*part = (*part)[:0]
	}
}

// logLine shows a line, or counts it when the second's share is used up.
func (g *Guest) logLine(stream LogStream, line []byte) {
	logger, ok := g.env.(LineLogger)
	line = bytes.TrimRight(line, "\r")
	if !ok || len(line) == 0 {
		return
	}
	e, l := g.module.engine, &g.log
	if now := e.now(); now.Sub(l.second) >= time.Second || now.Before(l.second) {
		if l.dropped > 0 {
			dropped := strconv.Itoa(int(l.dropped))
			logger.GuestLog("warn", dropped+" lines dropped: too many a second")
		}
		l.second, l.count, l.dropped = now, 0, 0
	}
	if l.count >= e.cfg.LogLinesMax {
		l.dropped++
		return
	}
	l.count++
	if !utf8.Valid(line) {
		line = bytes.ToValidUTF8(line, []byte("�"))
	}
	logger.GuestLog([...]string{"info", "warn"}[stream], string(line))
}
