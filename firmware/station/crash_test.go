package station

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/drivers/guard"
)

// The guard is told of an end that was meant. Of any other it hears when the
// process is gone: until then the client beats.
func TestGuardHearsWhetherTheEndWasMeant(t *testing.T) {
	for name, meant := range map[string]bool{"meant": true, "a fault": false} {
		t.Run(name, func(t *testing.T) {
			socket := filepath.Join(shortDir(t), "guard.sock")
			var told logBuffer
			life, end := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- guard.Serve(life, guard.Options{Socket: socket, Log: &told}) }()
			defer func() { end(); <-served }()

			d := newDoors(socket, slog.New(slog.DiscardHandler))
			beats := make(chan struct{}, 1)
			d.sick = func() string {
				select {
				case beats <- struct{}{}:
				default:
				}
				return ""
			}
			found := make(chan struct{}, 1)
			d.resets = func(int) { found <- struct{}{} }
			d.meant = func() bool { return meant }
			ctx, stop := context.WithCancelCause(context.Background())
			ended := make(chan error, 1)
			go func() {
				every := time.NewTicker(time.Millisecond)
				defer every.Stop()
				err := d.run(ctx)
				for ; errors.Is(err, guard.ErrGone) && ctx.Err() == nil; err = d.run(ctx) {
					<-every.C // the guard has not begun to listen
				}
				ended <- err
			}()
			<-found
			<-beats
			fault := errors.New("panic: no such flat")
			stop(fault)
			if err := <-ended; !errors.Is(err, fault) {
				t.Errorf("ended with %v", err)
			}
			if meant {
				return
			}
			for range 3 {
				<-beats
			}
			if strings.Contains(told.String(), "dropped") {
				t.Errorf("the guard has let go of the client:\n%s", &told)
			}
		})
	}
}
