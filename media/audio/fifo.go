package audio

// The microphone's queue, in samples at 8000 Hz.
const (
	frame  = 160 // 20 ms
	most   = 480 // 60 ms: more is dropped, the oldest first
	spare  = 80  // 10 ms left over after a read is enough against unsteady clocks
	window = 50  // reads within which the queue must once have been that short
	shrink = 40  // 5 ms are left out at a time
	blend  = 32  // 4 ms from one sound into another
	asleep = 3   // writes without a read: the microphone was closed
)

// A fifo passes samples from the microphone's clock to the sender's. The two
// drift: what piles up is left out little by little, and a gap fades out.
type fifo struct {
	pcm    [most]int16
	start  int // oldest sample
	count  int
	unread int   // writes since the last read
	least  int   // fewest samples left over by the reads of this window
	reads  int   // in this window
	last   int16 // sample given
}

func (f *fifo) write(pcm []int16) {
	if len(pcm) > most {
		pcm = pcm[len(pcm)-most:]
	}
	if over := f.count + len(pcm) - most; over > 0 {
		f.drop(over)
	}
	for _, x := range pcm {
		f.pcm[(f.start+f.count)%most] = x
		f.count++
	}
	f.unread++
}

func (f *fifo) drop(n int) {
	f.start = (f.start + n) % most
	f.count -= n
}

func (f *fifo) at(i int) int16 { return f.pcm[(f.start+i)%most] }

// read fills out with the next samples.
func (f *fifo) read(out []int16) {
	if f.unread >= asleep {
		f.wake(len(out))
	}
	f.unread = 0
	n := min(len(out), f.count)
	for i := range n {
		out[i] = f.at(i)
	}
	f.drop(n)
	if n > 0 {
		f.last = out[n-1]
	}
	for i := n; i < len(out); i++ {
		f.last -= f.last / 8
		out[i] = f.last
	}
	f.trim(out[:n])
}

// wake forgets what was recorded before anybody listened.
func (f *fifo) wake(n int) {
	if over := f.count - n - spare; over > 0 {
		f.drop(over)
	}
	f.least, f.reads, f.last = most, 0, 0
}

// trim shortens a queue that has been longer than it needs to be for a whole
// window. The end of what was just given blends into what follows the cut.
func (f *fifo) trim(given []int16) {
	f.least = min(f.least, f.count)
	if f.reads++; f.reads < window {
		return
	}
	if f.least >= spare+shrink && len(given) >= blend {
		tail := given[len(given)-blend:]
		for i := range tail {
			// the samples that lead up to the cut's far side
			other := int32(f.at(shrink - blend + i))
			tail[i] = int16((int32(tail[i])*int32(blend-i) + other*int32(i)) / blend)
		}
		f.drop(shrink)
		f.last = tail[blend-1]
	}
	f.least, f.reads = most, 0
}
