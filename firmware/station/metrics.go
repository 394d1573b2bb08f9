package station

import (
	"cmp"
	"slices"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
	"doorstation/firmware/web"
)

// Metrics implements web.Meter, from what the status and the records know and
// the tally has counted.
func (s *Station) Metrics() []web.Family {
	st, sums := s.Status(), s.diary.tally.sums()
	return slices.Concat(
		s.processMetrics(st),
		s.lineMetrics(),
		configMetrics(st.Config),
		partMetrics(st, s.video.camera != nil),
		s.clockMetrics(),
		callMetrics(st, sums, s.Calls()),
		doorMetrics(st, sums),
		s.flatMetrics(),
	)
}

// gauge is a family of values that go up and down. Labels follow their value in
// the samples; see sample.
func gauge(name, help string, samples ...web.Sample) web.Family {
	return web.Family{Name: "doorstation_" + name, Help: help, Kind: web.Gauge, Samples: samples}
}

// counter is a family of values that count from the start of the process.
func counter(name, help string, samples ...web.Sample) web.Family {
	return web.Family{Name: "doorstation_" + name, Help: help, Kind: web.Counter, Samples: samples}
}

// sample is a value with its labels, each a name and a value.
func sample[N int | int64 | float64](value N, labels ...string) web.Sample {
	s := web.Sample{Value: float64(value)}
	for pair := range slices.Chunk(labels, 2) {
		s.Labels = append(s.Labels, web.Label{Name: pair[0], Value: pair[1]})
	}
	return s
}

// flag is 1 for yes and 0 for no.
func flag(yes bool, labels ...string) web.Sample {
	if yes {
		return sample(1, labels...)
	}
	return sample(0, labels...)
}

// states has a sample for each state that there is: 1 for the present one, 0
// for the others.
func states(present string, all []string, labels ...string) []web.Sample {
	var samples []web.Sample
	for _, state := range all {
		samples = append(samples, flag(state == present, append(slices.Clip(labels), "state", state)...))
	}
	return samples
}

// by has a sample for each name of a count, and 0 for those that also names and
// that were not counted yet.
func by(label string, c counts, also ...string) []web.Sample {
	var samples []web.Sample
	for _, name := range c.names(also...) {
		samples = append(samples, sample(c[name], label, name))
	}
	return samples
}

func (s *Station) processMetrics(st control.Status) []web.Family {
	all := []web.Family{
		gauge("build_info", "The firmware and the board it runs on; always 1.", sample(1, "version", st.Version, "board", s.opt.Board.Model)),
		gauge("uptime_seconds", "Since the start of the daemon.", sample(st.Uptime.Seconds())),
		gauge("problems", "What is wrong with the panel and does not keep it from ringing; the page and doorctl status have the words.", sample(len(st.Problems))),
		gauge("guard_resets", "Resets of the board in a row that the guard has forced.", sample(s.resets.Load())),
	}
	if resident, err := residentMemory(); err == nil {
		all = append(all, gauge("resident_memory_bytes", "Memory of the daemon that is in RAM.", sample(resident)))
	}
	return all
}

// The states of a registration and of a door's contact.
var (
	registrationStates = []string{control.RegistrationNone, control.RegistrationTrying, control.RegistrationOK, control.RegistrationRefused}
	contactStates      = []string{control.ContactClosed, control.ContactOpen, control.ContactHeld, control.ContactForced, control.ContactLost}
	callStates         = []string{control.CallIdle, control.CallRinging, control.CallTalking}
)

// lineMetrics tells of the first account and, if there is one, of the standby.
func (s *Station) lineMetrics() []web.Family {
	registered := gauge("registered", "Whether the account is registered at the server.")
	state := gauge("registration_state", "1 for the state that the account's registration is in.")
	used := gauge("line_in_use", "Whether new calls go by this account.")
	carrier := s.line.carrier()
	for _, l := range []struct {
		name string
		line *line
	}{{"first", s.line}, {"standby", s.line.spare}} {
		server, configured := l.line.server()
		if !configured && l.line != s.line {
			continue
		}
		reg := l.line.own()
		registered.Samples = append(registered.Samples, flag(reg.State == control.RegistrationOK, "line", l.name, "server", cmp.Or(reg.Server, server)))
		state.Samples = append(state.Samples, states(reg.State, registrationStates, "line", l.name)...)
		used.Samples = append(used.Samples, flag(configured && l.line == carrier, "line", l.name))
	}
	return []web.Family{registered, state, used}
}

// server is where the account is to be registered, as the configuration says.
func (l *line) server() (name string, configured bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rule == nil {
		return "", false
	}
	return cmp.Or(l.rule.account.Registrar, l.rule.account.Domain), true
}

