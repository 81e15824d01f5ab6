package link

import (
	"fmt"
	"strings"
)

// Role is what a component is asked about.
type Role uint8

// The roles, in the order a client and its messages meet them.
const (
	RoleAuthenticator Role = iota
	RoleAuthorizer
	RoleTransformer
	RoleDeduplicator
	RoleRouter
	RoleWorker
	RoleCodec
	roleCount
)

var roleNames = [roleCount]string{
	"authenticator", "authorizer", "transformer", "deduplicator", "router", "worker",
	"codec",
}

// String is the name as in wit/ and in the configuration.
func (r Role) String() string {
	if r < roleCount {
		return roleNames[r]
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// ParseRole is the role of that name.
func ParseRole(name string) (Role, error) {
	for i, n := range roleNames {
		if n == name {
			return Role(i), nil
		}
	}
	all := strings.Join(roleNames[:], ", ")
	return 0, fmt.Errorf("link: no role %q: the roles are %s", name, all)
}

// isBeside says that the guests of the role are asked beside the loops.
func (r Role) isBeside() bool { return r == RoleAuthenticator || r == RoleWorker }

// MarshalText is String.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRole.
func (r *Role) UnmarshalText(text []byte) error {
	v, err := ParseRole(string(text))
	if err == nil {
		*r = v
	}
	return err
}

// FaultPolicy says what holds while a component cannot answer.
type FaultPolicy uint8

const (
	// FaultDefault is what is usual for the role.
	FaultDefault FaultPolicy = iota
	// FaultClosed refuses: no connection, no publish, no subscription, no message. A codec's
	// connection ends.
	FaultClosed
	// FaultOpen goes on as if the component were not linked. What a codec could not translate is
	// thrown away.
	FaultOpen
)

// ParseFaultPolicy is the policy of that name: "open", "closed", or "" for the role's own.
func ParseFaultPolicy(name string) (FaultPolicy, error) {
	switch name {
	case "":
		return FaultDefault, nil
	case "closed":
		return FaultClosed, nil
	case "open":
		return FaultOpen, nil
	}
	return 0, fmt.Errorf("link: no fault policy %q: say open or closed", name)
}

// String is the name as in the configuration.
func (f FaultPolicy) String() string {
	switch f {
	case FaultClosed:
		return "closed"
	case FaultOpen:
		return "open"
	}
	return ""
}

// MarshalText is String.
func (f FaultPolicy) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is ParseFaultPolicy.
func (f *FaultPolicy) UnmarshalText(text []byte) error {
	v, err := ParseFaultPolicy(string(text))
	if err == nil {
		*f = v
	}
	return err
}

// or answers f, or the default of the role: guards of the door fail closed, as does who no message
// passes without; the rest open.
func (f FaultPolicy) or(r Role) FaultPolicy {
	switch {
	case f != FaultDefault:
		return f
	case r == RoleAuthenticator || r == RoleAuthorizer || r == RoleCodec:
		return FaultClosed
	default:
		return FaultOpen
	}
}
