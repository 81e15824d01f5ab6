package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// recordVersion is that of the text of a record.
const recordVersion = 1

// ErrVersion is for a ledger that this broker cannot read.
var ErrVersion = errors.New("rollout: a record of another version: use that version of the broker")

// record is one line of the ledger: an event, and what it changes. What is empty changes nothing.
type record struct {
	V      int       `json:"v"`
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Change string    `json:"change,omitempty"`
	// New begins a change.
	New   *Change       `json:"new,omitempty"`
	State State         `json:"state,omitempty"`
	Step  int           `json:"step,omitempty"`
	Of    string        `json:"of,omitempty"`
	Why   string        `json:"why,omitempty"`
	By    string        `json:"by,omitempty"`
	Took  time.Duration `json:"took,omitempty"`
	// Places are those of the change with what is known of them now.
	Places []ChangePlace `json:"places,omitempty"`
	// Links replace those of the same listeners; one without chains removes.
	Links []Linked `json:"links,omitempty"`
	// Before replaces what the tables' own rollback brings back to the same listeners.
	Before []Linked `json:"before,omitempty"`
	// Undone is what an undo has to do with the change that it undoes.
	Undone *Undone `json:"undone,omitempty"`
	// Stopped is that of Change, Promoted one of those.
	Stopped  bool  `json:"stopped,omitempty"`
	Promoted State `json:"promoted,omitempty"`

	Quarantine []Quarantined `json:"quarantine,omitempty"`
	Pardon     []string      `json:"pardon,omitempty"`
	// Tested are what passed its tests, in words of who asks.
	Tested []string `json:"tested,omitempty"`
	// Dealt are what was dealt with, in words of who asks.
	Dealt []string `json:"dealt,omitempty"`
	// Book is all that the records before come to.
	Book *snapshot `json:"book,omitempty"`
}

// snapshot is a book as a record.
type snapshot struct {
	Floor      uint64        `json:"floor"`
	Changes    []*Change     `json:"changes,omitempty"`
	Links      []Linked      `json:"links,omitempty"`
	Before     []Linked      `json:"before,omitempty"`
	Quarantine []Quarantined `json:"quarantine,omitempty"`
	Tested     []string      `json:"tested,omitempty"`
	Dealt      []string      `json:"dealt,omitempty"`
}

// Change is the audit record of a change.
type Change struct {
	ID     string `json:"id"`
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	Force  bool   `json:"force,omitempty"`
	// Config says that it is one of the configuration, see Request.
	Config bool `json:"config,omitempty"`
	// Undo says that it is an undo of the change before it, see Request.
	Undo bool `json:"undo,omitempty"`
	// Content is the digest of what was asked for.
	Content string        `json:"content"`
	Places  []ChangePlace `json:"places"`
	State   State         `json:"state"`
	// Step of a canary counts from 1; Of says at which step a change was refused.
	Step int    `json:"step,omitempty"`
	Of   string `json:"of,omitempty"`
	Why  string `json:"why,omitempty"`
	// EndedBy says who cancelled it, or rolled it back, if it was somebody.
	EndedBy string `json:"ended_by,omitempty"`
	// Stopped says that it was rolled back for no other reason than that the broker ended.
	Stopped bool `json:"stopped,omitempty"`
	// Promoted are the states that somebody had it leave.
	Promoted []State `json:"promoted,omitempty"`
	// Took is how long the commit took at the slowest listener, in nanoseconds.
	Took  time.Duration `json:"took,omitempty"`
	Marks []Mark        `json:"marks"`
	// Undone are its places, each role of a listener once, that an undo brought back since it was
	// done: what it linked there is not what is linked. One that went forth again is not there.
	Undone []Undone `json:"undone,omitempty"`
}

// Undone says of a role of a listener that it is as it was before its last change.
type Undone struct {
	Listener string    `json:"listener"`
	Role     string    `json:"role"`
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
	// Change is that change, and Forth that its result is linked again, where that is not said.
	Change string `json:"change,omitempty"`
	Forth  bool   `json:"forth,omitempty"`
}

// isAt says whether u is of that role of that listener.
func (u Undone) isAt(listener, role string) bool {
	return u.Listener == listener && u.Role == role
}

// ChangePlace is one place of a change.
type ChangePlace struct {
	Listener string `json:"listener"`
	Role     string `json:"role"`
	Position int    `json:"position"`
	Source   string `json:"source,omitempty"`
	Remove   bool   `json:"remove,omitempty"`
	// New is known once it is fetched, Old from before that.
	New *Pin `json:"new,omitempty"`
	Old *Pin `json:"old,omitempty"`
}

// Mark says when a change came into a state.
type Mark struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	State State     `json:"state"`
	Step  int       `json:"step,omitempty"`
	Why   string    `json:"why,omitempty"`
}

// Quarantined is a digest that a health rolled back.
type Quarantined struct {
	Digest string    `json:"digest"`
	Change string    `json:"change"`
	Since  time.Time `json:"since"`
	Why    string    `json:"why"`
}

func (r *record) encode() ([]byte, error) {
	r.V = recordVersion
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("rollout: record: %w", err)
	}
	return b, nil
}

func decode(b []byte) (*record, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("rollout: record: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("rollout: record: there is something behind it")
	}
	if r.V != recordVersion {
		return nil, fmt.Errorf("%w: %d", ErrVersion, r.V)
	}
	return &r, nil
}
