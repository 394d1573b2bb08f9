package guard

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// doubtAgain is how long an excuse lasts.
const doubtAgain = 50 * time.Millisecond

// A doubt is about a client that should have been heard. One whose process
// wants to run and is not let, since the machine is busy, is excused for a
// moment, and then looked at again. One that runs and is silent has
// crashed, and writes down why; one that waits hangs; one that is stopped is
// stopped. None of these is excused.
type doubt struct {
	about ProcessID
	at    time.Duration
	ran   time.Duration // on a processor, up to then
}

// doubt looks at the client, if there is a reason.
func (s *server) doubt(now time.Duration) {
	id := s.guard.Doubts(now)
	if id == 0 {
		s.doubts = doubt{}
		return
	}
	last := s.doubts
	if last.about == id && now-last.at < doubtAgain {
		return
	}
	ran, wants := usage(id)
	s.doubts = doubt{about: id, at: now, ran: ran}
	if wants && ran > 0 && (last.about != id || ran-last.ran < (now-last.at)/2) {
		s.guard.Excuse(now)
	}
}

// usage is how long the threads of a process have run, and whether one of them
// wants to.
func usage(id ProcessID) (ran time.Duration, wants bool) {
	dir := filepath.Join("/proc", strconv.Itoa(int(id)), "task")
	threads, err := os.ReadDir(dir)
	if err != nil {
		return 0, false
	}
	for _, t := range threads {
		stat, err := os.ReadFile(filepath.Join(dir, t.Name(), "stat"))
		wants = wants || err == nil && wantsToRun(stat)
		times, err := os.ReadFile(filepath.Join(dir, t.Name(), "schedstat"))
		if err == nil {
			ran += hasRun(times)
		}
	}
	return ran, wants
}

// wantsToRun looks at the state in proc_pid_stat(5), which follows the name of
// the program in parentheses; the name may have some of its own.
func wantsToRun(stat []byte) bool {
	i := bytes.LastIndexByte(stat, ')')
	return i >= 0 && len(stat) > i+2 && stat[i+2] == 'R'
}

// hasRun takes the first number of schedstat: nanoseconds on a processor.
func hasRun(times []byte) time.Duration {
	word, _, _ := bytes.Cut(times, []byte(" "))
	n, err := strconv.ParseInt(string(word), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n)
}
