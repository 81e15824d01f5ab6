package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hpmq/hpmq/sdk/client"
)

// LogMax bounds the records of one page.
const LogMax = 1000

// Messages looks back into what went by. Its calls read files.
type Messages interface {
	// Log answers a page.
	Log(ctx context.Context, q client.LogQuestion) (client.LogPage, error)
	// FollowLog visits what is there and what comes, until visit or pause is false. pause is called
	// before it waits.
	FollowLog(ctx context.Context, q client.LogQuestion, visit func(*client.LogRecord) bool,
		pause func() bool) error
}

// logQuery is a question as it stands in a request.
type logQuery struct {
	Filter   string    `query:"filter" maxLength:"65535" doc:"Of topics, as in SUBSCRIBE"`
	Client   string    `query:"client" maxLength:"65535" doc:"Client id of the publisher"`
	Listener string    `query:"listener" maxLength:"64"`
	Outcome  string    `query:"outcome" enum:"delivered,suppressed,dropped,denied"`
	From     time.Time `query:"from" doc:"The first time of arrival, RFC 3339"`
	To       time.Time `query:"to" doc:"The last"`
	Order    string    `query:"order" default:"oldest" enum:"oldest,newest"`
	Cursor   uint64    `query:"cursor" doc:"The next of the page before"`
	Limit    int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Follow   bool      `query:"follow" doc:"Go on with what comes, a line a record (NDJSON)"`
}

func (q *logQuery) question() client.LogQuestion {
	return client.LogQuestion{
		Filter: q.Filter, ClientID: q.Client, Listener: q.Listener, Outcome: q.Outcome,
		From: q.From, To: q.To, Newest: q.Order == "newest", Cursor: q.Cursor,
		Limit: min(q.Limit, LogMax),
	}
}

// registerLog is for a page and for a stream: which of them is in the request.
func registerLog(api huma.API, cfg Config, m Messages) {
	op := operation("query-log", http.MethodGet, "/log", "What went by listeners that are logged")
	known := api.OpenAPI().Components.Schemas
	page := known.Schema(reflect.TypeFor[client.LogPage](), true, "")
	record := known.Schema(reflect.TypeFor[client.LogRecord](), true, "")
	op.Responses = map[string]*huma.Response{"200": {
		Description: "A page, or with follow a line for each record",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: page}, ndjson: {Schema: record},
		},
	}}
	huma.Register(api, op,
		func(ctx context.Context, in *logQuery) (*huma.StreamResponse, error) {
			if in.Follow {
				return followLog(ctx, cfg, m, in)
			}
			p, err := m.Log(ctx, in.question())
			if err != nil {
				return nil, problem(err)
			}
			if p.Records == nil {
				p.Records = []client.LogRecord{}
			}
			return &huma.StreamResponse{Body: func(c huma.Context) {
				c.SetHeader("Content-Type", "application/json")
				_ = json.NewEncoder(c.BodyWriter()).Encode(p)
			}}, nil
		})
}

// ndjson is a line of JSON a record.
const ndjson = "application/x-ndjson"

// followLog answers lines for as long as the client listens.
func followLog(_ context.Context, cfg Config, m Messages, in *logQuery) (
	*huma.StreamResponse, error,
) {
	if in.Order == "newest" || !in.To.IsZero() {
		return nil, huma.Error422UnprocessableEntity(
			"follow goes on with what comes: leave out to, and order=newest")
	}
	return stream(cfg, func(ctx context.Context, s *lines) error {
		return m.FollowLog(ctx, in.question(),
			func(r *client.LogRecord) bool { return s.line(r) }, s.flush)
	}), nil
}

// stream answers what follow says, a line each, for as long as the client listens. What follow
// refuses before the first is a problem.
func stream(cfg Config, follow func(context.Context, *lines) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		w, ok := c.BodyWriter().(http.ResponseWriter)
		if !ok {
			return
		}
		s := &lines{w: w, control: http.NewResponseController(w), patience: cfg.RequestTimeout}
		err := follow(c.Context(), s)
		if err != nil && !s.begun {
			e := problem(err)
			status := http.StatusInternalServerError
			if se, ok := e.(huma.StatusError); ok {
				status = se.GetStatus()
			}
			refuse(w, status, err.Error())
		}
	}}
}

// lines is a stream of records. A client that takes none for the patience is let go.
type lines struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	begun    bool
}

func (s *lines) begin() bool {
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", ndjson)
		s.w.WriteHeader(http.StatusOK)
	}
	return s.control.SetWriteDeadline(time.Now().Add(s.patience)) == nil
}

func (s *lines) line(r any) bool {
	return s.begin() && json.NewEncoder(s.w).Encode(r) == nil
}

func (s *lines) flush() bool { return s.begin() && s.control.Flush() == nil }
