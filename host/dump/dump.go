// Package dump knows how what a store holds is written as text: a JSON object a line, versioned,
// read and written as a stream. FORMAT.md describes the lines. It does not know files, and of the
// store only what Walk tells and Loader takes.
package dump

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hpmq/hpmq/host/store"
)

// Version is that of the lines. A reader takes all up to its own.
const Version = 1

// lineBytesMax bounds a line: the largest packet of MQTT, in base64, with what stands around it.
const lineBytesMax = 400 << 20

// Errors of a text.
var (
	ErrFormat  = errors.New("no export of a store")
	ErrVersion = errors.New("an export of a newer version: use that version of hpmq-cli")
	ErrCut     = errors.New("the end is missing: the export is not whole")
	ErrRecord  = errors.New("damaged record")
)

// Counts are how many records of each kind there were.
type Counts struct {
	Sessions int `json:"sessions"`
	Payloads int `json:"payloads"`
	Received int `json:"received"`
	Flights  int `json:"flights"`
	Queued   int `json:"queued"`
	Retained int `json:"retained"`
	KV       int `json:"kv"`
	History  int `json:"history"`
}

// Records is their sum.
func (c *Counts) Records() int {
	return c.Sessions + c.Payloads + c.Received + c.Flights + c.Queued + c.Retained +
		c.KV + c.History
}

func (c *Counts) add(p *store.Part) {
	switch p.Kind {
	case store.PartShared:
		c.Payloads++
	case store.PartSession:
		c.Sessions++
	case store.PartReceived:
		c.Received++
	case store.PartFlight:
		c.Flights++
	case store.PartQueued:
		c.Queued++
	case store.PartRetained:
		c.Retained++
	case store.PartNote:
		if p.Note.Kind == store.NoteHistory {
			c.History++
		} else {
			c.KV++
		}
	}
}

// Head says where an export comes from, for people.
type Head struct {
	Program string
	Now     time.Time
}

// Export writes all that d holds to w. It must not run beside writes.
func Export(d *store.Disk, w io.Writer, h Head) (Counts, error) {
	return exportBy(w, h, d.Walk)
}

// ExportLeft is Export of what is not damaged; left hears of each place that is left out.
func ExportLeft(d *store.Disk, w io.Writer, h Head, left func(err error)) (Counts, error) {
	return exportBy(w, h, func(visit func(store.Part) error) error {
		return d.WalkLeft(visit, left)
	})
}

func exportBy(w io.Writer, h Head, walk func(func(store.Part) error) error) (Counts, error) {
	var c Counts
	out := bufio.NewWriterSize(w, 1<<20)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(&line{
		Kind: kindHead, Version: Version, Program: h.Program,
		Exported: h.Now.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return c, fmt.Errorf("dump: write: %w", err)
	}
	err = walk(func(p store.Part) error {
		x, err := lineOf(&p)
		if err != nil {
			return err
		}
		c.add(&p)
		return enc.Encode(x)
	})
	if err == nil {
		err = enc.Encode(&line{Kind: kindEnd, Records: c.Records()})
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return c, fmt.Errorf("dump: write: %w", err)
	}
	return c, nil
}

// Import loads what r has into d, which nobody else uses. Errors name the line. After an error
// there may be some of it.
func Import(d *store.Disk, r io.Reader) (c Counts, err error) {
	s := scanner{in: bufio.NewReaderSize(r, 1<<20)}
	err = d.Load(func(l *store.Loader) error {
		err := s.all(func(p *store.Part) error {
			c.add(p)
			return l.Put(p)
		})
		if err != nil && s.n > 0 {
			err = fmt.Errorf("line %d: %w", s.n, err)
		}
		return err
	})
	if err != nil {
		return c, fmt.Errorf("dump: read: %w", err)
	}
	return c, nil
}

// scanner reads lines.
type scanner struct {
	in *bufio.Reader
	n  int // of the line at work, from 1
	b  []byte
}

// all hands each record to visit.
func (s *scanner) all(visit func(*store.Part) error) error {
	if err := s.head(); err != nil {
		return err
	}
	for records := 0; ; records++ {
		x, err := s.next()
		if errors.Is(err, io.EOF) {
			return ErrCut
		}
		if err != nil {
			return err
		}
		if x.Kind == kindEnd {
			return s.end(x, records)
		}
		p, err := x.part()
		if err == nil {
			err = store.Sound(&p)
		}
		if err == nil {
			err = visit(&p)
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) head() error {
	x, err := s.next()
	switch {
	case errors.Is(err, io.EOF) || err == nil && x.Kind != kindHead || errors.Is(err, ErrRecord):
		return fmt.Errorf("%w: it does not begin with {\"kind\":\"%s\",...}", ErrFormat, kindHead)
	case err != nil:
		return err
	case x.Version > Version || x.Version < 1:
		return fmt.Errorf("%w: %d, this program knows %d", ErrVersion, x.Version, Version)
	}
	return nil
}

// end looks whether all is there, and nothing behind it.
func (s *scanner) end(x *line, records int) error {
	if x.Records != records {
		return fmt.Errorf("%w: %d records came, there should be %d", ErrCut, records, x.Records)
	}
	if _, err := s.next(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: there is something behind the end", ErrRecord)
	}
	return nil
}

// next reads a line; an io.EOF is the end of all.
func (s *scanner) next() (*line, error) {
	s.n++
	s.b = s.b[:0]
	for {
		b, err := s.in.ReadSlice('\n')
		s.b = append(s.b, b...)
		switch {
		case len(s.b) > lineBytesMax:
			return nil, fmt.Errorf("%w: longer than %d bytes", ErrRecord, lineBytesMax)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(s.b) > 0, err == nil:
			return parse(s.b)
		}
		return nil, err
	}
}
