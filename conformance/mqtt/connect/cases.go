// Package connect holds the cases about CONNECT, CONNACK, keep alive, wills, sessions: sections
// 3.1, 3.2 and 4.1 of the standards. It knows no broker.
package connect

import "github.com/hpmq/hpmq/conformance/mqtt/suite"

// Cases are the cases of this package.
func Cases() []suite.Case { return nil }
