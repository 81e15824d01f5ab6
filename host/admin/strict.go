package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// strict refuses what an operation does not know: a parameter of the query, or a body where it
// takes none. Huma passes over both, and whoever meant something by it would get something else.
func strict(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		op := c.Operation()
		if why := stray(op, c); why != "" {
			_ = huma.WriteErr(api, c, http.StatusUnprocessableEntity, why)
			return
		}
		next(c)
	}
}

// stray says what of a request its operation does not know, "" for nothing.
func stray(op *huma.Operation, c huma.Context) string {
	var known []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	takes := "none"
	if len(known) > 0 {
		takes = strings.Join(known, ", ")
	}
	u := c.URL()
	for _, name := range slices.Sorted(maps.Keys(u.Query())) {
		if !slices.Contains(known, name) {
			return fmt.Sprintf("there is no parameter %.64q in the query here: it takes %s", name,
				takes)
		}
	}
	if r, _ := humago.Unwrap(c); op.RequestBody == nil && r.ContentLength != 0 {
		return "it takes no body; of the query it takes " + takes
	}
	return ""
}
