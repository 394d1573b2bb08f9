package board

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// role checks what an input is there for besides being pressed.
func (c *checker) role(b *Board, path string, in Input) {
	if in.Contact != "" {
		if _, ok := c.relayOf(b, path+".contact", in.Contact); ok {
			c.once(c.contacts, path+".contact", in.Contact)
		}
	}
	if in.Contact != "" && in.Opens != "" {
		c.fault(path+".contact", strconv.Quote(in.Contact), "only one of opens, contact and tamper")
	}
	if in.Tamper && (in.Contact != "" || in.Opens != "") {
		c.fault(path+".tamper", "true", "only one of opens, contact and tamper")
	}
	if in.LongPress == 0 {
		return
	}
	c.duration(path+".long_press", in.LongPress, MinLongPress, MaxLongPress)
	if in.Guarded() || in.Contact != "" {
		c.fault(path+".long_press", in.LongPress.String(), "nothing for an input with opens, contact or tamper")
	}
}

// relayOf finds the relay that a field names.
func (c *checker) relayOf(b *Board, path, name string) (Relay, bool) {
	r, ok := b.Relay(name)
	if !ok {
		c.fault(path, strconv.Quote(name), "the name of a relay of this board")
	}
	return r, ok
}

// led checks what a relay behind the kernel's LED driver cannot have.
func (c *checker) led(path string, r Relay) {
	if r.Driver != DriverLED {
		return
	}
	if r.Active == Low {
		c.fault(path+".active", quoted(string(r.Active)), "high with the driver led; the device tree has the polarity")
	}
	if r.Drive != "" {
		c.fault(path+".drive", quoted(string(r.Drive)), "nothing with the driver led; the device tree has it")
	}
	if strings.Contains(r.Line, "/") || strings.HasPrefix(r.Line, ".") {
		c.fault(path+".line", quoted(r.Line), "the name of a folder in /sys/class/leds")
	}
}

func (c *checker) output(path string, o Output) {
	c.line(path, o.Name, o.Driver, o.Line, o.Active)
	c.text(path+".terminal", o.Terminal, maxLabel, false)
	c.drive(path, o.Drive)
	if !slices.Contains(Roles, o.Role) {
		words := make([]string, len(Roles))
		for i, r := range Roles {
			words[i] = string(r)
		}
		c.fault(path+".role", quoted(string(o.Role)), "one of "+strings.Join(words, ", "))
	}
}

func (c *checker) compatible(list []string) {
	if len(list) > MaxCompatible {
		c.fault("compatible", strconv.Itoa(len(list))+" entries", "at most "+strconv.Itoa(MaxCompatible))
	}
	for i, s := range list {
		c.text(at("compatible", i), s, maxCompatible, true)
	}
}

func (c *checker) tamperBlock(b *Board) {
	if b.TamperBlock == 0 {
		return
	}
	c.duration("tamper_block", b.TamperBlock, MinTamperBlock, MaxTamperBlock)
	if !slices.ContainsFunc(b.Inputs, func(in Input) bool { return in.Tamper }) {
		c.fault("tamper_block", b.TamperBlock.String(), "an input with tamper: true")
	}
}

func (c *checker) watchdog(w Watchdog) {
	if w.Device == "" {
		if w.Timeout != 0 {
			c.fault("watchdog.device", "", "the watchdog's device")
		}
		return
	}
	c.file("watchdog.device", w.Device)
	c.text("watchdog.device", w.Device, maxModel, true)
	c.duration("watchdog.timeout", w.Timeout, MinWatchdog, MaxWatchdog)
	if time.Duration(w.Timeout)%time.Second != 0 {
		c.fault("watchdog.timeout", w.Timeout.String(), "whole seconds")
	}
}
