// Package admin knows the admin API: which path asks what of the broker, and who may ask. The words
// of the API are those of sdk/client.
//
// It does not know how a broker does what it is asked: it asks through the interfaces below.
package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// What a Broker's errors can be; any other is answered as a fault of the broker.
var (
	// ErrNotFound: there is no such listener, role, position or client.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the name or the address is taken, or there is nothing to roll back to.
	ErrConflict = errors.New("conflict")
	// ErrRefused: a component or a setting is no good; nothing has changed.
	ErrRefused = errors.New("refused")
	// ErrGone: it was there, and is not kept any more.
	ErrGone = errors.New("gone")
	// ErrBusy: too many ask that at once; later it works.
	ErrBusy = errors.New("busy")
)

// Node is asked how the broker is.
type Node interface {
	Status(ctx context.Context) (client.Status, error)
	Alarms(ctx context.Context) ([]client.Alarm, error)
}

// Listeners opens, changes and closes doors. Its calls may take seconds.
type Listeners interface {
	Listeners(ctx context.Context) ([]client.Listener, error)
	Listener(ctx context.Context, name string) (client.Listener, error)
	SetListener(ctx context.Context, s Setting) (client.Listener, error)
	RemoveListener(ctx context.Context, name string, r client.Removal) error
	ReloadCertificates(ctx context.Context, name string) (client.Listener, error)
}

// Setting is a listener to be.
type Setting struct {
	// Name is empty if it is in the text.
	Name string
	// New refuses a name that is taken, Change one that is not.
	New, Change bool
	// Text is the settings as in a configuration file, YAML or JSON; with Change, those to change.
	Text []byte
}

// Links changes which component serves which role. Its calls may take seconds.
type Links interface {
	Link(ctx context.Context) ([]client.Linked, error)
	// Failures are those of one listener, or of all if it is empty.
	Failures(ctx context.Context, listener string) ([]client.Failure, error)
	Swap(ctx context.Context, s client.Swap) (client.Swapped, error)
	Rollback(ctx context.Context, r client.Rollback) (client.Swapped, error)
}

// Sessions sees clients.
type Sessions interface {
	// Sessions answers at most limit sessions in the order of their client ids, from the first
	// after the given one on.
	Sessions(ctx context.Context, after string, limit int) ([]client.Session, error)
	Kick(ctx context.Context, clientID string) error
}

// Broker is all that the API asks.
type Broker struct {
	Node       Node
	Listeners  Listeners
	Links      Links
	Sessions   Sessions
	Backups    Backups
	Messages   Messages
	Changes    Changes
	Bundles    Bundles
	Quarantine Quarantine
}

// Config bounds the API and says who may use it.
type Config struct {
	// Loopback is true if the address is one only this machine can reach: then requests must name
	// it so.
	Loopback bool
	// Token every request must bear; empty asks for none and is refused beyond loopback.
	Token string
	// WasmBytesMax bounds a component in a swap.
	WasmBytesMax int
	// BundleBytesMax bounds what is sent for a change.
	BundleBytesMax int
	// RequestsMax bounds the requests served at once; who follows events or the message log, and
	// who sends a bundle, has bounds of its own.
	RequestsMax, FollowersMax, UploadsMax int
	// RequestTimeout bounds reading one request and, after that, answering it.
	RequestTimeout time.Duration
}

// Default is for a loopback address.
func Default() Config {
	return Config{
		Loopback:       true,
		WasmBytesMax:   16 << 20,
		BundleBytesMax: 128 << 20,   // what a bundle may have, packed
		RequestsMax:    16,          // each may hold a component in memory
		FollowersMax:   32,          // each holds a connection and a few lines
		UploadsMax:     2,           // each holds a bundle in memory, twice while it is read
		RequestTimeout: time.Minute, // compiling a large component on a small box
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case !c.Loopback && c.Token == "":
		return errors.New("admin: token: needed beyond loopback")
	case c.WasmBytesMax < 1 || c.BundleBytesMax < 1 || c.RequestsMax < 1 || c.FollowersMax < 1 ||
		c.UploadsMax < 1 || c.RequestTimeout <= 0:
		return errors.New("admin: limits: must be positive")
	}
	return nil
}

// NewHandler answers the API over b.
func NewHandler(cfg Config, b Broker) (http.Handler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	register(mux, cfg, b)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { unknown(mux, w, r) })
	return newGuard(cfg, mux), nil
}

// unknown answers what no operation is for: another method may have one.
func unknown(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		refuse(w, http.StatusNotFound, "no such path: "+r.URL.Path)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	refuse(w, http.StatusMethodNotAllowed, "not by "+r.Method+": use "+
		strings.Join(allowed, " or "))
}

// NewServer answers a server of the API that is ready to Serve on a listener. It opens nothing.
func NewServer(cfg Config, b Broker) (*http.Server, error) {
	h, err := NewHandler(cfg, b)
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       cfg.RequestTimeout,
		WriteTimeout:      2 * cfg.RequestTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}, nil
}
