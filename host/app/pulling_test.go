package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// lines are what a log said and nobody read yet.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default: // a test reads them, and this is no matter of it
	}
	return len(p), nil
}

func (l lines) log() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// until answers the next line with that text.
func (l lines) until(t *testing.T, text string) string {
	t.Helper()
	end := time.After(patience)
	for {
		select {
		case line := <-l:
			if strings.Contains(line, text) {
				return line
			}
		case <-end:
			t.Fatal("nobody says", text)
		}
	}
}

// mute is a registry that takes connections and never says a word.
func mute(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// TestWhoPullsSaysSo before it waits: from where, and how long at most. So it is at a start, at a
// reload, and for who checks a configuration.
func TestWhoPullsSaysSo(t *testing.T) {
	q := newQuay(t)
	use := mute(t) + "/acme/dedup@" + string(oci.DigestOf([]byte("x")))
	cfg := q.naming(use)
	cfg.Bundles.PullTimeout = configs.Duration(7 * time.Minute)
	log := make(lines, 1000)
	running := start(t, q.cfg, Options{Log: log.log()})
	for about, do := range map[string]func(context.Context) error{
		"start": func(ctx context.Context) error {
			cfg := cfg
			cfg.DataDir = t.TempDir()
			_, err := Open(ctx, cfg, Options{Log: log.log()})
			return err
		},
		"reload": func(ctx context.Context) error { return running.Reload(ctx, cfg) },
		"check": func(ctx context.Context) error {
			_, err := Check(ctx, cfg, log.log())
			return err
		},
	} {
		t.Run(about, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- do(ctx) }()
			line := log.until(t, "app: pulling a bundle")
			if !strings.Contains(line, "level=INFO") || !strings.Contains(line, "from="+use) ||
				!strings.Contains(line, `"at most"=7m0s`) {
				t.Error(line)
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}
