package station

import (
	"fmt"
	"strings"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/firmware/control"
)

// A carried leg is a call with the account that carries it.
type carried struct {
	by  *line
	inv *sipua.Invitation // that may still be sent by the other account; nil: it may not
}

// setStandby puts the rule of the standby account in force; nil: there is none.
func (l *line) setStandby(rule *lineRule) {
	s := l.spare
	if rule != nil {
		s.set(*rule)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rule == nil {
		return
	}
	s.rule, s.ua = nil, nil
	s.reg = control.Registration{State: control.RegistrationNone}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// carrier is the account that carries a new call: the standby one while it is
// registered and the first is not.
func (l *line) carrier() *line {
	if l.spare == nil || l.own().State == control.RegistrationOK || l.spare.own().State != control.RegistrationOK {
		return l
	}
	return l.spare
}

// carriedBy is the account that carries a call.
func (l *line) carriedBy(id callflow.LegID) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.legs[id]; ok {
		return c.by
	}
	return l
}

// kept is the account that carries a call, which goes to no other any more.
func (l *line) kept(id callflow.LegID) *line {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.legs[id]
	if !ok {
		return l
	}
	c.inv = nil
	l.legs[id] = c
	return c.by
}

func (l *line) carry(id callflow.LegID, by *line, inv *sipua.Invitation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.legs[id] = carried{by, inv}
}

// ring rings a phone by the account that can. A phone that is rung directly needs
// no account, and one whose server is silent is rung by the other account.
func (l *line) ring(id callflow.LegID, inv sipua.Invitation) {
	by := l.carrier()
	if inv.Direct && by.agent() == nil {
		by = l.spare
	}
	if by == l && !inv.Direct {
		l.carry(id, by, &inv)
	} else {
		l.carry(id, by, nil)
	}
	l.ringBy(by, id, inv)
}

func (l *line) ringBy(by *line, id callflow.LegID, inv sipua.Invitation) {
	ua := by.agent()
	if ua == nil {
		l.tell(lineRule{}, sipua.Refused{Leg: id, Status: 503, Reason: "the SIP line is down", Unheard: true})
		return
	}
	if by != l && !inv.Direct {
		inv.Target = l.atStandby(inv.Target)
	}
	ua.Ring(id, inv)
}

// tell passes an event on, and takes care of the calls that it is about.
func (l *line) tell(of lineRule, ev sipua.Event) {
	switch ev := ev.(type) {
	case sipua.Refused:
		if ev.Unheard && l.otherWay(ev) {
			return
		}
		l.drop(ev.Leg)
	case sipua.Ended:
		l.drop(ev.Leg)
	}
	l.on(of, ev)
}

// otherWay sends a call that its server never heard of by the standby account.
func (l *line) otherWay(ev sipua.Refused) bool {
	l.mu.Lock()
	c := l.legs[ev.Leg]
	l.legs[ev.Leg] = carried{by: l.spare}
	l.mu.Unlock()
	if c.inv == nil || l.spare == nil || l.spare.own().State != control.RegistrationOK || l.spare.agent() == nil {
		return false
	}
	l.log.Warn("a call goes by the standby account", "leg", uint32(ev.Leg), "reason", ev.Reason)
	l.ringBy(l.spare, ev.Leg, *c.inv)
	return true
}

func (l *line) drop(id callflow.LegID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.legs, id)
}

// fromStandby takes the events of the standby account.
func (l *line) fromStandby(of lineRule, ev sipua.Event) {
	if in, ok := ev.(sipua.Incoming); ok {
		l.carry(in.Leg, l.spare, nil)
	}
	l.tell(of, ev)
}

// atStandby is a phone of the first account's domain as the standby account's
// domain knows it.
func (l *line) atStandby(target string) string {
	l.mu.Lock()
	rule := l.rule
	l.mu.Unlock()
	l.spare.mu.Lock()
	spare := l.spare.rule
	l.spare.mu.Unlock()
	if rule == nil || spare == nil {
		return target
	}
	return moveDomain(target, rule.account.Domain, spare.account.Domain)
}

// moveDomain puts one domain in the place of another behind the @ of a URI.
func moveDomain(uri, from, to string) string {
	at := strings.LastIndexByte(uri, '@')
	if at < 0 || from == "" || to == "" {
		return uri
	}
	host := uri[at+1:]
	end := strings.IndexAny(host, ";:")
	if end < 0 {
		end = len(host)
	}
	if !strings.EqualFold(host[:end], from) {
		return uri
	}
	rest := host[end:]
	if strings.HasPrefix(rest, ":") { // a port of the other domain's server
		rest = strings.TrimLeft(rest[1:], "0123456789")
	}
	return uri[:at+1] + to + rest
}

// registration is the state of the line as people see it: that of the first
// account, or of the standby one while that carries the calls.
func (l *line) registration() control.Registration {
	first := l.own()
	if l.carrier() == l {
		return first
	}
	reg := l.spare.own()
	reg.Reason = fmt.Sprintf("the standby account carries the calls; the first: %s", first.Reason)
	return reg
}