func configMetrics(c control.Config) []web.Family {
	return []web.Family{
		gauge("config_info", "The configuration that runs; always 1.", sample(1, "revision", c.Revision)),
		gauge("config_trial", "Whether the configuration is on trial: the panel has not registered with it yet.", flag(c.Trial)),
		gauge("config_refused", "Whether a newer configuration could not be fetched, was refused, or was rolled back.", flag(c.Error != "")),
		gauge("config_warnings", "Warnings of the configuration that runs.", sample(len(c.Warnings))),
	}
}

// partMetrics tells how the parts are. A camera that no driver was found for has
// no part that could fail.
func partMetrics(st control.Status, camera bool) []web.Family {
	up := gauge("part_up", "Whether the part of the daemon runs.")
	restarts := counter("part_restarts_total", "How often the part of the daemon was started again.")
	running := make(map[string]bool)
	for _, p := range st.Parts {
		running[p.Name] = p.State == control.PartRunning
		up.Samples = append(up.Samples, flag(running[p.Name], "part", p.Name))
		restarts.Samples = append(restarts.Samples, sample(p.Restarts, "part", p.Name))
	}
	return []web.Family{
		gauge("guard_connected", "Whether the process that holds the relays answers; without it no door opens.", flag(st.Guard.Connected)),
		gauge("camera_present", "Whether the camera is there, as far as it was tried.", flag(camera && running["camera"])),
		gauge("sound_present", "Whether the sound card is there.", flag(running["sound"])),
		up, restarts,
	}
}

func (s *Station) clockMetrics() []web.Family {
	_, set := s.clock.now()
	return []web.Family{gauge("clock_set", "Whether the time of day is known; if not, codes that have times open nothing.", flag(set))}
}

// callMetrics tells of the calls since the start. Who rang whom is no figure.
func callMetrics(st control.Status, sums sums, records []timeline.Record) []web.Family {
	var buttons []string
	for _, b := range st.Buttons {
		buttons = append(buttons, b.Name)
	}
	all := []web.Family{
		gauge("call_state", "1 for the state that the panel's call is in.", states(st.Call.State, callStates)...),
		counter("calls_total", "Calls that have ended, by their result.", by("result", sums.calls)...),
		counter("presses_total", "Presses of a button.", by("button", sums.presses, buttons...)...),
		counter("codes_total", "Codes that were typed in calls, by the keypad's verdict.", by("verdict", sums.codes)...),
	}
	if took, ok := lastPressToInvite(records); ok {
		all = append(all, gauge("last_press_to_invite_seconds", "From the press to the INVITE, in the last call that had both.", sample(took)))
	}
	return all
}

// lastPressToInvite is in seconds; records are newest first.
func lastPressToInvite(records []timeline.Record) (took float64, ok bool) {
	for _, rec := range records {
		for _, f := range timeline.Figures(rec) {
			if f.Key == timeline.PressToInvite {
				return f.Took.Seconds(), true
			}
		}
	}
	return 0, false
}

func doorMetrics(st control.Status, sums sums) []web.Family {
	open := gauge("door_released", "Whether the guard holds the door's relay on.")
	contact := gauge("door_contact_state", "1 for the state that the door's contact shows.")
	var doors []string
	for _, d := range st.Doors {
		doors = append(doors, d.Name)
		open.Samples = append(open.Samples, flag(d.Open, "door", d.Name))
		if d.Contact != "" {
			contact.Samples = append(contact.Samples, states(d.Contact, contactStates, "door", d.Name)...)
		}
	}
	all := []web.Family{
		open, contact,
		counter("door_openings_total", "How often the door's relay was switched on, whoever asked.", by("door", sums.openings, doors...)...),
		counter("door_forced_total", "How often the door opened without having been released.", by("door", sums.forced, doors...)...),
		counter("door_refusals_total", "Openings that the guard refused or could not finish.", sample(sums.failures)),
	}
	if st.Cover != nil {
		all = append(all, gauge("cover_open", "Whether the panel's cover is open.", flag(st.Cover.Open)))
	}
	return all
}

// flatMetrics tells what the silent probes found, as long as the configuration
// wants them.
func (s *Station) flatMetrics() []web.Family {
	reachable := gauge("flat_reachable", "Whether the last probes found a phone of the flat that can be rung.")
	setup := s.seen.Load().setup
	if setup == nil || setup.doc.Call.Probe == 0 {
		return nil
	}
	for _, f := range setup.doc.Flats {
		if rings, ok := s.diary.tally.reachable(setup.phonesOf(f.Button)); ok {
			reachable.Samples = append(reachable.Samples, flag(rings, "flat", f.Name))
		}
	}
	return []web.Family{reachable}
}

// phonesOf are the targets that a button rings.
func (s *setup) phonesOf(button string) []string {
	var all []string
	for _, st := range s.plans[button].Stages {
		for _, t := range st.Targets {
			all = append(all, t.URI)
		}
	}
	return all
}
