package board

// The fields below are read by the names that the struct tags give them; a test
// compares the two.

func (b *Board) fields() []field {
	return []field{
		{"name", text(&b.Name)},
		{"model", text(&b.Model)},
		{"identity", object(b.Identity.fields)},
		{"inputs", list(&b.Inputs, func(in *Input) value { return object(in.fields) })},
		{"relays", list(&b.Relays, func(r *Relay) value { return object(r.fields) })},
		{"lamps", list(&b.Lamps, func(l *Lamp) value { return object(l.fields) })},
		{"outputs", list(&b.Outputs, func(o *Output) value { return object(o.fields) })},
		{"sound", object(b.Sound.fields)},
		{"camera", object(b.Camera.fields)},
		{"compatible", list(&b.Compatible, text[string])},
		{"tamper_block", duration(&b.TamperBlock)},
		{"watchdog", object(b.Watchdog.fields)},
	}
}

func (w *Watchdog) fields() []field {
	return []field{{"device", text(&w.Device)}, {"timeout", duration(&w.Timeout)}}
}

func (id *Identity) fields() []field {
	return []field{
		{"serial", text(&id.Serial)},
		{"serial_file", text(&id.SerialFile)},
		{"mac", text(&id.MAC)},
		{"mac_file", text(&id.MACFile)},
	}
}

// wiring are the fields that every line has.
func wiring(name, driver, line *string, active *Level) []field {
	return []field{{"name", text(name)}, {"driver", text(driver)}, {"line", text(line)}, {"active", text(active)}}
}

func (in *Input) fields() []field {
	return append(wiring(&in.Name, &in.Driver, &in.Line, &in.Active),
		field{"debounce", duration(&in.Debounce)},
		field{"pull", text(&in.Pull)},
		field{"stuck_after", duration(&in.Stuck)},
		field{"label", text(&in.Label)},
		field{"terminal", text(&in.Terminal)},
		field{"opens", text(&in.Opens)},
		field{"opens_for", duration(&in.OpensFor)},
		field{"contact", text(&in.Contact)},
		field{"tamper", truth(&in.Tamper)},
		field{"long_press", duration(&in.LongPress)},
	)
}

func (r *Relay) fields() []field {
	return append(wiring(&r.Name, &r.Driver, &r.Line, &r.Active),
		field{"drive", text(&r.Drive)},
		field{"terminal", text(&r.Terminal)},
		field{"max_pulse", duration(&r.MaxPulse)},
	)
}

func (l *Lamp) fields() []field {
	return append(wiring(&l.Name, &l.Driver, &l.Line, &l.Active),
		field{"drive", text(&l.Drive)},
		field{"terminal", text(&l.Terminal)},
	)
}

func (o *Output) fields() []field {
	return append(wiring(&o.Name, &o.Driver, &o.Line, &o.Active),
		field{"role", text(&o.Role)},
		field{"drive", text(&o.Drive)},
		field{"terminal", text(&o.Terminal)},
	)
}

func (s *Sound) fields() []field {
	return []field{{"driver", text(&s.Driver)}, {"device", text(&s.Device)}}
}

func (c *Camera) fields() []field {
	return []field{
		{"driver", text(&c.Driver)},
		{"device", text(&c.Device)},
		{"max_width", number(&c.Width)},
		{"max_height", number(&c.Height)},
		{"max_fps", number(&c.FPS)},
	}
}
