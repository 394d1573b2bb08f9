package provisioning

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// firstBackOff is the wait after the first failure; each further one doubles
// it, up to the time between two fetches.
const firstBackOff = 5 * time.Second

// jitter spreads the panels of one building: a wait is 0.9 to 1.1 times itself.
const jitter = 0.1

// A Fetcher offers its store what a configuration server has for the panel.
type Fetcher struct {
	src    Source
	url    *url.URL
	every  time.Duration
	client *http.Client
	store  *Store
	log    *slog.Logger
	soon   chan struct{}

	known validators // of Run's goroutine
	told  string     // the last outcome that was logged
}

// NewFetcher checks the source and reads its certificates. The error says
// what is wrong with the source and holds no secret.
func NewFetcher(src Source, store *Store, log *slog.Logger) (*Fetcher, error) {
	u, err := src.target()
	if err != nil {
		return nil, fmt.Errorf("configuration server: %w", err)
	}
	every, err := src.every()
	if err != nil {
		return nil, fmt.Errorf("configuration server: %w", err)
	}
	client, err := src.client()
	if err != nil {
		return nil, fmt.Errorf("configuration server: %w", err)
	}
	if u.Scheme == "http" {
		store.warn("http", "the configuration comes over plain http: everyone on the way can read and change it, passwords and codes included")
		log.Warn("the configuration comes over plain http: everyone on the way can read and change it", "host", u.Host)
	}
	return &Fetcher{src: src, url: u, every: every, client: client, store: store, log: log, soon: make(chan struct{}, 1)}, nil
}

// Now asks for a fetch soon. It never blocks.
func (f *Fetcher) Now() {
	select {
	case f.soon <- struct{}{}:
	default:
	}
}

// Run fetches at once and then again and again until ctx ends; it returns the
// cause of that. A failure is tried again after 5 s, 10 s and so on, up to the
// time between two fetches.
func (f *Fetcher) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.soon:
		case <-timer.C:
		}
		began := time.Now()
		result, err := f.once(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failures++
		if err == nil || isRefused(err) {
			failures = 0
		}
		wait := f.wait(failures, err)
		f.tell(result, err)
		f.store.fetched(began, time.Now().Add(wait), result, err)
		timer.Reset(wait)
	}
}

// once fetches and offers. The result is for people; a refused document is an
// error of the document and no failure to fetch.
func (f *Fetcher) once(ctx context.Context) (result string, err error) {
	known := f.known
	if now := f.store.Current(); now == nil || now.Hash != known.hash {
		known = validators{}
	}
	got, err := f.get(ctx, known)
	switch {
	case err != nil:
		return "failed: " + err.Error(), err
	case got.unchanged:
		return "unchanged", nil
	}
	snap, err := f.store.Offer(got.raw, "server")
	if err != nil {
		if got.web {
			err = fmt.Errorf("the server sent a web page (is there a login page on the way?): %w", err)
		}
		return "refused: " + err.Error(), err
	}
	f.known = validators{hash: snap.Hash, etag: got.etag, modified: got.modified}
	return "revision " + snap.Revision, nil
}

// wait is the time to the next fetch, spread by the jitter.
func (f *Fetcher) wait(failures int, err error) time.Duration {
	wait := f.every
	if failures > 0 {
		wait = min(firstBackOff<<min(failures-1, 16), f.every)
	}
	var status *statusError
	if errors.As(err, &status) && status.retryAfter > wait {
		return spread(status.retryAfter, 0, 2*jitter) // never before the server said
	}
	return spread(wait, -jitter, jitter)
}

// spread is d lengthened by a random share between from and to.
func spread(d time.Duration, from, to float64) time.Duration {
	return time.Duration(float64(d) * (1 + from + (to-from)*rand.Float64()))
}

// tell logs an outcome when it differs from the last one, so that a server
// that is gone for a year does not fill the log.
func (f *Fetcher) tell(result string, err error) {
	if result == f.told {
		return
	}
	f.told = result
	if err != nil {
		f.log.Warn("configuration not fetched", "host", f.url.Host, "result", result)
		return
	}
	f.log.Info("configuration fetched", "host", f.url.Host, "result", result)
}

func isRefused(err error) bool {
	var r *RefusedError
	return errors.As(err, &r)
}
