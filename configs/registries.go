package configs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// RegistriesMax bounds the entries of Bundles.Registries.
const RegistriesMax = 64

// Registry is how one registry of bundles is spoken with. One that is not named is spoken with by
// TLS, on a loopback address without, and is told nothing about who asks.
type Registry struct {
	// Host is host or host:port, as it stands in references.
	Host string `yaml:"host"`
	// Username and the password in PasswordFile are told when the registry asks. The file is read
	// each time; line ends at its end do not count.
	Username     string `yaml:"username,omitempty"`
	PasswordFile string `yaml:"password_file,omitempty"`
	// PlainHTTP speaks without TLS with a registry that has none.
	PlainHTTP bool `yaml:"plain_http,omitempty"`
	// CA is a PEM file with the certificates that the registry's is held against, in the place of
	// the system's; with it a registry on a loopback address is spoken with by TLS, too.
	CA string `yaml:"ca,omitempty"`
}

// hostForm is what a registry is called in a reference.
var hostForm = regexp.MustCompile(
	`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

var digestForm = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// InRegistry is true when Use means a bundle in a registry: HOST/NAME@sha256:…, with oci:// before
// it or without. A path of that form is written with ./ before it.
func (c *Component) InRegistry() bool {
	ref, scheme := strings.CutPrefix(c.Use, "oci://")
	if scheme || digestForm.MatchString(ref) {
		host, _, ok := strings.Cut(ref, "/")
		return scheme || ok && hostForm.MatchString(host)
	}
	host, name, ok := strings.Cut(ref, "/")
	named := strings.ContainsAny(host, ".:") || host == "localhost"
	if !ok || !named || !hostForm.MatchString(host) || strings.HasSuffix(name, ".wasm") ||
		strings.HasSuffix(name, ".tar") {
		return false
	}
	return strings.Contains(host, ":") || strings.ContainsAny(name, ":@")
}

// Reference takes the Use of a component in a registry apart: the host, all of it without scheme,
// and the digest that it is pinned to, "" if it is not.
func (c *Component) Reference() (host, ref, digest string) {
	ref = strings.TrimPrefix(c.Use, "oci://")
	host, _, _ = strings.Cut(ref, "/")
	return host, ref, strings.TrimPrefix(digestForm.FindString(ref), "@")
}

// unpinned says what is wrong with a reference that may mean another bundle tomorrow.
func (c *Component) unpinned() string {
	host, ref, digest := c.Reference()
	_, name, _ := strings.Cut(ref, "/")
	switch {
	case !hostForm.MatchString(host) || name == "" || strings.HasPrefix(name, "@"):
		return fmt.Sprintf("%q is no bundle in a registry; write HOST/NAME@sha256:…", clip(c.Use))
	case digest == "":
		says := fmt.Sprintf("%q may mean another bundle tomorrow; pin it, HOST/NAME@sha256:…: "+
			"hpmq-cli bundle push and pull print the digest", clip(c.Use))
		if !strings.HasPrefix(c.Use, "oci://") {
			says += "; if it is a path, write ./ before it"
		}
		return says
	}
	return ""
}

func (b *Bundles) validateRegistries(ps *Problems) {
	if n := len(b.Registries); n > RegistriesMax {
		ps.add("bundles.registries", "%d are too many; at most %d", n, RegistriesMax)
	}
	hosts := make(map[string]string)
	for i := range b.Registries {
		r, at := &b.Registries[i], fmt.Sprintf("bundles.registries[%d]", i)
		switch host := strings.ToLower(r.Host); {
		case !hostForm.MatchString(r.Host):
			ps.add(at+".host", "%q is no host; write registry.example or registry.example:5000",
				clip(r.Host))
		case hosts[host] != "":
			ps.add(at+".host", "%q is the host of %s too; keep one of them", r.Host, hosts[host])
		default:
			hosts[host] = at
		}
		if (r.Username == "") != (r.PasswordFile == "") {
			ps.add(at, "username and password_file go together: write both, or neither")
		}
		if r.PlainHTTP && r.CA != "" {
			ps.add(at+".ca", "is for TLS; leave it out, or plain_http")
		}
	}
	ps.note("bundles.pull_timeout", within(b.PullTimeout, Duration(time.Second),
		Duration(24*time.Hour)))
	ps.note("bundles.pulled_bytes_max", within(b.PulledBytesMax, 1*MiB, 1<<44))
}

// relativeTo makes the relative paths of the entry relative to dir.
func (r *Registry) relativeTo(dir string) {
	for _, file := range []*string{&r.PasswordFile, &r.CA} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
}
