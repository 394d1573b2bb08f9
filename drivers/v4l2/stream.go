package v4l2

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long a camera may give nothing.
	patience = 5 * time.Second
	// look is the longest wait for a picture before the context is looked at.
	look = 100 * time.Millisecond
)

// stream calls take with every filled buffer until ctx ends or the camera is
// lost. The bytes are the kernel's again when take returns.
func (d *device) stream(ctx context.Context, take func(data []byte, at time.Duration) error) error {
	if err := d.start(); err != nil {
		return err
	}
	last := d.kernel.now()
	for ctx.Err() == nil {
		ready, err := d.wait()
		if err != nil {
			return err
		}
		if !ready {
			if silent := d.kernel.now() - last; silent > patience {
				return fmt.Errorf("v4l2: %s: no picture for %v", d.path, silent.Round(time.Second))
			}
			continue
		}
		b, err := d.dequeue()
		if errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return d.fail("the camera is lost", err)
		}
		last = d.kernel.now()
		if err := d.hand(b, last, take); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// hand gives one buffer to take, and then back to the kernel.
func (d *device) hand(b buffer, now time.Duration, take func([]byte, time.Duration) error) error {
	if b.flags&flagError == 0 && b.bytesUsed > 0 {
		if err := take(d.buffers[b.index][:b.bytesUsed], b.captured(now)); err != nil {
			return err
		}
	}
	return d.enqueue(b.index)
}

// captured is when the picture was taken, by CLOCK_MONOTONIC; now if the camera
// does not tell.
func (b *buffer) captured(now time.Duration) time.Duration {
	if b.flags&flagClockMask != flagMonotonic {
		return now
	}
	return time.Duration(b.seconds)*time.Second + time.Duration(b.micros)*time.Microsecond
}

// wait waits a moment for a filled buffer.
func (d *device) wait() (ready bool, err error) {
	events, err := d.kernel.poll(d.fd, look)
	switch {
	case err != nil:
		return false, d.fail("wait for a picture", err)
	case events&unix.POLLIN != 0:
		return true, nil
	case events != 0:
		return false, d.fail("the camera is lost", unix.ENODEV)
	}
	return false, nil
}
