package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds each thing that the tests wait for; it is no measure of speed.
const patience = 40 * time.Second

// startBuilding runs `sim run` and gives the address that it prints.
func startBuilding(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(built, "sim"), "run", "-listen", "127.0.0.1:0", "-board", filepath.Join("..", "..", "board", "sim.yaml"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the building did not end in order: %v", err)
		}
	})
	address := regexp.MustCompile(`http://\S+`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := address.FindString(lines.Text()); found != "" {
			return found
		}
	}
	t.Fatal("sim run printed no address")
	return ""
}

// A browser is a page in a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func openBrowser(t *testing.T, address string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium here; install it: apt-get install -y chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("mute-audio", false),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.WindowSize(1320, 1240))
	var listening sync.WaitGroup
	t.Cleanup(listening.Wait) // after the browser has ended
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	b := &browser{t: t, ctx: ctx}
	// The first action starts the browser, which must outlive every step.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	listening.Go(b.listen)
	b.do("open the page", chromedp.Navigate(address), chromedp.WaitVisible(`[data-button="button1"]`))
	return b
}

// listen fails the test for every error that the page meets.
func (b *browser) listen() {
	for e, err := range chromedp.Events(b.ctx, runtime.ExceptionThrown) {
		if err != nil {
			return // the browser has ended
		}
		what := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			what += " " + x.Description
		}
		b.t.Errorf("the page failed: %s", what)
	}
}

// do runs actions, or fails naming the step.
func (b *browser) do(step string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v\n%s", step, err, b.words())
	}
}

// words is what the page says, for a report.
func (b *browser) words() string {
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// until waits for an expression to become true.
func (b *browser) until(step, expression string) {
	b.t.Helper()
	b.do(step, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(30*time.Millisecond), chromedp.WithPollingTimeout(patience)))
}

// moving waits until the canvas has shown pictures that differ.
func (b *browser) moving(step string) {
	b.t.Helper()
	b.until(step, `(() => {
		const c = document.getElementById('picture');
		if (Number(c.dataset.frames) < 8) return false;
		const now = c.toDataURL();
		window.seenPictures ??= new Set();
		window.seenPictures.add(now);
		return window.seenPictures.size >= 3;
	})()`)
	b.do(step, chromedp.Evaluate[chromedp.Void](`delete window.seenPictures`))
}

// picturePort is where the phone receives the picture, as the page tells it.
func (b *browser) picturePort() int {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	port, err := chromedp.Run(ctx, chromedp.Evaluate[int](`Number(/on port (\d+)/.exec(document.getElementById('count').textContent)[1])`))
	if err != nil {
		b.t.Fatalf("picture's port: %v", err)
	}
	return port
}

// keep takes a picture of the whole page.
func (b *browser) keep(name string) {
	b.t.Helper()
	dir := os.Getenv("DOORSTATION_ARTEFACTS")
	if dir == "" {
		dir = b.t.ArtifactDir()
	}
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err := errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// dark makes the page believe that its person likes it dark.
func dark() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		})
		return err
	})
}

