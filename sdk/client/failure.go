package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Where a component that failed stands.
const (
	Serving = "serving"
	Canary  = "canary" // it answers for some, beside one that serves
	Shadow  = "shadow" // it answered without effect
	Gone    = "gone"   // it was swapped out since
)

// Failure is what went wrong with a component, again and again the same. What is not counted is of
// the last time.
type Failure struct {
	Listener string `json:"listener"`
	Role     string `json:"role"`
	Position int    `json:"position" doc:"Place in the chain of the role, from 0"`
	Standing string `json:"standing" enum:"serving,canary,shadow,gone"`
	Name     string `json:"name" doc:"Name of the component"`
	Version  string `json:"version" doc:"What the component says of itself, or empty"`
	Digest   string `json:"digest" doc:"SHA-256 of the .wasm file"`
	OnFault  string `json:"on_fault" doc:"What held when it failed: open or closed"`
	// Kind is trap, fuel, depth, memory, garbage, too large, start, no guest or other.
	Kind     string    `json:"kind" example:"trap"`
	Count    uint64    `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Function string    `json:"function,omitempty" doc:"The export that was called"`
	Text     string    `json:"text" doc:"What happened, in a line"`
	Said     []string  `json:"said,omitempty" doc:"The first and last lines it wrote then"`
	Fuel     uint64    `json:"fuel,omitempty" doc:"What the call spent; of a trap at least that"`
	FuelMax  uint64    `json:"fuel_max,omitempty" doc:"What it may spend"`
	ClientID string    `json:"client_id,omitempty"`
	Topic    string    `json:"topic,omitempty"`
	// Redacted says that client id, topic and what the component wrote are kept out of the record.
	Redacted  bool     `json:"redacted,omitempty" doc:"wasm.failures is redacted"`
	Backtrace []string `json:"backtrace,omitempty" doc:"Functions, first the innermost"`
}

// Failures asks what components failed of last, of one listener, or of all if it is empty.
func (c *Client) Failures(ctx context.Context, listener string) ([]Failure, error) {
	path := "/link/failures"
	if listener != "" {
		path += "?" + url.Values{"listener": {listener}}.Encode()
	}
	var out []Failure
	return out, c.do(ctx, http.MethodGet, path, nil, &out)
}
