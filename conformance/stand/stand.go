// Package stand knows how our broker is set up to be judged by the suite: the listeners of
// hpmq.yaml on free ports of loopback, with certificates made for the occasion.
//
// It does not say what is judged.
package stand

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The user that the listener Guarded lets in.
const (
	username = "conformance"
	password = "secret"
)

// Stand is our broker, waiting to be judged.
type Stand struct {
	*process.Broker
	// Targets are its listeners by name: tcp, tls, ws, wss, and those of suite.Extra.
	Targets map[string]*suite.Target
}

// Open starts the binary with the config below root, the folder of the tree, and more variables of
// the environment. dir is a folder of the caller's for certificates and for the compile cache. It
// blocks until the listeners are open; it ends with ctx, or with Stop.
func Open(ctx context.Context, root, bin, dir string, env ...string) (*Stand, error) {
	ca, secured, err := certificates(dir)
	if err != nil {
		return nil, err
	}
	env = append(append(env, secured...), "HPMQ_DATA_DIR="+filepath.Join(dir, "data"))
	b, err := process.StartIn(ctx, env, bin, "--config",
		filepath.Join(root, "conformance", "mqtt", "hpmq.yaml"))
	if err != nil {
		return nil, err
	}
	s := &Stand{Broker: b, Targets: make(map[string]*suite.Target)}
	for name, where := range b.Listeners {
		if s.Targets[name], err = target(where, ca); err != nil {
			b.Stop()
			return nil, err
		}
	}
	return s, nil
}

func target(where, ca string) (*suite.Target, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, fmt.Errorf("stand: %w", err)
	}
	if u.Scheme == "ws" || u.Scheme == "wss" {
		u.Path = "/mqtt"
	}
	return suite.ParseTarget(u.String(), suite.TLS{CAFile: ca})
}

// certificates writes an authority and a certificate for 127.0.0.1 into dir, and answers the
// settings that give it to the listeners tls and wss, the fifth and the seventh of hpmq.yaml.
func certificates(dir string) (ca string, env []string, err error) {
	authority, err := pki.NewAuthority("conformance")
	if err != nil {
		return "", nil, fmt.Errorf("stand: %w", err)
	}
	ca = filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		return "", nil, fmt.Errorf("stand: %w", err)
	}
	pair, err := authority.Issue(pki.Leaf{Name: "localhost", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		return "", nil, fmt.Errorf("stand: %w", err)
	}
	pem, key, err := pair.Save(dir, "server")
	if err != nil {
		return "", nil, fmt.Errorf("stand: %w", err)
	}
	value := "__TLS__CERTIFICATES=[{certificate: " + pem + ", key: " + key + "}]"
	return ca, []string{"HPMQ_LISTENERS__4" + value, "HPMQ_LISTENERS__6" + value}, nil
}

// Options judge the listener of that name, with all that a case may ask for.
func (s *Stand) Options(listener string) suite.Options {
	o := suite.DefaultOptions()
	o.Target, o.Username, o.Password = s.Targets[listener], username, password
	o.Extra = make(map[string]*suite.Target)
	for _, name := range []string{suite.Limited, suite.Guarded, suite.Enhanced} {
		o.Extra[name] = s.Targets[name]
	}
	return o
}

// triesMax is how often a case may be run.
const triesMax = 3

// Run is suite.Run, but for a machine that other tests keep busy: many statements are about
// seconds, and one that stalls for as long fails their cases, whatever the broker does. A case that
// failed is run again, alone; a broker that breaks a statement fails it each time. said is told of
// each failure that was not the last word. It is for those who judge the suite: our own broker may
// fail no case even once.
func Run(ctx context.Context, cases []suite.Case, o suite.Options,
	said func(suite.Result)) ([]suite.Result, error) {
	results, err := suite.Run(ctx, cases, o)
	if err != nil {
		return nil, err
	}
	versions := o.Versions
	o.Parallel = 1
	for i := range results {
		r := &results[i]
		for try := 1; try < triesMax && failed(r); try++ {
			said(*r)
			o.Only = []string{r.Case}
			o.Versions = slices.DeleteFunc(slices.Clone(versions), func(v mqtt.Version) bool {
				return v.String() != r.Version
			})
			again, err := suite.Run(ctx, cases, o)
			if err != nil {
				return nil, err
			}
			*r = again[0]
		}
	}
	return results, nil
}

func failed(r *suite.Result) bool { return r.Outcome == suite.Failed || r.Outcome == suite.Errored }
