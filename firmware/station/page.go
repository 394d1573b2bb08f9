package station

import (
	"context"

	"doorstation/firmware/web"
	"doorstation/provisioning"
)

// page offers the panel's own page while it is configured.
func (s *Station) page(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := s.store.Changed()
		var rule provisioning.Web
		if snap := s.store.Current(); snap != nil {
			rule = snap.Web
		}
		serving, stop := context.WithCancel(ctx)
		failed := make(chan error, 1)
		go func() { failed <- s.servePage(serving, rule) }()
		err := s.untilOther(ctx, rule, changed, failed)
		stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// servePage listens as rule says; without an address it waits for the end.
func (s *Station) servePage(ctx context.Context, rule provisioning.Web) error {
	if rule.Listen == "" {
		<-ctx.Done()
		return nil
	}
	return web.Serve(ctx, rule.Listen, s, web.Options{User: rule.User, Password: rule.Password, Meter: s, Stills: &s.owner.stills, Log: s.log})
}

// untilOther waits for a configuration whose page differs, the server's failure
// or the end of ctx.
func (s *Station) untilOther(ctx context.Context, rule provisioning.Web, changed <-chan struct{}, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-changed:
			changed = s.store.Changed()
			if snap := s.store.Current(); snap != nil && snap.Web != rule {
				return nil
			}
		}
	}
}
