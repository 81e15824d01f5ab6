package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

// listenerFlags say what a listener is to be. Files are on the machine of the broker.
type listenerFlags struct {
	file                                string
	bind, clientCA, clientAuth, version string
	certificates, keys                  []string
	wsPath                              string
	wsOrigins, proxies                  []string
	socketMode, onRemove, drainTimeout  string
	limits                              []string
}

func (f *listenerFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.file, "file", "",
		"YAML file with all its settings, as they stand in a configuration; instead of other flags")
	fs.StringVar(&f.bind, "bind", "", "tcp, tls, ws or wss://host:port, or unix:///path")
	fs.StringArrayVar(&f.certificates, "certificate", nil,
		"PEM file, on the machine of the broker; may be repeated, chosen by SNI")
	fs.StringArrayVar(&f.keys, "key", nil, "PEM file with the key, one for each --certificate")
	fs.StringVar(&f.clientCA, "client-ca", "",
		"PEM file with the authorities of client certificates")
	fs.StringVar(&f.clientAuth, "client-auth", "",
		"client certificates: off, optional or required (default with --client-ca: required)")
	fs.StringVar(&f.version, "min-version", "", "of TLS: 1.2 or 1.3")
	fs.StringVar(&f.wsPath, "ws-path", "", "of WebSocket (default /mqtt)")
	fs.StringArrayVar(&f.wsOrigins, "ws-origin", nil, "page that may connect; may be repeated")
	fs.StringArrayVar(&f.proxies, "proxy", nil,
		"address of a proxy that sends PROXY headers, as 10.0.0.0/8; may be repeated")
	fs.StringVar(&f.socketMode, "socket-mode", "", "permissions of a unix socket, as 0660")
	fs.StringVar(&f.onRemove, "on-remove", "",
		"drain, keep or close: its connections when a new configuration has it no more")
	fs.StringVar(&f.drainTimeout, "drain-timeout", "", "time to drain, as 30s")
	fs.StringArrayVar(&f.limits, "limit", nil,
		"a limit, as connections_max=1000 or bytes_in_per_second=64KiB; may be repeated")
}

// text is the settings, with the name if it is to be among them.
func (f *listenerFlags) text(name string) ([]byte, error) {
	doc, err := f.settings()
	switch {
	case err != nil:
		return nil, usageError{err}
	case f.file != "" && len(doc) > 0:
		return nil, usageError{errors.New("--file has all settings: leave the other flags out")}
	case f.file != "":
		return f.read()
	}
	if name != "" {
		doc["name"] = name
	}
	return doc.Text()
}

func (f *listenerFlags) read() ([]byte, error) {
	text, err := os.ReadFile(f.file)
	if err != nil {
		return nil, usageError{err}
	}
	return text, nil
}

func (f *listenerFlags) settings() (client.Settings, error) {
	doc := client.Settings{}
	for key, value := range map[string]string{
		"bind": f.bind, "socket_mode": f.socketMode, "on_remove": f.onRemove,
		"drain_timeout": f.drainTimeout,
	} {
		if value != "" {
			doc[key] = value
		}
	}
	secure, err := f.secure()
	if err != nil {
		return nil, err
	}
	websocket := client.Settings{}
	if f.wsPath != "" {
		websocket["path"] = f.wsPath
	}
	if len(f.wsOrigins) > 0 {
		websocket["origins"] = f.wsOrigins
	}
	proxy := client.Settings{}
	if len(f.proxies) > 0 {
		proxy["trusted"] = f.proxies
	}
	limits, err := f.limitSettings()
	for key, section := range map[string]client.Settings{
		"tls": secure, "websocket": websocket, "proxy_protocol": proxy, "limits": limits,
	} {
		if len(section) > 0 {
			doc[key] = section
		}
	}
	return doc, err
}

func (f *listenerFlags) secure() (client.Settings, error) {
	if len(f.certificates) != len(f.keys) {
		return nil, fmt.Errorf("%d --certificate and %d --key: each certificate needs its key",
			len(f.certificates), len(f.keys))
	}
	out := client.Settings{}
	var pairs []client.Settings
	for i := range f.certificates {
		certificate, err := filepath.Abs(f.certificates[i])
		key, keyErr := filepath.Abs(f.keys[i])
		if err = errors.Join(err, keyErr); err != nil {
			return nil, err
		}
		pairs = append(pairs, client.Settings{"certificate": certificate, "key": key})
	}
	if len(pairs) > 0 {
		out["certificates"] = pairs
	}
	if f.clientCA != "" {
		ca, err := filepath.Abs(f.clientCA)
		if err != nil {
			return nil, err
		}
		out["client_ca"], out["client_auth"] = ca, "required"
	}
	if f.clientAuth != "" {
		out["client_auth"] = f.clientAuth
	}
	if f.version != "" {
		out["min_version"] = f.version
	}
	return out, nil
}

// limitSettings takes numbers and truth values as such.
func (f *listenerFlags) limitSettings() (client.Settings, error) {
	out := client.Settings{}
	for _, l := range f.limits {
		key, value, ok := strings.Cut(l, "=")
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("--limit %q: write NAME=VALUE, as connections_max=1000", l)
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			out[key] = n
		} else if b, err := strconv.ParseBool(value); err == nil {
			out[key] = b
		} else {
			out[key] = value
		}
	}
	return out, nil
}
