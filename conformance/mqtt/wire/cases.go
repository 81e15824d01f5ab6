// Package wire holds the cases about the form of packets, PINGREQ, DISCONNECT, AUTH, errors,
// WebSocket: sections 1, 2, 3.12 to 3.15, 4.2, 4.12, 4.13 and 6 of the standards. It knows no
// broker.
package wire

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Cases are the cases of this package.
func Cases() []suite.Case {
	return slices.Concat(shapeCases(), forbiddenCases(), lengthCases(), propCases(),
		stringCases(), identifierCases(), streamCases(), disconnectCases(), authCases(),
		enhancedCases(), webSocketCases(), frameCases())
}
