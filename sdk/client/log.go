package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// LogRecord is a message that went by a listener whose messages are logged.
type LogRecord struct {
	ID       uint64    `json:"id" doc:"Grows from record to record"`
	Time     time.Time `json:"time" doc:"When it arrived"`
	Listener string    `json:"listener"`
	ClientID string    `json:"client_id"`
	Username string    `json:"username,omitempty"`
	Address  string    `json:"address,omitempty"`
	Tenant   string    `json:"tenant,omitempty"`
	LogPart
	Properties *LogProperties `json:"properties,omitempty" doc:"Of MQTT 5, as they arrived"`
	Replayed   bool           `json:"replayed,omitempty" doc:"A replay published it once more"`
	Became     []LogPart      `json:"became,omitempty" doc:"What components put in its place"`
}

// LogProperties are the properties of MQTT 5 with which a message arrived.
type LogProperties struct {
	PayloadFormat   *int          `json:"payload_format,omitempty" doc:"1: the payload is UTF-8"`
	ExpirySeconds   uint32        `json:"expiry_seconds,omitempty" doc:"Message expiry interval"`
	ContentType     *string       `json:"content_type,omitempty"`
	ResponseTopic   *string       `json:"response_topic,omitempty"`
	CorrelationData []byte        `json:"correlation_data,omitempty"`
	User            []LogProperty `json:"user,omitempty" doc:"User properties, in order"`
	Incomplete      bool          `json:"incomplete,omitempty" doc:"More are not kept"`
}

// LogProperty is a user property.
type LogProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// LogPart is a message and what became of it. Of one that became others it is the best of theirs.
type LogPart struct {
	Topic        string `json:"topic"`
	QoS          int    `json:"qos"`
	Retain       bool   `json:"retain,omitempty"`
	Payload      []byte `json:"payload,omitempty" doc:"As far as it is kept"`
	PayloadBytes int    `json:"payload_bytes" doc:"How long it was"`
	PayloadHeld  string `json:"payload_held" enum:"same,whole,cut,none,redacted,withheld"`
	Outcome      string `json:"outcome" enum:"delivered,suppressed,dropped,denied"`
	Component    string `json:"component,omitempty" doc:"That ended its way"`
	Reason       string `json:"reason,omitempty" example:"repeated"`
	Receivers    int    `json:"receivers" doc:"Sessions it was given to"`
	Lost         int    `json:"lost,omitempty" doc:"Times it was dropped on the way to one of them"`
}

// LogPage is some records, and how to go on.
type LogPage struct {
	Records []LogRecord `json:"records"`
	// Next is the Cursor of what follows; without More it is for what is not there yet, and of no
	// use to a question for the newest.
	Next uint64 `json:"next"`
	More bool   `json:"more" doc:"There may be more at once"`
	// Missed are the records that were not kept while those of the answer were.
	Missed uint64 `json:"missed,omitempty" doc:"Messages that went unlogged"`
}

// LogQuestion asks for records. The zero value asks for all, the oldest first.
type LogQuestion struct {
	Filter   string
	ClientID string
	Listener string
	Outcome  string
	From, To time.Time
	Newest   bool
	Cursor   uint64
	Limit    int
}

func (q *LogQuestion) values() url.Values {
	v := url.Values{}
	for key, text := range map[string]string{
		"filter": q.Filter, "client": q.ClientID, "listener": q.Listener, "outcome": q.Outcome,
	} {
		if text != "" {
			v.Set(key, text)
		}
	}
	for key, t := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !t.IsZero() {
			v.Set(key, t.UTC().Format(time.RFC3339Nano))
		}
	}
	if q.Newest {
		v.Set("order", "newest")
	}
	if q.Cursor != 0 {
		v.Set("cursor", strconv.FormatUint(q.Cursor, 10))
	}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Log asks the message log for a page of records.
func (c *Client) Log(ctx context.Context, q LogQuestion) (LogPage, error) {
	var out LogPage
	return out, c.do(ctx, http.MethodGet, "/log?"+q.values().Encode(), nil, &out)
}

// FollowLog visits the records that answer q and then what comes, until ctx ends, visit answers
// false or the broker ends; ErrClosed if that was in the middle of its answer. With neither Cursor
// nor From it begins with what is not there yet.
func (c *Client) FollowLog(
	ctx context.Context, q LogQuestion, visit func(*LogRecord) bool,
) error {
	v := q.values()
	v.Set("follow", "true")
	return c.follow(ctx, "/log?"+v.Encode(), func(line []byte) (bool, error) {
		var r LogRecord
		if err := json.Unmarshal(line, &r); err != nil {
			return false, fmt.Errorf("client: the answer is not that of an HPMQ broker: %w", err)
		}
		return visit(&r), nil
	})
}

// follow visits the lines of an answer without an end, until visit answers false.
func (c *Client) follow(
	ctx context.Context, path string, visit func(line []byte) (bool, error),
) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+Base+path, nil)
	if err != nil {
		return fmt.Errorf("client: request: %w", err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	forever := http.Client{Transport: c.http.Transport}
	res, err := forever.Do(req)
	if err != nil {
		return c.unanswered(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 400 {
		return read(res, nil)
	}
	return readLines(ctx, res.Body, visit)
}

// lineBytesMax bounds one record.
const lineBytesMax = answerBytesMax

// readLines reads NDJSON; empty lines say that the broker is still there.
func readLines(
	ctx context.Context, in io.Reader, visit func(line []byte) (bool, error),
) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if more, err := visit(lines.Bytes()); err != nil || !more {
			return err
		}
	}
	switch err := lines.Err(); {
	case err == nil, errors.Is(ctx.Err(), context.Canceled):
		return nil
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("client: read: %w", err)
	default:
		return fmt.Errorf("client: %w: %w", ErrClosed, err)
	}
}
