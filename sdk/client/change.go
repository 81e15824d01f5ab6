package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// NewChange asks for other components in some places, all or none. Times are text such as 30s, 5m
// or 1d.
type NewChange struct {
	// ID makes asking again safe: the same change is answered. It stands in commands and paths:
	// letters, digits and . _ - : / @ +, the first a letter, a digit or _.
	ID     string       `json:"id" minLength:"1" maxLength:"128" example:"router-2.1"`
	By     string       `json:"by,omitempty" maxLength:"1024" doc:"Who asks, for the audit"`
	Reason string       `json:"reason,omitempty" maxLength:"1024" doc:"Why, for the audit"`
	Items  []ChangeItem `json:"items" minItems:"1" maxItems:"64"`
	Force  bool         `json:"force,omitempty" doc:"Take an older version, or one in quarantine"`
	Shadow *ShadowPlan  `json:"shadow,omitempty" doc:"Answer beside the old one first, unheard"`
	Canary *CanaryPlan  `json:"canary,omitempty" doc:"Serve some clients before all"`
	// Watch is for how long after the commit the old version is kept warm, and comes back by
	// itself if the new one does badly.
	Watch string `json:"watch,omitempty" maxLength:"32" example:"5m" doc:"After the commit"`
	// Thresholds say when a candidate must go.
	Thresholds *Thresholds `json:"thresholds,omitempty"`
}

// ChangeItem asks for another component in one place, or for none. What is left out stays as it is
// there.
type ChangeItem struct {
	Listener string `json:"listener" minLength:"1" maxLength:"80"`
	Role     string `json:"role" minLength:"1" maxLength:"32" example:"router"`
	// Position is the place in the chain of the role; the one after the last adds a component.
	Position int `json:"position,omitempty" minimum:"0" maximum:"15"`
	// Source is the name of a component that comes with the broker, what Upload answered, or
	// HOST/NAME:TAG of a bundle in a registry.
	Source    string            `json:"source,omitempty" maxLength:"512" example:"r.example/r:2"`
	Component string            `json:"component,omitempty" maxLength:"128" doc:"Of a bundle"`
	Remove    bool              `json:"remove,omitempty" doc:"Take out what is there"`
	Config    map[string]any    `json:"config,omitzero"`
	Env       map[string]string `json:"env,omitzero"`
	Grants    []string          `json:"grants,omitzero" maxItems:"16"`
	OnFault   string            `json:"on_fault,omitempty" enum:"open,closed"`
	Limits    *ChangeLimits     `json:"limits,omitempty"`
}

// ChangeLimits bound a component; 0 leaves what there is.
type ChangeLimits struct {
	Fuel           uint64 `json:"fuel,omitempty" doc:"Of one call"`
	StartFuel      uint64 `json:"start_fuel,omitempty" doc:"Of starting, and of configuring"`
	DepthMax       uint32 `json:"depth_max,omitempty" doc:"Nesting of calls in it"`
	MemoryBytesMax uint32 `json:"memory_bytes_max,omitempty"`
}

// ShadowPlan lets the candidate answer what the old one is asked, without effect.
type ShadowPlan struct {
	For      string  `json:"for" maxLength:"32" example:"1m"`
	Sample   float64 `json:"sample,omitempty" minimum:"0" maximum:"1" doc:"0 is all"`
	MatchMin float64 `json:"match_min,omitempty" minimum:"0" maximum:"1" doc:"Of the answers"`
}

// CanaryPlan lets the candidate serve a percentage of the clients in steps, and whom the lists name
// beside it; with All only who is in each of these that is there. Without names the candidate
// answers some questions unheard before it serves anybody, as in a short shadow, if it can.
type CanaryPlan struct {
	Steps   []CanaryStep `json:"steps,omitempty" maxItems:"32" doc:"Else 1, 10, 50 %, 1m each"`
	Clients []string     `json:"clients,omitempty" doc:"Client ids"`
	Tenants []string     `json:"tenants,omitempty"`
	Filters []string     `json:"filters,omitempty" doc:"Of topics"`
	All     bool         `json:"all,omitempty"`
}

// CanaryStep is one step.
type CanaryStep struct {
	Percent float64 `json:"percent" minimum:"0" maximum:"100" doc:"Of the clients, by client id"`
	Dwell   string  `json:"dwell" maxLength:"32" example:"30s"`
}

