package control

import (
	"context"

	"doorstation/callflow/timeline"
)

// A Client speaks to a running panel.
type Client struct{}

// Dial gives a client of the socket at path.
func Dial(path string) (*Client, error) { return &Client{}, nil }

// Status gives the panel's state.
func (c *Client) Status(ctx context.Context) (Status, error) { return Status{}, nil }

// Calls gives the records of the last calls, newest first.
func (c *Client) Calls(ctx context.Context) ([]timeline.Record, error) { return nil, nil }

// Press presses a button.
func (c *Client) Press(ctx context.Context, button string) error { return nil }

// Open opens a door.
func (c *Client) Open(ctx context.Context, door string) error { return nil }
