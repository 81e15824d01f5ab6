package admin

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hpmq/hpmq/sdk/client"
)

// settings is a body that is a listener as it stands in a configuration file. It is read by who
// reads configuration files, so that both say the same of a fault.
type settings struct {
	RawBody []byte `contentType:"application/yaml"`
}

// Named is a request about one listener. (Its name is exported for huma, which looks for fields.)
type Named struct {
	Name string `path:"name" maxLength:"80"`
}

func registerListeners(api huma.API, l Listeners) {
	huma.Register(api, operation("list-listeners", http.MethodGet, "/listeners",
		"Where the broker listens, and which removed listeners still have connections"),
		func(ctx context.Context, _ *struct{}) (*of[[]client.Listener], error) {
			return answerList(l.Listeners(ctx))
		})
	huma.Register(api, operation("show-listener", http.MethodGet, "/listeners/{name}",
		"One listener with its settings"),
		func(ctx context.Context, in *Named) (*of[client.Listener], error) {
			return answer(l.Listener(ctx, in.Name))
		})
	huma.Register(api, operation("remove-listener", http.MethodDelete, "/listeners/{name}",
		"Close a listener; of a removed one, change what becomes of its connections"),
		func(ctx context.Context, in *struct {
			Named
			How     string `query:"connections" enum:"drain,keep,close" doc:"Default: on_remove"`
			Timeout string `query:"drain_timeout" maxLength:"32" doc:"To drain" example:"30s"`
		}) (*struct{}, error) {
			r, err := removal(in.How, in.Timeout)
			if err != nil {
				return nil, problem(err)
			}
			return nil, problem(l.RemoveListener(ctx, in.Name, r))
		})
	huma.Register(api, operation("reload-certificates", http.MethodPost,
		"/listeners/{name}/certificates/reload", "Read the certificate files of a listener again"),
		func(ctx context.Context, in *Named) (*of[client.Listener], error) {
			return answer(l.ReloadCertificates(ctx, in.Name))
		})
	registerSettings(api, l)
}

// registerSettings registers what takes settings.
func registerSettings(api huma.API, l Listeners) {
	add := taking("add-listener", http.MethodPost, "/listeners",
		"Open a listener, its name among the settings")
	add.DefaultStatus = http.StatusCreated
	huma.Register(api, add,
		func(ctx context.Context, in *settings) (*of[client.Listener], error) {
			return answer(l.SetListener(ctx, Setting{New: true, Text: in.RawBody}))
		})
	for _, change := range []bool{false, true} {
		op := taking("put-listener", http.MethodPut, "/listeners/{name}",
			"Open a listener or make it another; its connections stay")
		if change {
			op = taking("change-listener", http.MethodPatch, "/listeners/{name}",
				"Change some settings of a listener; its connections stay")
		}
		huma.Register(api, op,
			func(ctx context.Context, in *struct {
				Named
				settings
			}) (*of[client.Listener], error) {
				return answer(l.SetListener(ctx, Setting{
					Name: in.Name, Change: change, Text: in.RawBody,
				}))
			})
	}
}

// taking describes a request with settings.
func taking(id, method, path, summary string) huma.Operation {
	op := operation(id, method, path, summary)
	schema := &huma.Schema{
		Type: "object", AdditionalProperties: true,
		Description: "A listener as it stands in the list of a configuration file",
	}
	op.SkipValidateBody = true
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema},
	}}
	return op
}

// duration reads 30s and, as configuration files do, 1d.
func duration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 8)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// removal reads the query of a removal.
func removal(connections, timeout string) (client.Removal, error) {
	r := client.Removal{Connections: connections}
	if timeout == "" {
		return r, nil
	}
	d, err := duration(timeout)
	if err != nil || d < 0 || d > 24*time.Hour {
		return r, fmt.Errorf("%w: drain_timeout %q: write 30s, 5m or 1d, which is the most",
			ErrRefused, timeout)
	}
	r.DrainTimeout = max(d, 1) // 0 is what the configuration says
	return r, nil
}
