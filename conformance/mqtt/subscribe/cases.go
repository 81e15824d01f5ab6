// Package subscribe holds the cases about SUBSCRIBE, UNSUBSCRIBE, topics, shared subscriptions:
// sections 3.8 to 3.11, 4.7 and 4.8 of the standards. It knows no broker.
package subscribe

import "github.com/hpmq/hpmq/conformance/mqtt/suite"

// Cases are the cases of this package.
func Cases() []suite.Case { return nil }
