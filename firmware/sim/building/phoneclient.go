package building

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"doorstation/firmware/sim/phone"
)

// lookEvery is how often a phone is asked how it is.
const lookEvery = 10 * time.Millisecond

// maxStatus bounds a phone's answer, in bytes.
const maxStatus = 64 << 10

// A handset works a phone over its API.
type handset struct {
	at netip.AddrPort
}

// status asks how the phone is.
func (h handset) status(ctx context.Context) (phone.Status, error) {
	return h.ask(ctx, http.MethodGet, "/status", nil)
}

// do asks for something: "/answer", "/hangup".
func (h handset) do(ctx context.Context, what string) error {
	_, err := h.ask(ctx, http.MethodPost, what, nil)
	return err
}

// keys presses keys one after the other.
func (h handset) keys(ctx context.Context, keys string) error {
	for _, k := range keys {
		if _, err := h.ask(ctx, http.MethodPost, "/digit", map[string]string{"key": string(k)}); err != nil {
			return err
		}
	}
	return nil
}

func (h handset) ask(ctx context.Context, method, path string, body any) (phone.Status, error) {
	var s phone.Status
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return s, err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+h.at.String()+path, content)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxStatus))
	if err != nil {
		return s, err
	}
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("phone: %s: %s", resp.Status, bytes.TrimSpace(raw))
	}
	return s, json.Unmarshal(raw, &s)
}

// until waits for the phone to be as good says, for at most limit.
func (h handset) until(ctx context.Context, limit time.Duration, good func(phone.Status) bool) (phone.Status, error) {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	var last phone.Status
	for {
		s, err := h.status(ctx)
		switch {
		case err == nil && good(s):
			return s, nil
		case err == nil:
			last = s
		case ctx.Err() == nil:
			return s, err
		}
		select {
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if errors.Is(cause, context.DeadlineExceeded) {
				cause = fmt.Errorf("not within %v", limit)
			}
			return last, cause
		case <-time.After(lookEvery):
		}
	}
}
