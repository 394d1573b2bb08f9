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
	last := monotonic()
	for ctx.Err() == nil {
		ready, err := d.wait()
		if err != nil {
			return err
		}
		if !ready {
			if silent := monotonic() - last; silent > patience {
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
		last = monotonic()
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
	poll := []unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}}
	_, err = unix.Poll(poll, int(look/time.Millisecond))
	switch {
	case err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, d.fail("wait for a picture", err)
	case poll[0].Revents&unix.POLLIN != 0:
		return true, nil
	case poll[0].Revents != 0:
		return false, d.fail("the camera is lost", unix.ENODEV)
	}
	return false, nil
}

// monotonic reads CLOCK_MONOTONIC.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("v4l2: no CLOCK_MONOTONIC: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
