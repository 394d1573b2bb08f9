package provisioning

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A roundTrip is a server without a socket.
type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

// A visits is a server without a socket that notes when it was asked.
type visits struct {
	began  time.Time
	at     []time.Duration
	answer func(n int) (*http.Response, error)
}

func (v *visits) client() *http.Client {
	return &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		v.at = append(v.at, time.Since(v.began))
		return v.answer(len(v.at))
	})}
}

func ok(doc []byte) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: int64(len(doc)),
		Body: io.NopCloser(strings.NewReader(string(doc))),
	}, nil
}

func failing(code int, retryAfter string) (*http.Response, error) {
	return &http.Response{
		StatusCode: code, Header: http.Header{"Retry-After": {retryAfter}}, Body: http.NoBody,
	}, nil
}

// runs lets a fetcher run for d of fake time; during is called after Run began.
func runs(t *testing.T, every, d time.Duration, answer func(n int) (*http.Response, error), during func(*Fetcher)) (*visits, *Store) {
	t.Helper()
	store := openAt(t, t.TempDir())
	f, err := NewFetcher(Source{URL: "https://h/x", Every: every}, store, store.log)
	if err != nil {
		t.Fatal(err)
	}
	v := &visits{began: time.Now(), answer: answer}
	f.client = v.client()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if during != nil {
		go during(f)
	}
	if err := f.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run ended with %v", err)
	}
	synctest.Wait()
	return v, store
}

// gaps checks the time between visits against 0.9 to 1.1 times want.
func (v *visits) gaps(t *testing.T, want ...time.Duration) {
	t.Helper()
	if len(v.at) < len(want)+1 {
		t.Fatalf("visits at %v, want %d", v.at, len(want)+1)
	}
	if v.at[0] != 0 {
		t.Errorf("the first visit was after %v, want at once", v.at[0])
	}
	for i, w := range want {
		if got := v.at[i+1] - v.at[i]; got < w*9/10 || got > w*11/10 {
			t.Errorf("wait %d was %v, want about %v", i+1, got, w)
		}
	}
}

func TestRunIsPeriodic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, store := runs(t, time.Hour, 4*time.Hour, func(int) (*http.Response, error) { return ok(revision("A")) }, nil)
		v.gaps(t, time.Hour, time.Hour, time.Hour)
		if v.at[1]-v.at[0] == v.at[2]-v.at[1] {
			t.Error("the waits have no jitter")
		}
		st := store.State()
		if st.LastResult != "revision A" || st.FetchError != "" || st.LastFetch.Sub(v.began) != v.at[len(v.at)-1] || !st.NextFetch.After(st.LastFetch) {
			t.Errorf("state is %+v", st)
		}
	})
}

func TestRunBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, store := runs(t, time.Minute, 10*time.Minute, func(n int) (*http.Response, error) {
			if n <= 7 {
				return nil, errors.New("no route to host")
			}
			return ok(revision("A"))
		}, nil)
		s := time.Second
		v.gaps(t, 5*s, 10*s, 20*s, 40*s, 60*s, 60*s, 60*s, 60*s)
		inForceIs(t, store, "A trial")
	})
}

// After a success the back-off begins anew.
func TestRunForgetsOldFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := runs(t, time.Minute, 5*time.Minute, func(n int) (*http.Response, error) {
			if n == 3 {
				return ok(revision("A"))
			}
			return failing(500, "")
		}, nil)
		s := time.Second
		v.gaps(t, 5*s, 10*s, 60*s, 5*s)
	})
}

// A bad document is not asked for more often than a good one.
func TestRunDoesNotHammerForABadDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, store := runs(t, time.Hour, 3*time.Hour, func(int) (*http.Response, error) { return ok([]byte("rubbish")) }, nil)
		v.gaps(t, time.Hour, time.Hour)
		if st := store.State(); !strings.HasPrefix(st.LastResult, "refused: ") || st.FetchError == "" {
			t.Errorf("state is %+v", st)
		}
	})
}

func TestRunHeedsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := runs(t, time.Hour, 12*time.Hour, func(int) (*http.Response, error) { return failing(503, "7200") }, nil)
		if gap := v.at[1] - v.at[0]; gap < 2*time.Hour || gap > 2*time.Hour*12/10 {
			t.Errorf("came again after %v, want 2h or a little later", gap)
		}
	})
}

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := runs(t, time.Hour, 100*time.Minute, func(int) (*http.Response, error) { return ok(revision("A")) }, func(f *Fetcher) {
			time.Sleep(10 * time.Minute)
			f.Now()
			f.Now()
		})
		if len(v.at) < 3 || v.at[1] != 10*time.Minute || v.at[2] > 10*time.Minute && v.at[2] < 60*time.Minute {
			t.Errorf("visits at %v, want one after 10m and the next an hour later", v.at)
		}
	})
}

// A document that was rolled back is fetched and not taken.
func TestRolledBackDocumentIsNotTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, store := runs(t, time.Hour, 90*time.Minute, func(n int) (*http.Response, error) { return ok(revision("A")) }, nil)
		confirm(store)
		f, err := NewFetcher(Source{URL: "https://h/x"}, store, store.log)
		if err != nil {
			t.Fatal(err)
		}
		v := &visits{began: time.Now(), answer: func(int) (*http.Response, error) { return ok(revision("B")) }}
		f.client = v.client()
		if _, err := f.once(t.Context()); err != nil {
			t.Fatal(err)
		}
		rollBack(store, "not registered")
		if result, err := f.once(t.Context()); err == nil || !strings.Contains(result, "not tried again until it changes") {
			t.Errorf("result is %q", result)
		}
		inForceIs(t, store, "A")
	})
}