// Thresholds are by how much a candidate may be worse; what is left out is the default.
//
// A share counts from CallsMin questions on, faults as soon as a version at the limit had so many
// once in 70 times at most: 2 of 18, 3 of 50, 5 of 100; FaultsMin says how many before CallsMin.
// Faults is the share of questions without an answer above that of the old version. Latencies are
// what 90 of 100 calls stay below: LatencyRatio times that of the old version, LatencyMax whatever
// that takes; below LatencyMin nothing is slow. Refused is the share of answers that let something
// not through, either way; in a shadow that is a difference and not judged. Quiet is what becomes
// of a candidate that had fewer than CallsMin questions in a step or in the watch, which then takes
// up to twice as long: promote, the default, goes on and says so; rollback ends it.
type Thresholds struct {
	CallsMin     uint64  `json:"calls_min,omitempty" doc:"Questions before a share counts: 50"`
	FaultsMin    uint64  `json:"faults_min,omitempty" doc:"Faults that count before that"`
	Faults       float64 `json:"faults,omitempty" minimum:"0" maximum:"1" doc:"Default 0.01"`
	LatencyRatio float64 `json:"latency_ratio,omitempty" doc:"Default 4; below 0: none"`
	LatencyMin   string  `json:"latency_min,omitempty" maxLength:"32" example:"20µs"`
	LatencyMax   string  `json:"latency_max,omitempty" maxLength:"32" example:"1ms"`
	Refused      float64 `json:"refused,omitempty" minimum:"0" maximum:"1" doc:"0: none"`
	Quiet        string  `json:"quiet,omitempty" enum:"promote,rollback" doc:"If asked too little"`
}

// Change is what became of a NewChange.
type Change struct {
	ID     string        `json:"id"`
	By     string        `json:"by,omitempty"`
	Reason string        `json:"reason,omitempty"`
	Force  bool          `json:"force,omitempty"`
	Places []ChangePlace `json:"places"`
	// State is requested, fetched, verified, compiled, checked, warmed, tested, shadow, canary,
	// committed, draining; and in the end done, refused, rolled back or cancelled.
	State string `json:"state" example:"canary"`
	Ended bool   `json:"ended" doc:"Nothing follows the state"`
	Step  int    `json:"step,omitempty" doc:"Of the canary, from 1"`
	Of    string `json:"of,omitempty" doc:"Step at which it was refused"`
	Why   string `json:"why,omitempty"`
	// EndedBy says who cancelled it or rolled it back, if it was somebody.
	EndedBy string `json:"ended_by,omitempty"`
	// Undone are its places that were brought back since it was done.
	Undone []ChangeUndone `json:"undone,omitempty" doc:"Brought back since, by link rollback"`
	// Unrecorded says what a restart would make of its end, while that is not on record.
	Unrecorded   string        `json:"unrecorded,omitempty" doc:"While it is not on record"`
	CommitMicros int64         `json:"commit_us,omitempty" doc:"How long the loops stood"`
	Marks        []ChangeMark  `json:"marks" doc:"When it came into which state"`
	Health       *ChangeHealth `json:"health,omitempty" doc:"While it is at work"`
	Shadow       *Comparison   `json:"shadow,omitempty" doc:"Until the broker starts again"`
}

// ChangeUndone says of a role of a listener that it is as it was before a change.
type ChangeUndone struct {
	Listener string    `json:"listener"`
	Role     string    `json:"role"`
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
}

// Comparison is what a shadow found: questions that were put to both versions.
type Comparison struct {
	Asked     uint64  `json:"asked"`
	Matched   uint64  `json:"matched" doc:"The same answer"`
	Failed    uint64  `json:"failed" doc:"The candidate had none"`
	MatchRate float64 `json:"match_rate" doc:"matched of asked"`
	LeftOut   uint64  `json:"left_out" doc:"Not put to the candidate: it was behind"`
	Active    Cost    `json:"active"`
	Candidate Cost    `json:"candidate"`
	// Differences are the last ones, at most 16, the latest at the end.
	Differences []Difference `json:"differences,omitempty"`
}

// Cost is what answers take.
type Cost struct {
	Fuel      uint64  `json:"fuel" doc:"Of one answer, on average"`
	P50Micros float64 `json:"p50_us"`
	P90Micros float64 `json:"p90_us"`
	P99Micros float64 `json:"p99_us"`
}

