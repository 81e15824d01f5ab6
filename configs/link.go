package configs

import (
	"path/filepath"
	"strings"
)

// The roles a component can have, as they are written in a link.
const (
	Authenticator = "authenticator"
	Authorizer    = "authorizer"
	Transformer   = "transformer"
	Deduplicator  = "deduplicator"
	Router        = "router"
	Worker        = "worker"
	Codec         = "codec"
)

// Roles lists the roles in the order a message meets them.
func Roles() []string {
	return []string{Authenticator, Authorizer, Transformer, Deduplicator, Router, Worker, Codec}
}

// Capabilities lists what a component can be granted. It has log and config without asking.
func Capabilities() []string {
	return []string{"log", "config", "kv", "history", "publish"}
}

// DefaultComponents lists the names of the components that come with the broker, each begins with
// its role.
func DefaultComponents() []string {
	return []string{
		"authenticator-file", "authorizer-rules", "transformer-json", "deduplicator-window",
		"router-rules",
	}
}

// FurtherComponents lists the names of those that come with the broker as well and are linked only
// where a link says so.
func FurtherComponents() []string { return []string{"codec-lines"} }

// DefaultLink links every default component without configuration.
func DefaultLink() Link {
	var l Link
	for _, name := range DefaultComponents() {
		role, _, _ := strings.Cut(name, "-")
		*l.Role(role) = []Component{{Use: name}}
	}
	return l
}

// Role answers the list of a role, to read or to change, or nil if there is no such role.
func (l *Link) Role(role string) *[]Component {
	switch role {
	case Authenticator:
		return &l.Authenticator
	case Authorizer:
		return &l.Authorizer
	case Transformer:
		return &l.Transformer
	case Deduplicator:
		return &l.Deduplicator
	case Router:
		return &l.Router
	case Worker:
		return &l.Worker
	case Codec:
		return &l.Codec
	}
	return nil
}

// IsPath is true when Use means a file, not a default component or a bundle in a registry.
func (c *Component) IsPath() bool {
	return !c.InRegistry() && (strings.HasSuffix(c.Use, ".wasm") ||
		strings.HasSuffix(c.Use, ".tar") || strings.ContainsAny(c.Use, `/\`))
}

// relativeTo makes the relative paths of the link relative to dir.
func (l *Link) relativeTo(dir string) {
	for _, role := range Roles() {
		list := *l.Role(role)
		for i := range list {
			list[i].relativeTo(dir)
		}
	}
}

func (c *Component) relativeTo(dir string) {
	if c.IsPath() && !filepath.IsAbs(c.Use) {
		c.Use = filepath.Join(dir, c.Use)
		if c.InRegistry() { // Join took the ./ away
			c.Use = "./" + c.Use
		}
	}
}
