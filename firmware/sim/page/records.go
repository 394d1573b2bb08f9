package page

import (
	"doorstation/callflow/timeline"
)

// An explained record is one with what follows from it.
type explained struct {
	timeline.Record
	Figures []timeline.Figure `json:"figures"`
	Why     string            `json:"why"` // the door opened, or did not
}

// shownCalls bounds the records that the page is given.
const shownCalls = 12

// explain adds to each record its derived times and its door's story.
func explain(records []timeline.Record) []explained {
	all := []explained{}
	for _, r := range records[:min(len(records), shownCalls)] {
		figures := timeline.Figures(r)
		if figures == nil {
			figures = []timeline.Figure{}
		}
		all = append(all, explained{Record: r, Figures: figures, Why: timeline.Why(r)})
	}
	return all
}
