package phone

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// byeTime bounds the wait for the answer to our BYE; the call is over anyway.
const byeTime = 4 * time.Second

// accept answers: the 200 repeats the description of the 183 and is sent again
// until it is acknowledged (RFC 3261 section 13.3.1.4); then the sound is asked
// for, unless it is agreed.
func (c *call) accept() {
	if !c.takeFinal() {
		return
	}
	defer c.settle()
	p := c.phone
	res := p.response(c.req, 200, "OK", c.describe())
	pause := sip.T1
	for limit := time.Now().Add(64 * sip.T1); time.Now().Before(limit); pause = min(2*pause, sip.T2) {
		if err := c.tx.Respond(res); err != nil {
			c.log.Warn("answer not sent", "err", err)
		}
		select {
		case <-c.done:
			return
		case <-c.acked:
			c.settle()
			c.talkNow()
			return
		case <-time.After(pause):
		}
	}
	c.bye("the panel never acknowledged the answer")
}

// acknowledged notes the ACK; later ones mean nothing.
func (c *call) acknowledged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.acked:
	default:
		close(c.acked)
	}
}

// cancelled ends a call that the panel gave up. The transaction layer has
// answered the CANCEL and sends the 487.
func (c *call) cancelled() {
	if c.takeFinal() {
		c.settle()
		c.phone.endOf(c, "the panel gave up")
	}
}

// refuse ends a call that rings.
func (c *call) refuse(status int) {
	if !c.takeFinal() {
		return
	}
	defer c.settle()
	reason := "Decline"
	if status == 486 {
		reason = "Busy Here"
	}
	c.phone.respond(c.req, c.tx, status, reason, nil)
	c.phone.endOf(c, "the resident declined")
}

// bye ends an answered call.
func (c *call) bye(reason string) {
	c.mu.Lock()
	req := c.dialog.request(sip.BYE, nil)
	c.mu.Unlock()
	c.phone.endOf(c, reason)
	ctx, stop := context.WithTimeout(context.Background(), byeTime)
	defer stop()
	if _, err := c.phone.client.Do(ctx, req, sipgo.ClientRequestAddVia); err != nil {
		c.log.Warn("no answer to BYE", "err", err)
	}
}

// endOf ends c, if it is still the phone's call.
func (p *Phone) endOf(c *call, reason string) {
	p.mu.Lock()
	current := p.call == c
	p.mu.Unlock()
	if current {
		p.end(reason)
	}
}

// glareWait is how long whoever did not begin the call waits after a 491
// (RFC 3261 section 14.1), in units of 10 ms.
const glareWait = 200

// talkTries bounds how often the sound is asked for.
const talkTries = 5

// talkNow makes the sound flow both ways, by an INVITE inside the call if the
// first answer left it inactive.
func (c *call) talkNow() {
	c.mu.Lock()
	agreed := c.talk
	c.mu.Unlock()
	for try := 0; !agreed && try < talkTries; try++ {
		res, err := c.inviteAgain()
		if err != nil {
			c.log.Warn("sound not agreed", "err", err)
			c.bye("the panel did not agree to sound")
			return
		}
		if agreed = res.StatusCode < 300; agreed {
			break
		}
		if res.StatusCode != 491 {
			break
		}
		select {
		case <-c.done:
			return
		case <-time.After(time.Duration(rand.IntN(glareWait)) * 10 * time.Millisecond):
		}
	}
	if !agreed {
		c.bye("the panel did not agree to sound")
		return
	}
	c.phone.changed.Send(struct{}{})
	go c.audio.send(c.done)
}

// inviteAgain offers sound both ways and takes the answer.
func (c *call) inviteAgain() (*sip.Response, error) {
	c.mu.Lock()
	c.local.version++
	req := c.dialog.request(sip.INVITE, describe(c.offer, c.terms, c.local, true))
	c.mu.Unlock()
	ctx, stop := context.WithTimeout(context.Background(), 64*sip.T1)
	defer stop()
	tx, err := c.phone.client.TransactionRequest(ctx, req, sipgo.ClientRequestAddVia)
	if err != nil {
		return nil, err
	}
	for {
		select {
		case res := <-tx.Responses():
			if res.IsProvisional() {
				continue
			}
			if res.IsSuccess() {
				c.agreed(req, res)
				go c.ackAgain(tx, req)
			}
			return res, nil
		case <-tx.Done():
			return nil, tx.Err()
		case <-c.done:
			return nil, errNoCall
		}
	}
}

// agreed acknowledges the 200 of our INVITE and takes its answer.
func (c *call) agreed(req *sip.Request, res *sip.Response) {
	c.mu.Lock()
	c.dialog.refresh(res.Contact())
	ack := c.dialog.ack(req)
	c.talk = true
	c.mu.Unlock()
	c.sendACK(ack)
	c.renew(res.Body())
}

// ackAgain acknowledges what is left of the transaction: the same 200 again
// (RFC 3261 section 13.2.2.4).
func (c *call) ackAgain(tx sip.ClientTransaction, req *sip.Request) {
	for {
		select {
		case <-tx.Responses():
			c.mu.Lock()
			ack := c.dialog.ack(req)
			c.mu.Unlock()
			c.sendACK(ack)
		case <-tx.Done():
			return
		case <-c.done:
			tx.Terminate()
			return
		}
	}
}

func (c *call) sendACK(ack *sip.Request) {
	if err := c.phone.client.WriteRequest(ack, sipgo.ClientRequestAddVia); err != nil {
		c.log.Warn("ACK not sent", "err", err)
	}
}
