package station

import (
	"errors"
	"fmt"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/drivers/guard"
)

// A cover is what the guard has told of the switch below the panel's cover.
type cover struct {
	open  bool
	since time.Time // when it was opened or closed; zero: never since the start
	until time.Time // no door opens before
}

// An exit is a button that opens a door from inside, by the guard alone.
type exit struct {
	relay   string
	pressed bool
}

// guarded takes the level of an input that the guard owns.
func (o *owner) guarded(e guard.InputEdge) {
	o.around.check.saw(e.Name, e.Active, e.At)
	o.blocked(e.Blocked)
	if x := o.around.exits[e.Name]; x != nil {
		o.exitMoved(e.Name, x, e)
		return
	}
	if _, ok := o.around.covers[e.Name]; ok {
		o.coverMoved(e)
	}
}

// blocked notes for how long from now on no door opens.
func (o *owner) blocked(left time.Duration) {
	c := &o.around.cover
	was := c.left(time.Now())
	c.until = time.Time{}
	if left > 0 {
		c.until = time.Now().Add(left)
	}
	switch {
	case was == 0 && left > 0:
		o.log.Warn("doors blocked: the cover was opened", "for", left.Round(time.Second))
	case was > 0 && left == 0:
		o.log.Info("doors no longer blocked")
	}
}

// left is how long no door opens.
func (c *cover) left(now time.Time) time.Duration { return max(0, c.until.Sub(now)) }

// exitMoved takes an exit button. Its relay's edges come from the guard by
// themselves.
func (o *owner) exitMoved(name string, x *exit, e guard.InputEdge) {
	if e.Active == x.pressed {
		return
	}
	x.pressed = e.Active
	o.log.Info("exit button", "input", name, "door", o.doorOf(x.relay), "pressed", e.Active)
	if d := o.around.doorways[x.relay]; d != nil {
		d.Exit(moment(e.At), e.Active)
	}
	if !e.Active {
		o.closeRecord("not-opened", o.around.cover.reason(time.Now()))
		return
	}
	if o.diary.current() == "" {
		o.diary.begin(e.At, "", "")
	}
	o.diary.mark(e.At, timeline.ExitPressed, 0, name)
}

// coverMoved takes the switch below the cover. A board may have several.
func (o *owner) coverMoved(e guard.InputEdge) {
	if e.Active == o.around.covers[e.Name] {
		return
	}
	o.around.covers[e.Name] = e.Active
	c, open := &o.around.cover, false
	for _, one := range o.around.covers {
		open = open || one
	}
	if open == c.open {
		return
	}
	c.open, c.since = open, moment(e.At)
	detail := ""
	if e.Blocked > 0 {
		detail = fmt.Sprintf("no door opens for %v", e.Blocked.Round(time.Second))
	}
	if open {
		o.log.Warn("cover opened", "input", e.Name, "blocked_for", e.Blocked)
		o.happening(e.At, timeline.CoverOpened, detail)
		return
	}
	o.log.Info("cover closed", "input", e.Name, "blocked_for", e.Blocked)
	o.happening(e.At, timeline.CoverClosed, detail)
}

// reason says why no door opens now; empty when doors do.
func (c *cover) reason(now time.Time) string {
	left := c.left(now)
	switch {
	case left == 0:
		return ""
	case c.open:
		return fmt.Sprintf("cover open since %s, doors blocked for another %s", c.since.Format(time.TimeOnly), minutes(left))
	case c.since.IsZero():
		return fmt.Sprintf("the cover was opened, doors blocked for another %s", minutes(left))
	}
	return fmt.Sprintf("the cover was opened, and closed at %s, doors blocked for another %s", c.since.Format(time.TimeOnly), minutes(left))
}

// explain puts the panel's reason before the guard's word.
func (c *cover) explain(now time.Time, err error) error {
	if why := c.reason(now); why != "" && errors.Is(err, guard.ErrRefused) {
		return fmt.Errorf("%s: %w", why, err)
	}
	return err
}

// minutes is a time as a person says it, never shorter than it is.
func minutes(d time.Duration) string {
	if d > time.Minute {
		return fmt.Sprintf("%d min", (d+time.Minute-1)/time.Minute)
	}
	return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second)
}
