package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/cert"
)

// keys are the certificates of a listener. Those that are in use can be changed for others at any
// time; the next handshake takes them.
type keys struct {
	now atomic.Pointer[cert.Store]
	// stop ends the watch over the files of now.
	stop context.CancelFunc
}

// TLS is gate.TLS.Config.
func (k *keys) TLS() *tls.Config { return k.now.Load().TLS() }

// readKeys reads the files that a listener names, nil if it names none.
func readKeys(l *configs.Listener) (*cert.Store, error) {
	if l.Secure == nil {
		return nil, nil
	}
	cfg := cert.Default()
	for _, c := range l.Secure.Certificates {
		cfg.Certificates = append(cfg.Certificates, cert.Pair(c))
	}
	cfg.ClientCA = l.Secure.ClientCA
	cfg.ClientAuth = cert.ClientAuth(l.Secure.ClientAuth)
	cfg.MinVersion = string(l.Secure.MinVersion)
	cfg.Protocols = protocols(l)
	s, err := cert.Open(cfg)
	if err != nil {
		return nil, fmt.Errorf("app: listener %s: %w", l.Name, err)
	}
	return s, nil
}

// CheckFiles reads the certificate files of cfg as Open would. It opens nothing else; all that is
// wrong is told at once. The warnings are of certificates that can be used.
func CheckFiles(cfg *configs.Config) (warnings []string, err error) {
	var errs []error
	for i := range cfg.Listeners {
		s, err := readKeys(&cfg.Listeners[i])
		if errs = append(errs, err); s == nil {
			continue
		}
		for _, w := range s.Warnings(time.Now()) {
			warnings = append(warnings, "listener "+cfg.Listeners[i].Name+": "+w)
		}
	}
	return warnings, errors.Join(errs...)
}

// protocols are what ALPN offers.
func protocols(l *configs.Listener) []string {
	b, err := configs.ParseBind(l.Bind)
	if err == nil && b.WebSocket() {
		return []string{"http/1.1"}
	}
	return []string{"mqtt", "x-amzn-mqtt-ca"} // and what devices made for AWS ask for
}

// useKeys makes s what d uses, and watches its files.
func (a *App) useKeys(d *door, s *cert.Store) {
	if d.keys != nil && d.keys.stop != nil {
		d.keys.stop()
	}
	if s == nil {
		d.keys = nil
		return
	}
	if d.keys == nil {
		d.keys = new(keys)
	}
	d.keys.now.Store(s)
	var ctx context.Context
	ctx, d.keys.stop = context.WithCancel(a.life)
	name := d.cfg.Name
	for _, w := range s.Warnings(time.Now()) {
		a.log.Warn("app: "+w, "listener", name)
	}
	go s.Run(ctx, func(err error) {
		if err != nil {
			a.log.Error("app: certificates stay as they are, the new files are no good",
				"listener", name, "error", err)
			return
		}
		a.log.Info("app: certificates changed", "listener", name)
		for _, w := range s.Warnings(time.Now()) {
			a.log.Warn("app: "+w, "listener", name)
		}
	})
}

// reloadKeys reads the certificate files of a listener again.
func (a *App) reloadKeys(name string) error {
	a.change.Lock()
	defer a.change.Unlock()
	d := a.doors[name]
	switch {
	case d == nil:
		return fmt.Errorf("app: listener %s: %w", name, errUnknown)
	case d.keys == nil:
		return as(errTaken, fmt.Errorf("app: listener %s has no certificates: its bind is %s",
			name, d.cfg.Bind))
	}
	if err := d.keys.now.Load().Reload(); err != nil {
		return as(errRefused, fmt.Errorf("app: listener %s: nothing has changed: %w", name, err))
	}
	a.log.Info("app: certificates reloaded", "listener", name)
	return nil
}
