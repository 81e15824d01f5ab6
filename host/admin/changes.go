package admin

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hpmq/hpmq/sdk/client"
)

// Changes brings changes of links from state to state.
type Changes interface {
	// Submit keeps a change and answers it at once; of an id that is known, the change there is.
	Submit(ctx context.Context, n client.NewChange) (client.Change, error)
	Changes(ctx context.Context) ([]client.Change, error)
	Change(ctx context.Context, id string) (client.Change, error)
	Decide(ctx context.Context, d Decision) (client.Change, error)
	// FollowChanges visits events, and what comes, until visit or pause is false. pause is called
	// before it waits. What is not kept any more is ErrGone.
	FollowChanges(ctx context.Context, f Follow, visit func(*client.ChangeEvent) bool,
		pause func() bool) error
}

// Follow says which events: all of the change with that id; or where the changes at work are, then
// what comes; or those from a number on, 0 for the oldest that is kept. It is part of a request,
// and exported for huma, which looks for fields.
type Follow struct {
	Change string `query:"change" maxLength:"128" doc:"All of one change, to its end"`
	Now    bool   `query:"now" doc:"Where the changes at work are, then what comes"`
	From   uint64 `query:"from" doc:"The first number; 0 is the oldest that is kept"`
}

// Decision is somebody's about a change at work. From is the state that Promote is to leave, empty
// for any before the commit.
type Decision struct{ ID, What, By, From string }

// What a Decision can be.
const (
	Cancel   = "cancel"
	Promote  = "promote"
	Rollback = "rollback"
)

// Bundles takes what changes are to link.
type Bundles interface {
	Upload(ctx context.Context, name string, content []byte) (client.Uploaded, error)
}

// Quarantine is what changes do not link without force.
type Quarantine interface {
	Quarantine(ctx context.Context) ([]client.Quarantined, error)
	Pardon(ctx context.Context, digest, by string) error
}

// ChangeID is a request about one change. (It is exported for huma, which looks for fields.)
type ChangeID struct {
	ID string `path:"id" maxLength:"128"`
}

// An id stands in commands and paths that people copy.
const (
	idPattern     = "^[A-Za-z0-9_][A-Za-z0-9._:/@+-]*$"
	idDescription = "letters, digits and . _ - : / @ +, the first a letter, a digit or _"
)

func registerChanges(api huma.API, cfg Config, b Broker) {
	c := b.Changes
	submit := operation("submit-change", http.MethodPost, "/changes",
		"Change components in some places, all or none; the same id again answers the same change")
	submit.MaxBodyBytes = 1 << 20
	huma.Register(api, submit,
		func(ctx context.Context, in *of[client.NewChange]) (*of[client.Change], error) {
			return answer(c.Submit(ctx, in.Body))
		})
	known := api.OpenAPI().Components.Schemas
	id := known.SchemaFromRef(known.Schema(reflect.TypeFor[client.NewChange](), true, "").Ref).
		Properties["id"]
	id.Pattern, id.PatternDescription = idPattern, idDescription
	id.PrecomputeMessages()
	huma.Register(api, operation("list-changes", http.MethodGet, "/changes",
		"Changes of links, the newest first"),
		func(ctx context.Context, _ *struct{}) (*of[[]client.Change], error) {
			return answerList(c.Changes(ctx))
		})
	huma.Register(api, operation("show-change", http.MethodGet, "/changes/{id}",
		"One change: its states with their times, and how both versions do while it is at work"),
		func(ctx context.Context, in *ChangeID) (*of[client.Change], error) {
			return answer(c.Change(ctx, in.ID))
		})
	registerDecisions(api, c)
	registerEvents(api, cfg, c)
	registerUpload(api, cfg, b.Bundles)
	registerQuarantine(api, b.Quarantine)
}

