package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/host/cap/lookback"
	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/host/witness"
	"github.com/hpmq/hpmq/sdk/topic"
)

// past shows guests the message log of their listener: it is lookback.Log.
type past struct{ *App }

// LookBack waits for the disk, on the goroutine of a worker or an authenticator.
func (p past) LookBack(q lookback.Question) (lookback.Page, error) {
	var page lookback.Page
	switch {
	case !topic.ValidFilter([]byte(q.Filter)):
		return page, lookback.ErrInvalidFilter
	case p.witness == nil:
		return page, lookback.ErrNotLogged
	}
	name, _, _ := strings.Cut(q.Listener, "#") // see freeKey; no listener's name has one
	question := witness.Question{
		Listener: name, Max: q.Max, BytesMax: lookback.BytesMax,
		Query: msglog.Query{
			Filter: q.Filter, From: q.Since, Newest: q.Newest, After: q.Cursor,
			ScanBytesMax: lookback.ScanBytesMax,
		},
	}
	if q.Newest {
		question.After, question.Before = 0, q.Cursor
	}
	ctx, cancel := context.WithTimeout(p.life, logTimeout)
	defer cancel()
	a, err := p.witness.Look(ctx, question, func(r *msglog.Record) bool {
		page.Messages = append(page.Messages, loggedMessage(r, q.Filter))
		return true
	})
	page.Next, page.More, page.Read = a.Next, a.More, a.Read
	switch {
	case errors.Is(err, witness.ErrUnknown):
		return page, lookback.ErrNotLogged
	case errors.Is(err, witness.ErrBusy):
		return page, lookback.ErrBusy
	case err != nil:
		p.log.Error("app: a component looks back", "listener", name, "error", err)
		return page, fmt.Errorf("app: look back: %w", err)
	}
	return page, nil
}

// loggedMessage is a copy of r as it arrived, or, if the filter does not want that, of the first
// that was made of it and is wanted.
func loggedMessage(r *msglog.Record, filter string) lookback.Message {
	p := &r.Part
	if !topic.Match(filter, p.Topic) {
		for i := range r.Became {
			if b := &r.Became[i]; topic.Match(filter, b.Topic) {
				p = b
				break
			}
		}
	}
	payload := p.Payload
	if p.Held == msglog.Same {
		payload = r.Payload
	}
	return lookback.Message{
		ID: r.ID, Time: r.Time, Client: string(r.Client), Topic: string(p.Topic),
		Payload: append([]byte(nil), payload...), PayloadSize: uint64(p.Size),
		Fate: uint8(max(p.Outcome, msglog.Delivered) - msglog.Delivered),
	}
}
