package suite

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// dialTimeout bounds a connection with all handshakes of its transport.
const dialTimeout = 10 * time.Second

// Target is where a broker listens.
type Target struct {
	url    *url.URL
	tls    *tls.Config
	server *Server
}

// TLS is how a tls or wss target is trusted.
type TLS struct {
	// CAFile is a PEM file of the authorities to trust, empty for those of the system.
	CAFile string
	// CertFile and KeyFile are what the client shows of itself, empty for nothing.
	CertFile, KeyFile string
	// Insecure trusts any certificate.
	Insecure bool
}

// ParseTarget reads tcp://host:port, tls://host:port, ws://host:port/path, wss://host:port/path or
// unix:///path.
func ParseTarget(s string, t TLS) (*Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("suite: target: %w", err)
	}
	target := &Target{url: u, server: everything()}
	switch u.Scheme {
	case "tcp", "ws":
	case "tls", "wss":
		if target.tls, err = t.config(u.Hostname()); err != nil {
			return nil, err
		}
	case "unix":
		if u.Path == "" {
			return nil, fmt.Errorf("suite: target %q: want unix:///path/of/socket", s)
		}
		return target, nil
	default:
		return nil, fmt.Errorf("suite: target %q: want tcp://host:port, or tls, ws, wss, unix", s)
	}
	if u.Port() == "" {
		return nil, fmt.Errorf("suite: target %q: no port", s)
	}
	return target, nil
}

func (t *TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, InsecureSkipVerify: t.Insecure, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("suite: authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("suite: authorities: no certificate in %s", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("suite: client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (t *Target) scheme() string { return t.url.Scheme }

// WebSocket is true for ws and wss.
func (t *Target) webSocket() bool { return t.scheme() == "ws" || t.scheme() == "wss" }

// String is the target as it was written.
func (t *Target) String() string { return t.url.String() }

// stream opens the byte stream below WebSocket.
func (t *Target) stream(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	network, address := "tcp", t.url.Host
	if t.scheme() == "unix" {
		network, address = "unix", t.url.Path
	}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil || t.tls == nil {
		return conn, err
	}
	secured := tls.Client(conn, t.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return secured, nil
}

// Dial opens a byte stream of MQTT, for clients that are no cases.
func (t *Target) Dial(ctx context.Context) (net.Conn, error) { return t.dial(ctx) }

// dial opens a byte stream of MQTT.
func (t *Target) dial(ctx context.Context) (net.Conn, error) {
	conn, err := t.stream(ctx)
	if err != nil || !t.webSocket() {
		return conn, err
	}
	ws, err := upgrade(conn, t.url)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ws, nil
}