// Difference is a question with two answers, cut to a line each.
type Difference struct {
	Listener  string `json:"listener"`
	Role      string `json:"role"`
	Position  int    `json:"position"`
	ClientID  string `json:"client_id,omitempty" doc:"Not with wasm.failures: redacted"`
	Topic     string `json:"topic,omitempty" doc:"Not with wasm.failures: redacted"`
	Active    string `json:"active" doc:"Without topics and payloads if redacted"`
	Candidate string `json:"candidate"`
}

// ChangePlace is one place of a change.
type ChangePlace struct {
	Listener string     `json:"listener"`
	Role     string     `json:"role"`
	Position int        `json:"position"`
	Source   string     `json:"source,omitempty"`
	Remove   bool       `json:"remove,omitempty"`
	Old      *Component `json:"old,omitempty"`
	New      *Component `json:"new,omitempty"`
}

// Component is which component, for good.
type Component struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Key     string `json:"key,omitempty" doc:"That vouches for it"`
	Digest  string `json:"digest,omitempty" doc:"Of the .wasm"`
	Bundle  string `json:"bundle,omitempty" doc:"Digest of the manifest of the bundle it came in"`
}

// ChangeMark is when a change came into a state.
type ChangeMark struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	State string    `json:"state"`
	Step  int       `json:"step,omitempty"`
	Why   string    `json:"why,omitempty"`
}

// ChangeHealth is how the candidate and the old version do beside each other.
type ChangeHealth struct {
	Candidate Vitals `json:"candidate"`
	Active    Vitals `json:"active"`
}

// Vitals count what one version did.
type Vitals struct {
	Calls   uint64 `json:"calls" doc:"Without faults.absent: who found no guest made none"`
	Refused uint64 `json:"refused" doc:"Answers that let something not through"`
	Faults  Faults `json:"faults"`
	// P50Micros, P90Micros and P99Micros are latencies that so many of a hundred calls stay below.
	P50Micros float64 `json:"p50_us"`
	P90Micros float64 `json:"p90_us"`
	P99Micros float64 `json:"p99_us"`
}

// Faults are questions that had no answer, by what went wrong.
type Faults struct {
	Trap     uint64 `json:"trap"`
	Fuel     uint64 `json:"fuel"`
	Depth    uint64 `json:"depth"`
	Garbage  uint64 `json:"garbage" doc:"An answer that breaks the contract"`
	TooLarge uint64 `json:"too_large" doc:"A message that is not shown to components"`
	Absent   uint64 `json:"absent" doc:"No guest was ready"`
	Other    uint64 `json:"other"`
}

// Sum is all of them.
func (f *Faults) Sum() uint64 {
	return f.Trap + f.Fuel + f.Depth + f.Garbage + f.TooLarge + f.Absent + f.Other
}

// ChangeEvent is a change that came into a state, or something that happened without one.
type ChangeEvent struct {
	Seq    uint64    `json:"seq" doc:"Grows, also across restarts; may leave numbers out"`
	At     time.Time `json:"at"`
	Change string    `json:"change,omitempty"`
	State  string    `json:"state,omitempty"`
	Step   int       `json:"step,omitempty"`
	Of     string    `json:"of,omitempty"`
	Why    string    `json:"why,omitempty"`
	By     string    `json:"by,omitempty"`
	// Unrecorded says what a restart would make of it, if it was not on record when it happened.
	Unrecorded string `json:"unrecorded,omitempty" doc:"If it was not on record then"`
	// Error is why nothing follows, in a last line that is no event.
	Error string `json:"error,omitempty" doc:"Why nothing follows, in a last line that is no event"`
}

// Uploaded is what was sent to the broker.
type Uploaded struct {
	Source string `json:"source" doc:"What an item of a change names it by" example:"mine@sha256:…"`
	Digest string `json:"digest"`
	Bytes  int    `json:"bytes"`
}

// Upload sends a .wasm, or the tar of a bundle, for a change to name. The broker keeps it as long
// as a change refers to it, and an hour at least while there is room. name is for people.
func (c *Client) Upload(ctx context.Context, name string, content []byte) (Uploaded, error) {
	var out Uploaded
	return out, c.do(ctx, http.MethodPost, "/bundles?"+url.Values{"name": {name}}.Encode(),
		binary(content), &out)
}

