package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hpmq/hpmq/sdk/client"
)

// Version is that of the API, not of the broker.
const Version = "1.5.0"

// SessionsMax bounds the sessions of one answer.
const SessionsMax = 1000

// of is an answer with a body.
type of[T any] struct{ Body T }

// register puts every operation on mux and answers the API for its description.
func register(mux *http.ServeMux, cfg Config, b Broker) huma.API {
	c := huma.DefaultConfig("HPMQ admin API", Version)
	c.Info.Description = "Status, listeners, links with their changes, clients, backups and the " +
		"message log of one broker. A body in JSON has at most 65,536 values; a refusal names at " +
		"most 16 errors, and how many there are beside."
	c.OpenAPIPath = client.Base + "/openapi"
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil // no $schema in answers
	c.Transformers = append(c.Transformers, bounded)
	json := huma.DefaultJSONFormat
	json.Unmarshal = decode
	c.Formats = map[string]huma.Format{"application/json": json, "json": json}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer"},
	}
	c.Security = []map[string][]string{{"token": {}}, {}}
	api := humago.New(mux, c)
	api.UseMiddleware(strict(api))
	registerNode(api, b)
	registerListeners(api, b.Listeners)
	registerLinks(api, cfg, b.Links)
	registerBackups(api, b.Backups)
	registerLog(api, cfg, b.Messages)
	registerChanges(api, cfg, b)
	return api
}

// operation describes one request.
func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: client.Base + path, Summary: summary,
		MaxBodyBytes: 64 << 10,
	}
}

func registerNode(api huma.API, b Broker) {
	huma.Register(api, operation("status", http.MethodGet, "/status", "How the broker is"),
		func(ctx context.Context, _ *struct{}) (*of[client.Status], error) {
			return answer(b.Node.Status(ctx))
		})
	huma.Register(api, operation("list-alarms", http.MethodGet, "/alarms",
		"What an operator must see to now, by name"),
		func(ctx context.Context, _ *struct{}) (*of[[]client.Alarm], error) {
			return answerList(b.Node.Alarms(ctx))
		})
	huma.Register(api, operation("list-clients", http.MethodGet, "/clients",
		"Sessions by client id"),
		func(ctx context.Context, in *struct {
			After string `query:"after" doc:"Begin after this client id"`
			Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		}) (*of[[]client.Session], error) {
			return answerList(b.Sessions.Sessions(ctx, in.After, min(in.Limit, SessionsMax)))
		})
	huma.Register(api, operation("kick-client", http.MethodDelete, "/clients/{id}",
		"Disconnect a client"),
		func(ctx context.Context, in *struct {
			ID string `path:"id" doc:"Client id"`
		}) (*struct{}, error) {
			return nil, problem(b.Sessions.Kick(ctx, in.ID))
		})
}

func registerLinks(api huma.API, cfg Config, l Links) {
	huma.Register(api, operation("show-link", http.MethodGet, "/link",
		"Which component serves which role of which listener"),
		func(ctx context.Context, _ *struct{}) (*of[[]client.Linked], error) {
			return answerList(l.Link(ctx))
		})
	huma.Register(api, operation("list-failures", http.MethodGet, "/link/failures",
		"What components failed of last, by listener, the latest first"),
		func(ctx context.Context, in *struct {
			Listener string `query:"listener" maxLength:"64" doc:"Of this one alone"`
		}) (*of[[]client.Failure], error) {
			return answerList(l.Failures(ctx, in.Listener))
		})
	swap := operation("swap-link", http.MethodPost, "/link/swap",
		"Put a component in the place of another while messages flow")
	swap.MaxBodyBytes = int64(cfg.WasmBytesMax)*4/3 + 64<<10 // the component in base64
	swap.BodyReadTimeout = cfg.RequestTimeout
	huma.Register(api, swap,
		func(ctx context.Context, in *of[client.Swap]) (*of[client.Swapped], error) {
			return answer(l.Swap(ctx, in.Body))
		})
	huma.Register(api, operation("rollback-link", http.MethodPost, "/link/rollback",
		"Bring back what the last change of a role replaced"),
		func(ctx context.Context, in *of[client.Rollback]) (*of[client.Swapped], error) {
			return answer(l.Rollback(ctx, in.Body))
		})
}

func answer[T any](v T, err error) (*of[T], error) {
	if err != nil {
		return nil, problem(err)
	}
	return &of[T]{v}, nil
}

// answerList answers an empty list as [], not as null.
func answerList[T any](v []T, err error) (*of[[]T], error) {
	if v == nil {
		v = []T{}
	}
	return answer(v, err)
}

// problem makes the HTTP error of a Broker's error.
func problem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, ErrConflict):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, ErrGone):
		return huma.Error410Gone(err.Error())
	case errors.Is(err, ErrBusy):
		return huma.Error503ServiceUnavailable(err.Error())
	case errors.Is(err, ErrRefused):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return huma.Error500InternalServerError(err.Error())
}
