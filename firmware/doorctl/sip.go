package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"doorstation/callflow/sipua/trace"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// around is how long before and after its record's times a call's first INVITE
// may be: the record begins with the press, the message comes from elsewhere.
const around = time.Second

// pcapMode of a capture file: who rings whom is nobody else's business.
const pcapMode = 0o600

// traceSIP draws the messages of a call, or all that the panel remembers, or
// writes them to a file for Wireshark.
func (t *tool) traceSIP(ctx context.Context, words []string) error {
	return t.ask(func(c *control.Client) error {
		all, err := c.Messages(ctx)
		if err != nil {
			return err
		}
		if len(words) > 0 {
			records, err := c.Calls(ctx)
			if err != nil {
				return err
			}
			rec, err := choose(records, words)
			if err != nil {
				return err
			}
			all = trace.Calls(all, rec.Began.Add(-around), endOf(rec).Add(around))
		}
		return t.showMessages(all)
	})
}

func endOf(rec timeline.Record) time.Time {
	if rec.Running() {
		return time.Now()
	}
	return rec.Began.Add(rec.Ended)
}

func (t *tool) showMessages(all []trace.Message) error {
	switch {
	case t.json:
		return t.print(all)
	case len(all) == 0:
		return fmt.Errorf("the panel remembers no such messages; it keeps the last few hundred, and none from before its start")
	case t.pcap == "":
		return trace.Ladder(t.out, all)
	}
	file, err := os.OpenFile(t.pcap, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, pcapMode)
	if err != nil {
		return fmt.Errorf("the messages were not written: %w", err)
	}
	err = trace.WritePcap(file, all)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("the messages were not written: %w", err)
	}
	_, err = fmt.Fprintf(t.out, "%d messages written to %s\n", len(all), t.pcap)
	return err
}
