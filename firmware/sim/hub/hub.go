// Package hub hands values to all who listen, inside one process.
package hub

import "sync"

// A Hub hands every value to all who listen. A listener that is slow loses
// values, and holds up nobody.
type Hub[T any] struct {
	depth int
	mu    sync.Mutex
	out   map[chan T]struct{}
}

// New makes a hub whose listeners may be depth values behind.
func New[T any](depth int) *Hub[T] {
	return &Hub[T]{depth: depth, out: make(map[chan T]struct{})}
}

// Listen gives a channel of the values from now on, and the end of it.
func (h *Hub[T]) Listen() (values <-chan T, end func()) {
	c := make(chan T, h.depth)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out[c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.out, c)
	}
}

// Send gives v to all who have room for it.
func (h *Hub[T]) Send(v T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.out {
		select {
		case c <- v:
		default:
		}
	}
}
