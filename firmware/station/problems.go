package station

// problems are what is wrong with the panel itself and does not keep it from
// ringing, for people.
func (s *Station) problems() []string {
	var all []string
	for _, text := range []string{s.kept.trouble, s.clock.trouble(), s.resetTrouble(), s.hangTrouble()} {
		if text != "" {
			all = append(all, text)
		}
	}
	return append(all, s.kept.faults.list()...)
}

// hangTrouble is what a person should know of a loop that hangs.
func (s *Station) hangTrouble() string {
	if sick := s.health.Sick(); sick != "" {
		return "the loop of " + sick + " hangs; the guard will end this program, and it will be started again"
	}
	return ""
}
