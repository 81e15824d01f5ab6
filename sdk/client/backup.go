package client

import (
	"context"
	"net/http"
	"time"
)

// Backup is a copy of what a broker keeps, in the folder backups of its data folder.
type Backup struct {
	Name    string    `json:"name" example:"20261121T120000Z"`
	Created time.Time `json:"created"`
	Program string    `json:"program" doc:"Which version of the broker made it"`
	Files   int       `json:"files"`
	// Bytes of files the store still has too take no room a second time.
	Bytes  int64 `json:"bytes" doc:"Of all files, those that the store has too among them"`
	TookMS int64 `json:"took_ms,omitempty" doc:"How long it took to make"`
	// Damaged is true of one whose list of files cannot be read.
	Damaged bool `json:"damaged,omitempty"`
}

// NewBackup asks for a backup.
type NewBackup struct {
	Name string `json:"name,omitempty" maxLength:"64" doc:"Empty: the time of now"`
}

// Verified is what was found in a backup, all of which was read.
type Verified struct {
	Backup        Backup `json:"backup"`
	Sessions      int    `json:"sessions"`
	Queued        int    `json:"queued"`
	QueuedBytes   int64  `json:"queued_bytes"`
	InFlight      int    `json:"in_flight"`
	Received      int    `json:"received" doc:"QoS 2 packet identifiers, not released"`
	Retained      int64  `json:"retained"`
	RetainedBytes int64  `json:"retained_bytes"`
}

// Backups asks for the backups, oldest first.
func (c *Client) Backups(ctx context.Context) ([]Backup, error) {
	var out []Backup
	return out, c.do(ctx, http.MethodGet, "/store/backups", nil, &out)
}

// Backup makes a backup while the broker runs: what was acknowledged before is in it.
func (c *Client) Backup(ctx context.Context, n NewBackup) (Backup, error) {
	var out Backup
	return out, c.do(ctx, http.MethodPost, "/store/backups", n, &out)
}

// VerifyBackup has the broker read all of a backup.
func (c *Client) VerifyBackup(ctx context.Context, name string) (Verified, error) {
	var out Verified
	path := "/store/backups/" + segment(name) + "/verify"
	return out, c.do(ctx, http.MethodPost, path, nil, &out)
}

// DeleteBackup removes a backup.
func (c *Client) DeleteBackup(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/store/backups/"+segment(name), nil, nil)
}