func registerDecisions(api huma.API, c Changes) {
	path := func(what string) string { return "/changes/{id}/" + what }
	for what, summary := range map[string]string{
		Cancel:   "End a change that is not committed",
		Rollback: "Bring the old versions back while a change is watched after its commit",
	} {
		huma.Register(api, operation(what+"-change", http.MethodPost, path(what), summary),
			func(ctx context.Context, in *struct {
				ChangeID
				DecidedBy
			}) (*of[client.Change], error) {
				return answer(c.Decide(ctx, Decision{ID: in.ID, What: what, By: in.By}))
			})
	}
	huma.Register(api, operation(Promote+"-change", http.MethodPost, path(Promote),
		"Leave out what a change still waits for; the same again does nothing"),
		func(ctx context.Context, in *struct {
			ChangeID
			DecidedBy
			LeftFrom
		}) (*of[client.Change], error) {
			return answer(c.Decide(ctx,
				Decision{ID: in.ID, What: Promote, By: in.By, From: in.From}))
		})
}

// LeftFrom is part of a request. (It is exported for huma, which looks for fields.)
type LeftFrom struct {
	From string `query:"from" enum:"shadow,canary,draining" doc:"Without it: any before the commit"`
}

// DecidedBy is part of a request. (It is exported for huma, which looks for fields.)
type DecidedBy struct {
	By string `query:"by" maxLength:"1024" doc:"Who says so, for the audit"`
}

func registerQuarantine(api huma.API, q Quarantine) {
	huma.Register(api, operation("list-quarantine", http.MethodGet, "/quarantine",
		"Components that were rolled back for how they did: changes and swaps need force for them"),
		func(ctx context.Context, _ *struct{}) (*of[[]client.Quarantined], error) {
			return answerList(q.Quarantine(ctx))
		})
	huma.Register(api, operation("pardon", http.MethodDelete, "/quarantine/{digest}",
		"Take a component out of quarantine"),
		func(ctx context.Context, in *struct {
			Digest string `path:"digest" maxLength:"128" example:"sha256:…"`
			By     string `query:"by" maxLength:"1024" doc:"Who says so, for the audit"`
		}) (*struct{}, error) {
			return nil, problem(q.Pardon(ctx, in.Digest, in.By))
		})
}

func registerEvents(api huma.API, cfg Config, c Changes) {
	op := operation("follow-changes", http.MethodGet, "/events",
		"What happens to changes: what did and what comes, a line an event (NDJSON)")
	event := api.OpenAPI().Components.Schemas.Schema(
		reflect.TypeFor[client.ChangeEvent](), true, "")
	op.Description = "From a number that is not kept any more is 410. Who reads so slowly that " +
		"events were missed is told so in a last line, which has an error and no number."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "A line for each event",
		Content:     map[string]*huma.MediaType{ndjson: {Schema: event}},
	}}
	huma.Register(api, op,
		func(_ context.Context, in *Follow) (*huma.StreamResponse, error) {
			return stream(cfg, func(ctx context.Context, s *lines) error {
				return c.FollowChanges(ctx, *in,
					func(e *client.ChangeEvent) bool { return s.line(e) }, s.flush)
			}), nil
		})
}

func registerUpload(api huma.API, cfg Config, b Bundles) {
	op := operation("upload-bundle", http.MethodPost, "/bundles",
		"Send a .wasm, or the tar of a bundle, for a change to name as its source")
	op.MaxBodyBytes = int64(cfg.BundleBytesMax)
	op.BodyReadTimeout = cfg.RequestTimeout
	op.DefaultStatus = http.StatusCreated
	huma.Register(api, op,
		func(ctx context.Context, in *struct {
			Name    string `query:"name" maxLength:"128" doc:"For people, where it has none"`
			RawBody []byte `contentType:"application/octet-stream"`
		}) (*of[client.Uploaded], error) {
			if len(in.RawBody) == 0 {
				return nil, problem(fmt.Errorf("%w: nothing was sent", ErrRefused))
			}
			return answer(b.Upload(ctx, in.Name, in.RawBody))
		})
}
