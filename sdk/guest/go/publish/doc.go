// Package publish is the capability hpmq:broker/publish: messages of the component's own, published
// as if by the client "$component/NAME".
package publish

import "errors"

// Errors of the host.
var (
	// ErrInvalidTopic says that the topic is no topic name [MQTT-4.7.3].
	ErrInvalidTopic = errors.New("publish: invalid topic")
	// ErrTooLarge says that the message is over a limit.
	ErrTooLarge = errors.New("publish: too large")
	// ErrQueueFull says that too many messages of the component wait.
	ErrQueueFull = errors.New("publish: queue full")
)
