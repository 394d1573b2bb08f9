package building

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Params say how a building is started.
type Params struct {
	Sim          string         // this program, for the roles
	Programs     string         // folder of doorguard and doorstationd; empty: beside Sim
	Board        string         // the board's YAML
	Page         netip.AddrPort // wanted address of the page
	WithoutGuard bool           // leave out doorguard, which no door survives
	Log          io.Writer      // lines of all processes
}

// A Building is a started one.
type Building struct {
	site *site
	out  *output

	ctx  context.Context // ends with the building; its cause says why
	stop context.CancelCauseFunc

	panel, around, lines stage // in the order of their end
}

// A stage is a set of processes that end together.
type stage struct {
	ctx  context.Context
	stop context.CancelFunc
	all  sync.WaitGroup
}

// open begins a stage that outlives ctx: only end ends it.
func (s *stage) open(ctx context.Context) {
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
}

// end ends the stage's processes and waits for them.
func (s *stage) end() {
	s.stop()
	s.all.Wait()
}

// readyTime bounds the start of one process.
const readyTime = 10 * time.Second

// Start starts every process of a building, in order. Whoever starts one closes
// it.
func Start(ctx context.Context, p Params) (*Building, error) {
	s, err := newSite(p.Board, p.Page)
	if err != nil {
		return nil, err
	}
	b := &Building{site: s, out: &output{to: p.Log}}
	b.ctx, b.stop = context.WithCancelCause(ctx)
	for _, s := range []*stage{&b.panel, &b.around, &b.lines} {
		s.open(ctx)
	}
	if err := b.startAll(p); err != nil {
		if cause := context.Cause(b.ctx); cause != nil && ctx.Err() == nil {
			err = cause
		}
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// startAll starts the processes. What the panel talks to outlives the panel, so
// that it can end its call in order; the lines outlive the guard, so that it can
// make them safe.
func (b *Building) startAll(p Params) error {
	s := b.site
	b.launch(&b.lines, &process{name: "lines", program: p.Sim, args: []string{"lines", "-board", s.boardFile, "-run", s.run}})
	if err := b.ready("the line process", func() bool { return exists(filepath.Join(s.run, LinesSocket)) }); err != nil {
		return err
	}
	if !p.WithoutGuard {
		b.launch(&b.around, &process{name: "guard", program: p.program("doorguard"), restart: true, args: []string{"-board", s.boardFile, "-run", s.run}})
	}
	for _, f := range s.flats {
		b.launch(&b.around, &process{name: f.User, program: p.Sim, args: []string{
			"phone", "-user", f.User, "-listen", f.SIP.String(), "-api", f.API.String(), "-realm", Realm, "-accounts", s.accountsFile()}})
	}
	b.launch(&b.around, &process{name: "config", program: p.Sim, args: []string{
		"config", "-dir", s.configDir(), "-listen", s.config.String(), "-account", s.fetchAccountFile()}})
	for _, at := range append(b.apis(), s.config) {
		if err := b.ready("the process at "+at.String(), func() bool { return answers(at) }); err != nil {
			return err
		}
	}
	b.launch(&b.panel, &process{name: "panel", program: p.program("doorstationd"), restart: true, args: []string{
		"-board", s.boardFile, "-run", s.run, "-data", s.data, "-server", "http://" + s.config.String() + "/{mac}.yaml",
		"-allow-http", "-server-user", panelUser, "-server-password-file", s.fetchWordFile()}})
	b.launch(&b.panel, &process{name: "page", program: p.Sim, args: []string{
		"page", "-listen", s.page.String(), "-board", s.boardFile, "-run", s.run, "-phones", b.phoneFlag(),
		"-name", PanelName, "-hint", "The code of the main door is " + RightCode + "."}})
	return b.ready("the page", func() bool { return answers(s.page) })
}

// program finds a program of the panel.
func (p Params) program(name string) string {
	dir := p.Programs
	if dir == "" {
		dir = filepath.Dir(p.Sim)
	}
	return filepath.Join(dir, name)
}

// launch runs a process; its end, unless it was asked for, ends the building.
func (b *Building) launch(s *stage, p *process) {
	s.all.Go(func() {
		if err := p.run(s.ctx, b.out); err != nil {
			b.stop(err)
		}
	})
}

// ready waits until a process is there.
func (b *Building) ready(what string, there func() bool) error {
	limit := time.NewTimer(readyTime)
	defer limit.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return context.Cause(b.ctx)
		case <-limit.C:
			return fmt.Errorf("%s was not ready after %v", what, readyTime)
		case <-look.C:
			if there() {
				return nil
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func answers(at netip.AddrPort) bool {
	c, err := net.DialTimeout("tcp", at.String(), readyTime)
	if err != nil {
		return false
	}
	_ = c.Close() // it only knocked
	return true
}

func (b *Building) apis() []netip.AddrPort {
	var all []netip.AddrPort
	for _, f := range b.site.flats {
		all = append(all, f.API)
	}
	return all
}

// phoneFlag names the phones for the page.
func (b *Building) phoneFlag() string {
	flag := ""
	for i, f := range b.site.flats {
		if i > 0 {
			flag += ","
		}
		flag += f.Name + "=" + f.API.String()
	}
	return flag
}

// Page is the address that people open.
func (b *Building) Page() string { return "http://" + b.site.page.String() + "/" }

// Run is the folder of the panel's sockets.
func (b *Building) Run() string { return b.site.run }

// Wait returns when the building ends: nil when its starter's context did, else
// what failed.
func (b *Building) Wait(ctx context.Context) error {
	<-b.ctx.Done()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(b.ctx)
}

// Close ends every process, the panel first, and takes the folders away.
func (b *Building) Close() error {
	b.stop(context.Canceled)
	b.panel.end()
	b.around.end()
	b.lines.end()
	b.out.wait.Wait()
	return b.site.remove()
}
