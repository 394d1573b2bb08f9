package station

import (
	"maps"
	"slices"
	"sync"

	"doorstation/callflow"
	"doorstation/callflow/timeline"
)

// A counts is a number of times by name.
type counts map[string]int

// A tally counts what has happened since the start of the process: the records
// go back further, and only so far.
type tally struct {
	mu    sync.Mutex
	seen  sums
	rings map[string]bool // whether the last probe found a phone that can be rung, by target
}

// Sums are the counts of a tally.
type sums struct {
	calls    counts // by result
	presses  counts // by button
	openings counts // by door, whoever asked
	forced   counts // by door
	codes    counts // by verdict
	failures int    // doors that the guard did not open, or left while open
}

// The verdicts of the keypad, as they are counted.
const (
	codeRight  = "right"
	codeWrong  = "wrong"
	codeLocked = "locked"
)

// results are all that a call may have.
var results = []callflow.Result{
	callflow.ResultTalked, callflow.ResultCancelled, callflow.ResultNoAnswer, callflow.ResultRefused,
	callflow.ResultBusy, callflow.ResultUnreachable, callflow.ResultNetworkLost, callflow.ResultNotConfigured,
	callflow.ResultMediaLost, callflow.ResultWrongCodes, callflow.ResultTimeLimit, callflow.ResultShutdown,
}

// newTally counts from 0 also what has not happened yet, so that the first time
// shows as an increase.
func newTally() *tally {
	t := &tally{
		seen:  sums{calls: make(counts), presses: make(counts), openings: make(counts), forced: make(counts), codes: make(counts)},
		rings: make(map[string]bool),
	}
	for _, r := range results {
		t.seen.calls[string(r)] = 0
	}
	for _, verdict := range []string{codeRight, codeWrong, codeLocked} {
		t.seen.codes[verdict] = 0
	}
	return t
}

// marked counts what a mark of the diary tells.
func (t *tally) marked(name timeline.Name, detail string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch name {
	case timeline.Press, timeline.SecondPress:
		t.seen.presses[detail]++
	case timeline.RelayOn:
		t.seen.openings[detail]++
	case timeline.DoorForced:
		t.seen.forced[detail]++
	case timeline.DoorFailed:
		t.seen.failures++
	case timeline.CodeRight:
		t.seen.codes[codeRight]++
	case timeline.CodeWrong:
		t.seen.codes[codeWrong]++
	case timeline.CodeLocked:
		t.seen.codes[codeLocked]++
	}
}

// ended counts a call.
func (t *tally) ended(result callflow.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen.calls[string(result)]++
}

// probed notes the end of one probe.
func (t *tally) probed(target string, reached bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rings[target] = reached
}

// sums gives the counts of now.
func (t *tally) sums() sums {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.seen
	for _, c := range []*counts{&now.calls, &now.presses, &now.openings, &now.forced, &now.codes} {
		*c = maps.Clone(*c)
	}
	return now
}

// reachable says whether a press would ring at least one of these phones, as the
// last probes found; ok is false if none of them has been probed.
func (t *tally) reachable(targets []string) (reached, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, target := range targets {
		rings, known := t.rings[target]
		reached, ok = reached || rings, ok || known
	}
	return reached, ok
}

// names are those of a count, sorted, and these.
func (c counts) names(also ...string) []string {
	all := slices.AppendSeq(also, maps.Keys(c))
	slices.Sort(all)
	return slices.Compact(all)
}
