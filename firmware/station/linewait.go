package station

import "time"

// A press that comes while the line is being set up, which takes a second or two
// after a change of the configuration or of the address, waits for it: at most
// for holdFor since the line went down, looked at every holdCheck.
const (
	holdFor   = 3 * time.Second
	holdCheck = 50 * time.Millisecond
)

// hold keeps a press that would only meet a line which is about to come up. A
// button that rings nobody is told so at once.
func (o *owner) hold(button string, at time.Duration) bool {
	if o.setup == nil || len(o.setup.plans[button].Stages) == 0 || !o.line.comingUp() {
		return false
	}
	o.held = true
	time.AfterFunc(holdCheck, func() {
		o.box.post(func() {
			o.held = false
			o.press(button, at)
		})
	})
	return true
}

// comingUp reports whether there is no user agent, but has been one, or a new
// rule, a moment ago; and no standby account to ring by meanwhile.
func (l *line) comingUp() bool {
	if l.carrier() != l {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ua == nil && l.rule != nil && time.Since(l.down) < holdFor
}
