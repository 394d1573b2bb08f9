package station

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/firmware/control"
	"doorstation/provisioning"
)

// Times of the silent probes.
const (
	probePause = time.Second     // between two phones
	probeIdle  = 2 * time.Second // until a configuration wants them
)

// probe asks again and again whether the phones of all flats could be rung, as
// often as the configuration in force wants it.
func (s *Station) probe(ctx context.Context) error {
	for ctx.Err() == nil {
		every := time.Duration(0)
		setup := s.seen.Load().setup
		if setup != nil {
			every = time.Duration(setup.doc.Call.Probe)
		}
		if every == 0 {
			pause(ctx, probeIdle)
			continue
		}
		if s.line.agent() == nil { // it is being set up
			pause(ctx, probeIdle)
			continue
		}
		for _, target := range setup.phones() {
			s.line.probe(target)
			pause(ctx, probePause)
		}
		pause(ctx, every)
	}
	return nil
}

// phones are the targets of all flats, each once.
func (s *setup) phones() []string {
	var all []string
	for _, f := range s.doc.Flats {
		for _, st := range s.plans[f.Button].Stages {
			for _, t := range st.Targets {
				if !slices.Contains(all, t.URI) {
					all = append(all, t.URI)
				}
			}
		}
	}
	return all
}

func (l *line) probe(target string) {
	if ua := l.agent(); ua != nil {
		ua.Probe(target)
	}
}

// A reach is what the last probe said of each phone that cannot be rung: why.
type reach map[string]string

// probed notes the end of one probe.
func (o *owner) probed(ev sipua.Probed) {
	o.diary.tally.probed(ev.Target, ev.Reached)
	why := strings.TrimSpace(fmt.Sprintf("%d %s", ev.Status, ev.Reason))
	if ev.Status == 0 {
		why = ev.Reason
	}
	before, was := o.reach[ev.Target]
	next := make(reach, len(o.reach)+1) // the former one may be shown
	for target, why := range o.reach {
		next[target] = why
	}
	if delete(next, ev.Target); !ev.Reached {
		next[ev.Target] = why
	}
	o.reach = next
	switch {
	case !ev.Reached && (!was || before != why):
		o.log.Warn("phone could not be rung now", "target", ev.Target, "reason", why)
	case ev.Reached && was:
		o.log.Info("phone can be rung again", "target", ev.Target)
	}
}

// silent tells, for each flat with a phone that cannot be rung, what a press
// would come to.
func (s *setup) silent(r reach) []string {
	var all []string
	for _, f := range s.doc.Flats {
		phones, missing := 0, []string(nil)
		for _, st := range s.plans[f.Button].Stages {
			for _, t := range st.Targets {
				phones++
				if why, not := r[t.URI]; not {
					missing = append(missing, t.URI+" ("+why+")")
				}
			}
		}
		switch {
		case len(missing) == 0:
		case len(missing) == phones:
			all = append(all, fmt.Sprintf("flat %s: a press would ring nobody now: %s", f.Name, strings.Join(missing, ", ")))
		default:
			all = append(all, fmt.Sprintf("flat %s: %d of %d phones cannot be rung now: %s", f.Name, len(missing), phones, strings.Join(missing, ", ")))
		}
	}
	return all
}

// mute reports whether a press on some button would ring nobody now.
func (s *setup) mute(r reach) bool {
	return slices.ContainsFunc(s.doc.Flats, func(f provisioning.Flat) bool {
		for _, st := range s.plans[f.Button].Stages {
			for _, t := range st.Targets {
				if _, not := r[t.URI]; !not {
					return false
				}
			}
		}
		return true
	})
}

// troubled reports whether somebody could not be rung now: there is no
// configuration, no server, or no phone of a flat.
func (o *owner) troubled() bool {
	switch o.line.registration().State {
	case control.RegistrationTrying, control.RegistrationRefused:
		return true
	}
	return o.setup == nil || o.setup.mute(o.reach)
}

// warn lights the lamp of trouble, when that changes.
func (o *owner) warn() {
	if now := o.troubled(); now != o.trouble {
		o.trouble = now
		o.show(callflow.Show{Indicator: callflow.IndicatorTrouble, On: now})
	}
}

// message keeps the last text of a caller, for the page.
func (o *owner) message(ev sipua.Message) {
	o.log.Info("text message", "caller", ev.Caller, "characters", len([]rune(ev.Text)))
	o.text = &control.Message{From: ev.Caller, Text: ev.Text, At: time.Now()}
}
