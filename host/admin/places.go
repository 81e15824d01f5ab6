package admin

import (
	"net/http"

	"github.com/hpmq/hpmq/sdk/client"
)

// places are how many requests are served at once, by what they take. Who follows a stream has a
// place for as long as it likes, so it never has one that an operator needs to decide something;
// what is sent as a bundle is in memory whole, so there are few at once.
type places struct {
	requests, followers, uploads chan struct{}
}

func newPlaces(cfg Config) places {
	return places{
		requests:  make(chan struct{}, cfg.RequestsMax),
		followers: make(chan struct{}, cfg.FollowersMax),
		uploads:   make(chan struct{}, cfg.UploadsMax),
	}
}

// of answers where r needs a place.
func (p places) of(r *http.Request) chan struct{} {
	switch path := r.URL.Path; {
	case path == client.Base+"/events", path == client.Base+"/log" && r.URL.Query().Has("follow"):
		return p.followers
	case r.Method == http.MethodPost && path == client.Base+"/bundles":
		return p.uploads
	}
	return p.requests
}
