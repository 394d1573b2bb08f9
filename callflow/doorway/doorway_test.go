package doorway

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var zero = time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)

// play lets a door live through steps such as "1.5s open" and gives its news,
// each with its time. The deadlines between the steps are kept.
func play(t *testing.T, d *Doorway, steps ...string) []string {
	t.Helper()
	var news []string
	tell := func(now time.Time, n News) {
		if n.What == Nothing {
			return
		}
		line := fmt.Sprintf("%v %s", now.Sub(zero), n.What)
		if n.After > 0 {
			line += fmt.Sprintf(" after %v", n.After)
		}
		news = append(news, line)
	}
	for _, step := range steps {
		at, what, _ := strings.Cut(step, " ")
		after, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		now := zero.Add(after)
		for due := d.Deadline(); !due.IsZero() && !due.After(now); due = d.Deadline() {
			tell(due, d.Tick(due))
		}
		switch what {
		case "closed", "open":
			tell(now, d.Contact(now, what == "open"))
		case "lost":
			d.Lost()
		case "release", "lock":
			d.Relay(now, what == "release")
		case "exit", "exit over":
			d.Exit(now, what == "exit")
		case "limit 10s":
			d.SetLimit(now, 10*time.Second)
		case "":
		default:
			t.Fatalf("what is %q?", what)
		}
	}
	return news
}

func TestDoorway(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps string
		news  string
		state State
	}{
		{"somebody is let in", "0s closed, 1s release, 2s open, 4s lock, 6s closed, 2m", "2s opened, 6s closed after 4s", Closed},
		{"pulled at the last moment", "0s closed, 1s release, 4s lock, 4.9s open, 8s closed", "4.9s opened, 8s closed after 3.1s", Closed},
		{"forced", "0s closed, 1s open, 5s closed", "1s forced, 5s closed after 4s", Closed},
		{"forced after a release", "0s closed, 1s release, 2s open, 3s closed, 4s lock, 6s open", "2s opened, 3s closed after 1s, 6s forced", Forced},
		{"twice through one release", "0s closed, 1s release, 2s open, 3s closed, 4s open, 5s closed, 6s lock, 20s", "2s opened, 3s closed after 1s, 4s opened, 5s closed after 1s", Closed},
		{"nobody went through", "0s closed, 1s release, 4s lock, 20s", "5s no-opener", Closed},
		{"a second release counts anew", "0s closed, 1s release, 4s lock, 4.9s release, 6s lock, 20s", "7s no-opener", Closed},
		{"held", "0s closed, 1s release, 2s open, 4s lock, 10m, 11m closed", "2s opened, 1m4s held after 1m2s, 11m0s closed after 10m58s", Closed},
		{"still held", "0s closed, 1s release, 2s open, 4s lock, 10m", "2s opened, 1m4s held after 1m2s", Held},
		{"a guest comes while it stands open", "0s closed, 1s release, 2s open, 4s lock, 50s release, 53s lock, 2m", "2s opened, 1m53s held after 1m51s", Held},
		{"forced, and never closed", "0s closed, 1s open, 10m", "1s forced, 1m1s held after 1m0s", Forced},
		{"found open", "0s open, 10m, 11m closed", "1m0s held after 1m0s, 11m0s closed after 11m0s", Closed},
		{"found closed", "0s closed, 10m", "", Closed},
		{"released while it stands open", "0s open, 1s release, 4s lock, 20s", "", Open},
		{"exit button with a relay", "0s closed, 1s exit, 1s release, 1.2s exit over, 2s open, 3s closed, 4s lock, 20s", "2s opened, 3s closed after 1s", Closed},
		{"exit button of a door with a handle", "0s closed, 1s exit, 1.2s exit over, 2s open, 3s closed, 20s", "2s opened, 3s closed after 1s", Closed},
		{"long after the exit button", "0s closed, 1s exit, 1.2s exit over, 2.2s open", "2.2s forced", Forced},
		{"the contact is lost and comes back", "0s closed, 1s release, 2s open, 4s lock, 5s lost, 3m, 3m open", "2s opened", Open},
		{"lost in a release", "0s closed, 1s release, 2s lost, 4s lock, 20s", "", Unknown},
		{"a contact that nobody tells of", "1s release, 4s lock, 10m", "", Unknown},
		{"a level told again", "0s closed, 1s closed, 2s release, 3s open, 4s open, 5s closed, 6s closed", "3s opened, 5s closed after 2s", Closed},
		{"an edge told again", "0s closed, 1s release, 2s release, 4s lock, 4.5s lock, 20s", "5s no-opener", Closed},
		{"a shorter limit", "0s open, 20s limit 10s, 10m", "30s held after 30s", Held},
		{"a limit for a door that was told of", "0s open, 2m limit 10s, 10m", "1m0s held after 1m0s", Held},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New(time.Minute)
			got := strings.Join(play(t, &d, strings.Split(c.steps, ", ")...), ", ")
			if got != c.news {
				t.Errorf("told %q, want %q", got, c.news)
			}
			if d.State() != c.state {
				t.Errorf("it is %q at the end, want %q", d.State(), c.state)
			}
			if d.State().Ajar() == d.Since().IsZero() {
				t.Errorf("%q since %v", d.State(), d.Since())
			}
		})
	}
}

func TestDoorWithoutLimit(t *testing.T) {
	var d Doorway
	if news := play(t, &d, "0s open", "24h", "24h closed"); !slices.Equal(news, []string{"24h0m0s closed after 24h0m0s"}) {
		t.Errorf("told %v", news)
	}
}

// TestRandomDoors knows three rules and none of the code: a door is forced
// exactly if nothing let it open in the last moment, is told of as standing open
// at most once for each opening, and never without a reason to look again.
func TestRandomDoors(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		d := New(10 * time.Second)
		d.Contact(zero, false)
		now, open, relay, exit, free, held := zero, false, false, false, time.Time{}, 0
		for step := range 200 {
			now = now.Add(time.Duration(rnd.IntN(3000)) * time.Millisecond)
			var n News
			switch rnd.IntN(4) {
			case 0:
				open = !open
				n = d.Contact(now, open)
				forced := !relay && !exit && !now.Before(free)
				if open && forced != (n.What == WasForced) || open && !forced != (n.What == WasOpened) || !open && n.What != WasClosed {
					t.Fatalf("seed %d step %d: open %v, forced %v, told %q", seed, step, open, forced, n.What)
				}
				if open {
					held = 0
				}
			case 1:
				if d.Relay(now, !relay); relay {
					free = now.Add(Grace)
				}
				relay = !relay
			case 2:
				if d.Exit(now, !exit); exit && now.Add(Grace).After(free) {
					free = now.Add(Grace)
				}
				exit = !exit
			case 3:
				due := d.Deadline()
				if n = d.Tick(now); (n.What != Nothing) != (!due.IsZero() && !now.Before(due)) {
					t.Fatalf("seed %d step %d: due %v, now %v, told %q", seed, step, due, now, n.What)
				}
				if n.What == StandsOpen {
					held++
				}
				if n.What == StandsOpen && !open || n.What == NeverOpened && open || held > 1 {
					t.Fatalf("seed %d step %d: open %v, told %q for the time %d", seed, step, open, n.What, held)
				}
			}
			if d.State().Ajar() != open {
				t.Fatalf("seed %d step %d: open %v, state %q", seed, step, open, d.State())
			}
		}
	}
}