// Submit asks for a change and answers it as soon as the broker has it safe. The same id again
// answers the same change.
func (c *Client) Submit(ctx context.Context, n NewChange) (Change, error) {
	var out Change
	return out, c.do(ctx, http.MethodPost, "/changes", n, &out)
}

// Changes answers the changes that the broker remembers, the newest first.
func (c *Client) Changes(ctx context.Context) ([]Change, error) {
	var out []Change
	return out, c.do(ctx, http.MethodGet, "/changes", nil, &out)
}

// Change answers one, with its health while it is at work.
func (c *Client) Change(ctx context.Context, id string) (Change, error) {
	var out Change
	return out, c.do(ctx, http.MethodGet, "/changes/"+segment(id), nil, &out)
}

// Cancel ends a change that is not committed and answers how it ended.
func (c *Client) Cancel(ctx context.Context, id, by string) (Change, error) {
	return c.decide(ctx, id, "cancel", url.Values{"by": {by}})
}

// Promote makes a change not wait any more for what it waits for in a state, shadow, canary or
// draining, and answers it as it is; from is empty for any before the commit. It is safe to ask
// again. A change that is in another state by now is refused.
func (c *Client) Promote(ctx context.Context, id, from, by string) (Change, error) {
	return c.decide(ctx, id, "promote", url.Values{"by": {by}, "from": {from}})
}

// RollbackChange brings the old version back while a change is watched after its commit.
func (c *Client) RollbackChange(ctx context.Context, id, by string) (Change, error) {
	return c.decide(ctx, id, "rollback", url.Values{"by": {by}})
}

func (c *Client) decide(
	ctx context.Context, id, what string, said url.Values,
) (out Change, err error) {
	maps.DeleteFunc(said, func(_ string, v []string) bool { return v[0] == "" })
	path := "/changes/" + segment(id) + "/" + what
	if len(said) > 0 {
		path += "?" + said.Encode()
	}
	return out, c.do(ctx, http.MethodPost, path, nil, &out)
}

// FollowChanges visits the events from that number on, 0 for the oldest there is, and then what
// comes, until ctx ends, visit answers false or the broker ends; ErrClosed if that was in the
// middle of its answer. That events were missed is an error.
func (c *Client) FollowChanges(
	ctx context.Context, from uint64, visit func(*ChangeEvent) bool,
) error {
	return c.followEvents(ctx, url.Values{"from": {strconv.FormatUint(from, 10)}}, visit)
}

// FollowChange visits all events of one change, what was and what comes, until it has ended, as
// FollowChanges does.
func (c *Client) FollowChange(
	ctx context.Context, id string, visit func(*ChangeEvent) bool,
) error {
	return c.followEvents(ctx, url.Values{"change": {id}}, visit)
}

// FollowNow visits where the changes at work are, and then what comes, as FollowChanges does.
func (c *Client) FollowNow(ctx context.Context, visit func(*ChangeEvent) bool) error {
	return c.followEvents(ctx, url.Values{"now": {"true"}}, visit)
}

func (c *Client) followEvents(
	ctx context.Context, q url.Values, visit func(*ChangeEvent) bool,
) error {
	return c.follow(ctx, "/events?"+q.Encode(), func(line []byte) (bool, error) {
		var e ChangeEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return false, fmt.Errorf("client: the answer is not that of an HPMQ broker: %w", err)
		}
		if e.Error != "" {
			return false, fmt.Errorf("client: events: %s", e.Error)
		}
		return visit(&e), nil
	})
}

// Quarantined is a component that is refused without force: it was rolled back for how it did.
type Quarantined struct {
	Digest string    `json:"digest" doc:"Of the .wasm"`
	Change string    `json:"change" doc:"That brought it"`
	Since  time.Time `json:"since"`
	Why    string    `json:"why"`
}

// Quarantine answers what is refused without force, the oldest first.
func (c *Client) Quarantine(ctx context.Context) ([]Quarantined, error) {
	var out []Quarantined
	return out, c.do(ctx, http.MethodGet, "/quarantine", nil, &out)
}

// Pardon takes a digest, as sha256:…, out of quarantine.
func (c *Client) Pardon(ctx context.Context, digest, by string) error {
	path := "/quarantine/" + segment(digest)
	if by != "" {
		path += "?" + url.Values{"by": {by}}.Encode()
	}
	return c.do(ctx, http.MethodDelete, path, nil, nil)
}