func TestPage(t *testing.T) {
	b := openBrowser(t, startBuilding(t))
	b.until("the panel is ready", `document.getElementById('state').dataset.state === 'idle' && document.getElementById('panel-note').textContent.startsWith('registered · guard connected')`)
	b.keep("page-idle")

	b.do("press with the mouse", chromedp.Click(`[data-button="button1"]`))
	b.until("the phone rings", `document.getElementById('phone').dataset.state === 'ringing'`)
	b.until("the calling lamp is lit", `document.querySelector('[data-lamp=calling]').dataset.lit === 'true'`)
	b.moving("the picture moves before the answer")
	b.until("the speaker plays ringback", `/ringing tone \(tone of \d+ Hz\)/.test(document.getElementById('plays').textContent)`)
	b.until("the speaker is heard in the browser", `Number(document.getElementById('hear-door').dataset.heard) > 10`)
	b.keep("page-ringing")

	b.do("answer", chromedp.Click(`#answer`))
	b.until("sound is agreed", `!document.querySelector('[data-key="1"]').disabled`)
	b.moving("the picture moves after the answer")

	// The picture comes from the phone's RTP port and from nowhere else.
	unblock := block(t, b.picturePort())
	b.until("the picture stops", `document.getElementById('veil').textContent === 'the picture has stopped' && document.getElementById('phone').dataset.state === 'talking'`)
	unblock()
	b.until("the picture goes on", `document.getElementById('veil').hidden`)
	b.moving("the picture moves again")

	b.until("the sample speaks", `document.getElementById('voice').textContent.startsWith('A spoken sample')`)
	b.until("the sample is heard in the flat", `Number(document.getElementById('hear-flat').dataset.heard) > 10`)
	b.do("lend the microphone to the visitor", chromedp.Click(`#speak-door`))
	b.until("the microphone speaks", `document.getElementById('voice').textContent.startsWith('Your microphone')`)
	b.do("and to the resident", chromedp.Click(`#speak-flat`))
	b.until("the sample speaks again", `document.getElementById('voice').textContent.startsWith('A spoken sample') && document.getElementById('speak-flat').getAttribute('aria-pressed') === 'true'`)
	b.do("type the code on the keyboard", chromedp.KeyEvent("2580"))
	b.until("the relay is drawn open", `document.querySelector('.door.main').dataset.open === 'true'`)
	b.until("the door leaf stands open", `document.querySelector('.door.main .leaf').getAnimations().length === 0`)
	b.do("open the door", chromedp.Click(`[data-push=door1]`))
	b.until("the leaf stands open", `document.querySelector('.door.main').dataset.leaf === 'open' && document.querySelector('.door.main .leaf').getAnimations().length === 0 && document.querySelector('[data-push=door1]').textContent === 'Push it shut'`)
	b.keep("page-open")
	b.do("and close it", chromedp.Click(`[data-push=door1]`))
	b.until("the leaf is closed", `document.querySelector('.door.main').dataset.leaf === 'closed'`)
	b.until("the relay is drawn closed", `document.querySelector('.door.main').dataset.open === 'false'`)
	b.do("hang up", chromedp.Click(`#hangup`))
	b.until("the phone is idle", `document.getElementById('phone').dataset.state === 'idle'`)
	b.until("the timeline shows the call", `document.querySelectorAll('#list li').length === 1 && document.querySelector('.timeline .span.open') && /talked, door opened/.test(document.getElementById('list').textContent)`)
	b.keep("page-after")

	b.do("leave by the exit button", chromedp.Click(`[data-exit=door1]`))
	b.until("the guard alone draws the relay", `document.querySelector('.door.main').dataset.open === 'true'`)
	b.until("the relay is drawn closed again", `document.querySelector('.door.main').dataset.open === 'false'`)
	b.until("nobody left", `/released/.test(document.getElementById('list').textContent) && /the door never moved/.test(document.querySelector('.why').textContent)`)
	b.do("force the door", chromedp.Click(`[data-push=door1]`))
	b.until("the panel says so", `/^forced/.test(document.querySelector('.door.main figcaption span').textContent) && /door forced/.test(document.getElementById('list').textContent)`)
	b.do("close it, and take the cover off", chromedp.Click(`[data-push=door1]`), chromedp.Click(`#cover`))
	b.until("the doors are blocked", `/the cover is off · doors blocked for another \d+ s/.test(document.getElementById('warning').textContent)`)
	b.keep("page-cover")
	b.do("the exit button opens nothing now", chromedp.Click(`[data-exit=door1]`))
	b.until("it is recorded why", `/not released/.test(document.getElementById('list').textContent)`)
	b.until("the relay stays at rest", `document.querySelector('.door.main').dataset.open === 'false'`)
	b.do("put the cover back", chromedp.Click(`#cover`))
	b.until("it is recorded", `/cover put back/.test(document.getElementById('list').textContent)`)

	b.do("ring flat 2 with the keyboard", chromedp.Focus(`[data-button="button2"]`), chromedp.KeyEvent(kb.Enter))
	b.until("the phone of flat 2 rings", `document.querySelectorAll('#flats button')[1].getAttribute('aria-pressed') === 'true' && document.getElementById('phone').dataset.state === 'ringing'`)
	b.moving("flat 2 has a picture")
	b.do("decline with the keyboard", chromedp.Focus(`#hangup`), chromedp.KeyEvent(" "))
	b.until("the call is recorded as declined", `/declined/.test(document.getElementById('list').textContent)`)

	b.do("phone width, dark", dark(),
		chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	b.until("nothing is wider than a phone", `document.documentElement.scrollWidth <= 390`)
	b.keep("page-narrow-dark")
}
