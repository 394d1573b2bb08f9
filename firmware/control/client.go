package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"doorstation/callflow/timeline"
)

// maxReply bounds what a client reads: the records of all calls are the most.
const maxReply = 32 << 20

// A Client speaks to a running panel. Its errors are *Error where the panel
// gave one.
type Client struct {
	path string
	http *http.Client
}

// Dial gives a client of the socket at path, having seen that somebody listens
// there.
func Dial(path string) (*Client, error) {
	c := &Client{path: path}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, explainDial(path, err)
	}
	conn.Close()
	return c, nil
}

// explainDial says what to do about a socket that does not answer.
func explainDial(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no panel runs here: %s is not there; start doorstationd, or name its run folder", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("the panel at %s has stopped without a farewell; start doorstationd again", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission for %s; ask as root, as the daemon's own user, or as a member of its control group", path)
	}
	return fmt.Errorf("the panel at %s cannot be reached: %w", path, err)
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status gives the panel's state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.do(ctx, http.MethodGet, pathStatus, nil, &s)
	return s, err
}

// Calls gives the records of the last calls, newest first.
func (c *Client) Calls(ctx context.Context) ([]timeline.Record, error) {
	var all []timeline.Record
	err := c.do(ctx, http.MethodGet, pathCalls, nil, &all)
	return all, err
}

// Press presses a button.
func (c *Client) Press(ctx context.Context, button string) error {
	return c.do(ctx, http.MethodPost, pathPress, command{Button: button}, nil)
}

// Open opens a door.
func (c *Client) Open(ctx context.Context, door string) error {
	return c.do(ctx, http.MethodPost, pathOpen, command{Door: door}, nil)
}

func (c *Client) do(ctx context.Context, method, path string, body, reply any) error {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	// The host is a formality of HTTP: the transport knows one socket only.
	req, err := http.NewRequestWithContext(ctx, method, "http://panel"+path, content)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("the panel at %s did not answer: %w", c.path, err)
	}
	defer resp.Body.Close()
	return c.read(resp, reply)
}

func (c *Client) read(resp *http.Response, reply any) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return fmt.Errorf("the panel at %s broke off its answer: %w", c.path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		var refusal Error
		if json.Unmarshal(raw, &refusal) != nil || refusal.Message == "" {
			return fmt.Errorf("the panel at %s answered %s", c.path, resp.Status)
		}
		return &refusal
	}
	if reply == nil {
		return nil
	}
	if err := json.Unmarshal(raw, reply); err != nil {
		return fmt.Errorf("the panel at %s gave an answer that cannot be read: %w", c.path, err)
	}
	return nil
}
