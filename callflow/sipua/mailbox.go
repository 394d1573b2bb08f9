package sipua

import "sync"

// maxWaiting bounds the messages from the network that wait for the loop. What
// comes beyond is dropped, as a full socket buffer would.
const maxWaiting = 512

// A mailbox carries work to the one goroutine that owns all state, in order.
// Posting never blocks, so that a receiver of events may post too.
type mailbox struct {
	ready chan struct{} // holds a token while work waits

	mu      sync.Mutex
	work    []func()
	spare   []func()
	network int // how much of the work came from the network
}

func newMailbox() *mailbox {
	return &mailbox{ready: make(chan struct{}, 1)}
}

// post adds work of our own, always.
func (b *mailbox) post(f func()) { b.add(f, 0) }

// offer adds work from the network, and reports false when too much waits.
func (b *mailbox) offer(f func()) bool { return b.add(f, 1) }

func (b *mailbox) add(f func(), network int) bool {
	b.mu.Lock()
	if network > 0 && b.network >= maxWaiting {
		b.mu.Unlock()
		return false
	}
	b.network += network
	b.work = append(b.work, f)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

// take empties the box. The slice is valid until the next take.
func (b *mailbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	work := b.work
	clear(b.spare)
	b.work, b.spare, b.network = b.spare[:0], work, 0
	return work
}
