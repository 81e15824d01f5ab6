// Package subscribe holds the cases about SUBSCRIBE, UNSUBSCRIBE, topics, shared subscriptions:
// sections 3.8 to 3.11, 4.7 and 4.8 of the standards. It knows no broker.
package subscribe

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Cases are the cases of this package.
func Cases() []suite.Case {
	return slices.Concat(
		brokenSubscribes(), brokenUnsubscribes(), violationCases(), conversationCases(),
		subackCases(), refusalCases(), qualityCases(), replaceCases(),
		localCases(), retainFlagCases(), retainHandlingCases(), identifierCases(),
		unsubscribeCases(), deliveryCases(), sizeCases(),
		matchCases(), dollarCases(), invalidFilterCases(), invalidNameCases(),
		sharedCases(), shareNameCases(), sharedQualityCases(), sharedBreakCases(),
		lengthCases(),
	)
}

// numbered are the versions whose statements have numbers, for what 3.1 leaves open.
func numbered() []mqtt.Version { return []mqtt.Version{mqtt.V311, mqtt.V5} }
