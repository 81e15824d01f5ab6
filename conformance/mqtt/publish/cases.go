// Package publish holds the cases about PUBLISH, its acknowledgements, retained messages, order,
// flow control: sections 3.3 to 3.7, 4.3 to 4.6, 4.9 and 4.10 of the standards. It knows no broker.
package publish

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Cases are the cases of this package.
func Cases() []suite.Case {
	return slices.Concat(
		retainCases(), retainEndCases(), retainOptionCases(),
		flagCases(), topicCases(), overlapCases(), malformedCases(), malformed5Cases(),
		propertyCases(), expiryCases(), aliasCases(), serverAliasCases(), identifierCases(),
		ackCases(), ackSizeCases(), refusalCases(),
		qos1Cases(), qos2ReceiverCases(), qos2SenderCases(), packetIDCases(),
		retryCases(), retry5Cases(), receiptCases(), orderCases(),
		flowCases(), serverQuotaCases(), limitedCases(),
	)
}
