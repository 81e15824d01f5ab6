package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

// A registry without the referrers API has a list of them behind a tag, which whoever pushes one
// reads, adds to and writes: of two at once, the one that writes first is gone from it. So a push
// looks whether its signatures are in the list, until that was so settledListings times in a row.
const (
	settledListings = 2
	// settleRoundsMax bounds how often it looks.
	settleRoundsMax = 12
	// settleWait and as much again at random is between two looks: more than another's reading and
	// writing takes, and not the same for two that meet.
	settleWait = 250 * time.Millisecond
)

// listed pushes manifests that refer to d until the registry lists them, and goes on to.
func (p *push) listed(ctx context.Context, d oci.Descriptor, of []oci.Descriptor) error {
	missing, clean := of, 0
	for round := range settleRoundsMax {
		if round > 0 {
			if err := p.wait(ctx, settleWait+rand.N(settleWait)); err != nil {
				return err
			}
		}
		for _, at := range missing {
			if _, err := p.manifest(ctx, at); err != nil && !conflict(err) {
				return fmt.Errorf("the signature %s: %w", at.Digest, err)
			}
		}
		// What the registry has is known once a referrer was pushed; an error says: no list.
		if len(of) == 0 || p.repo.SetReferrersCapability(true) == nil {
			return nil
		}
		var err error
		if missing, err = p.unlisted(ctx, d, of); err != nil {
			return err
		}
		if clean++; len(missing) > 0 {
			clean = 0
		}
		if clean == settledListings {
			return nil
		}
	}
	return do("push again when nobody else signs it",
		"its signatures were dropped from the registry's list by others who push, %d times",
		settleRoundsMax)
}

// unlisted are those of the referrers of d that the registry does not list.
func (p *push) unlisted(
	ctx context.Context, d oci.Descriptor, of []oci.Descriptor,
) ([]oci.Descriptor, error) {
	missing := slices.Clone(of)
	err := p.repo.Referrers(ctx, theirs(d), sign.SignatureType,
		func(some []ocispec.Descriptor) error {
			missing = slices.DeleteFunc(missing, func(at oci.Descriptor) bool {
				return slices.ContainsFunc(some, func(o ocispec.Descriptor) bool {
					return oci.Digest(o.Digest) == at.Digest
				})
			})
			return nil
		})
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return nil, fmt.Errorf("the registry's list of signatures: %w", err)
	}
	return missing, nil
}

// conflict says that another wrote the list between our reading and our writing.
func conflict(err error) bool {
	var answer *errcode.ErrorResponse
	return errors.As(err, &answer) && answer.StatusCode == http.StatusPreconditionFailed &&
		answer.URL != nil && listPath.MatchString(answer.URL.Path)
}

// sleep waits for d, or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// conditional asks that a list of referrers be written only in the place of the one that was read.
// A registry that knows no conditions writes it all the same.
type conditional struct {
	base http.RoundTripper

	mu sync.Mutex
	// Of the one list that a push writes: the condition under which it is what was read, and the
	// one that was refused. One that is refused while it holds is not made again.
	read, refused condition
}

// condition is the header that holds as long as nobody else writes.
type condition struct{ header, value string }

var listPath = regexp.MustCompile(`/manifests/sha256-[0-9a-f]{64}$`)

func (c *conditional) RoundTrip(r *http.Request) (*http.Response, error) {
	if !listPath.MatchString(r.URL.Path) {
		return c.base.RoundTrip(r)
	}
	c.mu.Lock()
	made := c.read
	c.mu.Unlock()
	if r.Method == http.MethodPut && made.header != "" {
		r = r.Clone(r.Context())
		r.Header.Set(made.header, made.value)
	}
	a, err := c.base.RoundTrip(r)
	if err != nil {
		return a, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		c.read = stands(a)
		if c.read == c.refused {
			c.read = condition{}
		}
	case http.MethodPut:
		refused := a.StatusCode == http.StatusPreconditionFailed
		if refused {
			c.refused = made
		}
		if refused || a.StatusCode < http.StatusMultipleChoices { // else it may be sent again
			c.read = condition{}
		}
	}
	return a, nil
}

// stands is the condition under which a list is still what was answered.
func stands(a *http.Response) condition {
	tag := a.Header.Get("ETag")
	switch {
	case a.StatusCode == http.StatusNotFound:
		return condition{"If-None-Match", "*"}
	case a.StatusCode == http.StatusOK && strings.HasPrefix(tag, `"`): // a weak one never matches
		return condition{"If-Match", tag}
	}
	return condition{}
}

// counted looks at JSON before it is read: a few bytes of a list cost a hundred times as many in
// memory. A registry may send a list on to any path, and its next page too, so all is looked at
// that is not asked for as bytes.
type counted struct{ base http.RoundTripper }

// bytesKey marks a context, which redirects keep, in which what comes is nothing but bytes.
type bytesKey struct{}

// asBytes is for what is not read as JSON here before it was looked at elsewhere.
func asBytes(ctx context.Context) context.Context {
	return context.WithValue(ctx, bytesKey{}, true)
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := c.base.RoundTrip(r)
	if err != nil || r.Context().Value(bytesKey{}) != nil || r.Method != http.MethodGet ||
		a.StatusCode != http.StatusOK {
		return a, err
	}
	text, err := io.ReadAll(io.LimitReader(a.Body, oci.DocumentBytesMax+1))
	if err = errors.Join(err, a.Body.Close()); err == nil {
		err = oci.CheckDocument(text)
	}
	if err != nil {
		return nil, err
	}
	a.Body = io.NopCloser(bytes.NewReader(text))
	return a, nil
}
