package websocket

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Config is which requests a server upgrades.
type Config struct {
	// Path is where MQTT is; a query after it does not count.
	Path string
	// Origins are the pages a browser may connect from: scheme://host or scheme://host:port, where
	// the first label of the host may be * for any one label. Empty allows any. A client that sends
	// no Origin is no browser and is not asked for one. Loopback among them stands for all pages
	// that this machine serves.
	Origins []string
}

// Loopback is the origin of every page whose host is localhost or a loopback address.
const Loopback = "loopback"

// Default is what MQTT clients assume.
func Default() Config { return Config{Path: "/mqtt"} }

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	_, err := NewRules(*c)
	return err
}

// Rules is a Config made ready. It does not change and may be shared.
type Rules struct {
	path     string
	loopback bool
	origins  []origin
}

// NewRules makes cfg ready.
func NewRules(cfg Config) (*Rules, error) {
	if !strings.HasPrefix(cfg.Path, "/") || strings.ContainsAny(cfg.Path, "?# ") {
		return nil, errors.New("websocket: path: begin it with / and leave out ? and #")
	}
	r := &Rules{path: cfg.Path}
	for _, s := range cfg.Origins {
		if s == Loopback {
			r.loopback = true
			continue
		}
		o, ok := parseOrigin(s)
		if !ok || strings.Contains(strings.TrimPrefix(o.host, "*."), "*") {
			return nil, fmt.Errorf("websocket: origin %q: write scheme://host or "+
				"scheme://host:port, as in https://a.example or https://*.example", s)
		}
		r.origins = append(r.origins, o)
	}
	return r, nil
}

// origin is where a page came from (RFC 6454), in lower case.
type origin struct{ scheme, host, port string }

func parseOrigin(s string) (origin, bool) {
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return origin{}, false
	}
	o := origin{u.Scheme, u.Hostname(), u.Port()}
	if o.port == "" {
		o.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return o, true
}

// covers is true if o, which may begin with the label *, stands for p.
func (o origin) covers(p origin) bool {
	if o.scheme != p.scheme || o.port != p.port {
		return false
	}
	if o.host == p.host {
		return true
	}
	tail, wild := strings.CutPrefix(o.host, "*")
	_, rest, found := strings.Cut(p.host, ".")
	return wild && found && tail == "."+rest
}

// loopback is true for a page that this machine serves.
func (o origin) loopback() bool {
	ip, err := netip.ParseAddr(o.host)
	return o.host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// originAllowed looks at the values of the Origin header.
func (r *Rules) originAllowed(values []string) bool {
	if len(values) == 0 || len(r.origins) == 0 && !r.loopback {
		return true
	}
	p, ok := parseOrigin(values[0])
	if !ok || len(values) > 1 {
		return false
	}
	if r.loopback && p.loopback() {
		return true
	}
	for _, o := range r.origins {
		if o.covers(p) {
			return true
		}
	}
	return false
}
