package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Listener is a door for clients.
type Listener struct {
	// Name of one that was removed is NAME~1, until its last connection has left.
	Name   string `json:"name" doc:"With ~1 behind it once it is removed" example:"secure"`
	Bind   string `json:"bind" doc:"Where it listens" example:"tls://127.0.0.1:8883"`
	Scheme string `json:"scheme" enum:"tcp,tls,ws,wss,unix"`
	// State of one that was removed is what becomes of its connections.
	State string `json:"state" enum:"open,drain,keep,close"`
	// Connections is of now, the others only grow, until the listener is opened anew.
	Connections int    `json:"connections"`
	Accepted    uint64 `json:"accepted"`
	Refused     uint64 `json:"refused" doc:"Connections above a limit"`
	// Handshakes are connections whose TLS handshake or PROXY header is awaited.
	Handshakes       int    `json:"handshakes"`
	HandshakesFailed uint64 `json:"handshakes_failed"`
	// Paused connections are not read now, because of a rate.
	Paused      int64  `json:"paused"`
	PausedTotal uint64 `json:"paused_total" doc:"How often a connection was paused"`

	Certificates []Certificate `json:"certificates,omitempty" doc:"In use, the server's first"`
	Warnings     []string      `json:"warnings,omitempty" doc:"What is to be done about them"`
	// Settings are there when one listener is asked for, without what its components are told.
	Settings Settings `json:"settings,omitempty" doc:"As in a configuration file"`
}

// Certificate is one that a listener uses.
type Certificate struct {
	File      string    `json:"file"`
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty" doc:"Hosts and addresses it is for"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// Settings are those of a listener, by the keys of a configuration file.
type Settings map[string]any

// What becomes of the connections of a listener that is removed.
const (
	Drain = "drain" // told to go elsewhere, evenly over a time
	Keep  = "keep"  // they go on until they end by themselves
	Close = "close" // ended at once
)

// Removal says what becomes of the connections of a listener. The zero value is what its
// configuration says.
type Removal struct {
	Connections  string
	DrainTimeout time.Duration // of Drain
}

// Listeners asks where the broker listens, and which listeners that were removed still have
// connections.
func (c *Client) Listeners(ctx context.Context) ([]Listener, error) {
	var out []Listener
	return out, c.do(ctx, http.MethodGet, "/listeners", nil, &out)
}

// Listener asks for one listener, its settings too.
func (c *Client) Listener(ctx context.Context, name string) (Listener, error) {
	var out Listener
	return out, c.do(ctx, http.MethodGet, "/listeners/"+segment(name), nil, &out)
}

// AddListener opens a listener. text is its settings as in a configuration file, YAML or JSON, with
// its name. A name that is taken is refused.
func (c *Client) AddListener(ctx context.Context, text []byte) (Listener, error) {
	var out Listener
	return out, c.do(ctx, http.MethodPost, "/listeners", document(text), &out)
}

// PutListener makes a listener what text says, opened if there is none of that name. Its
// connections stay.
func (c *Client) PutListener(ctx context.Context, name string, text []byte) (Listener, error) {
	var out Listener
	return out, c.do(ctx, http.MethodPut, "/listeners/"+segment(name), document(text), &out)
}

// ChangeListener changes the settings of a listener that text has; the others stay, and so do its
// connections.
func (c *Client) ChangeListener(ctx context.Context, name string, text []byte) (Listener, error) {
	var out Listener
	return out, c.do(ctx, http.MethodPatch, "/listeners/"+segment(name), document(text), &out)
}

// RemoveListener closes a listener. Of one that was removed before it changes what becomes of its
// connections.
func (c *Client) RemoveListener(ctx context.Context, name string, r Removal) error {
	q := url.Values{}
	if r.Connections != "" {
		q.Set("connections", r.Connections)
	}
	if r.DrainTimeout != 0 {
		q.Set("drain_timeout", r.DrainTimeout.String())
	}
	path := "/listeners/" + segment(name)
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return c.do(ctx, http.MethodDelete, path, nil, nil)
}

// ReloadCertificates makes a listener read its certificate files again. With an error nothing has
// changed.
func (c *Client) ReloadCertificates(ctx context.Context, name string) (Listener, error) {
	var out Listener
	path := "/listeners/" + segment(name) + "/certificates/reload"
	return out, c.do(ctx, http.MethodPost, path, nil, &out)
}

// Text writes settings for AddListener and its like.
func (s Settings) Text() ([]byte, error) { return json.Marshal(s) }

// document is a body that goes as it is, and binary one that is no text.
type (
	document []byte
	binary   []byte
)
