package station

import "sync"

// A mailbox carries work to the one goroutine that owns the call. Posting
// never blocks and keeps the order.
type mailbox struct {
	mu    sync.Mutex
	work  []func()
	ready chan struct{} // holds one token while there is work
}

func newMailbox() *mailbox {
	return &mailbox{ready: make(chan struct{}, 1)}
}

// post hands fn to the owner.
func (b *mailbox) post(fn func()) {
	b.mu.Lock()
	b.work = append(b.work, fn)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take returns all work posted so far, oldest first. spare is memory of an
// earlier take to use again.
func (b *mailbox) take(spare []func()) []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	work := b.work
	clear(spare)
	b.work = spare[:0]
	return work
}
