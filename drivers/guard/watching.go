package guard

import (
	"context"
	"slices"
	"time"

	"doorstation/drivers"
)

// retryAfter is the pause before inputs or a watchdog that could not be had are
// tried again.
const retryAfter = 2 * time.Second

// watch follows the inputs. One that is lost, or was never there, takes nothing
// else with it.
func (s *server) watch(ctx context.Context) {
	if s.opt.Watch == nil {
		return
	}
	for _, inputs := range s.opt.Watch(s.journal.say) {
		s.spawn(func() error {
			s.retry(ctx, "inputs", func() error { return s.follow(ctx, inputs) })
			return nil
		})
	}
}

// retry runs work again and again until ctx ends, and tells each new error once.
func (s *server) retry(ctx context.Context, what string, work func() error) {
	var told string
	for {
		err := work()
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told {
			told = err.Error()
			s.journal.say(what + ": " + told)
		}
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
			return
		}
	}
}

// follow hands on what these inputs report. What each reports first is its
// level at the beginning.
func (s *server) follow(ctx context.Context, inputs drivers.Inputs) error {
	seen := make([]bool, len(s.opt.Inputs))
	return inputs.Watch(ctx, func(in drivers.Input) {
		i := slices.IndexFunc(s.opt.Inputs, func(own Input) bool { return own.Name == in.Name })
		if i < 0 {
			return
		}
		s.post(ctx, Moved{Input: i, Active: in.Active, First: !seen[i], At: in.At})
		seen[i] = true
	})
}
