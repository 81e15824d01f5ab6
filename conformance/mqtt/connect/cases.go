// Package connect holds the cases about CONNECT, CONNACK, keep alive, wills, sessions: sections
// 3.1, 3.2 and 4.1 of the standards. It knows no broker.
package connect

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Cases are the cases of this package.
func Cases() []suite.Case {
	return slices.Concat(
		firstCases(), secondCases(), protocolCases(), malformedCases(), malformed5Cases(),
		refusedCases(), credentialCases(), identifierCases(), emptyIDCases(),
		sessionCases(), cleanCases(), expiryCases(), takeOverCases(),
		willCases(), willEndCases(), willPropertyCases(), willDelayCases(),
		keepAliveCases(), connackCases(), packetSizeCases(), askedCases(), limitedCases(),
	)
}
