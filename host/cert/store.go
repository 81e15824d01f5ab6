package cert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Soon is how long before a certificate expires Warnings begins to say so.
const Soon = 14 * 24 * time.Hour

// File is a certificate and where it was read.
type File struct {
	Name        string
	Certificate *x509.Certificate // not to be changed
}

// content is what the files said when they were read last. It is not changed.
type content struct {
	tls   *tls.Config
	files []File
	// warnings are what clients may not like, whatever the time.
	warnings []string
}

// Store is what the files of a Config say. Its methods are safe for concurrent use.
type Store struct {
	cfg Config
	now atomic.Pointer[content]

	mu   sync.Mutex
	read []stamp // of the files as they were when they were last read, or tried
	seen []stamp // of the files at the last Poll
	// fault is what was wrong at the last attempt to read, empty if nothing was.
	fault string
}

// stamp tells one version of a file from another.
type stamp struct {
	modified time.Time
	bytes    int64
}

// Open reads the files of cfg.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// TLS is the configuration of the next handshake. It must not be changed. It never blocks.
func (s *Store) TLS() *tls.Config { return s.now.Load().tls }

// Files are the certificates in use, the server's first.
func (s *Store) Files() []File { return s.now.Load().files }

// Reload reads all files again. With an error, which names every file that is wrong, nothing has
// changed.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = s.stampsLocked()
	return s.reloadLocked()
}

// reloadLocked notes the stamps before it reads: what changes meanwhile is found by the next Poll.
func (s *Store) reloadLocked() error {
	s.read = s.seen
	n, err := s.cfg.read()
	if err != nil {
		s.fault = err.Error()
		return err
	}
	s.fault = ""
	s.now.Store(n)
	return nil
}

// Poll reads the files again if one of them has changed and none has since the last Poll: who
// replaces two files is not read between the one and the other. After an error it reads every time:
// who mends a permission leaves a file as old as it was. It answers whether there is news; an error
// that stays the same is none.
func (s *Store) Poll() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stamps := s.stampsLocked()
	calm := same(stamps, s.seen)
	s.seen = stamps
	changed, fault := !same(stamps, s.read), s.fault
	if !calm || !changed && fault == "" {
		return false, nil
	}
	err := s.reloadLocked()
	if err != nil && !changed && err.Error() == fault {
		return false, nil
	}
	return true, err
}

// Run polls until ctx ends. tell is called with what Reload would answer, whenever Poll has
// news.
func (s *Store) Run(ctx context.Context, tell func(error)) {
	if s.cfg.Poll == 0 {
		return
	}
	t := time.NewTicker(s.cfg.Poll)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if read, err := s.Poll(); read {
			tell(err)
		}
	}
}

// stampsLocked looks at the files. One that is not there has the zero stamp.
func (s *Store) stampsLocked() []stamp {
	var out []stamp
	look := func(name string) {
		var p stamp
		if fi, err := os.Stat(name); err == nil {
			p = stamp{fi.ModTime(), fi.Size()}
		}
		out = append(out, p)
	}
	for _, p := range s.cfg.Certificates {
		look(p.Certificate)
		look(p.Key)
	}
	if s.cfg.ClientAuth != Off {
		look(s.cfg.ClientCA)
	}
	return out
}

func same(a, b []stamp) bool {
	for i := range a {
		if !a[i].modified.Equal(b[i].modified) || a[i].bytes != b[i].bytes {
			return false
		}
	}
	return true
}

// Warnings says of each certificate in use that is expired, expires within Soon, is not valid yet,
// is for no server or comes with a broken chain, what it is and what to do. None of it is an error:
// clients judge for themselves.
func (s *Store) Warnings(now time.Time) []string {
	var out []string
	say := func(f File, text string, at time.Time) {
		out = append(out, fmt.Sprintf("certificate %s (%s) %s %s", f.Name,
			f.Certificate.Subject, text, at.UTC().Format(time.DateTime+" UTC")))
	}
	for _, f := range s.Files() {
		switch c := f.Certificate; {
		case now.After(c.NotAfter):
			say(f, "is refused by clients: renew it, it expired at", c.NotAfter)
		case c.NotAfter.Sub(now) < Soon:
			say(f, "must be renewed: it expires at", c.NotAfter)
		case now.Before(c.NotBefore):
			say(f, "is refused by clients: check the clock, it is valid from", c.NotBefore)
		}
	}
	out = append(out, s.now.Load().warnings...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != "" {
		out = append(out, "the files on disk are not what is in use: the last that were read are")
	}
	return out
}
