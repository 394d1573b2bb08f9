package control

import (
	"testing"
	"time"
)

func TestWordsOfAPhone(t *testing.T) {
	day := time.Date(2026, 11, 22, 18, 2, 0, 0, time.Local)
	for want, p := range map[string]Phone{
		"":                               {},
		"early picture since 2026-11-22": {Takes: PreviewEarly, Since: day},
		"picture by a first answer since 2026-11-22":                   {Takes: PreviewFirst, Since: day},
		"no preview since 2026-11-22":                                  {Takes: PreviewNone, Since: day},
		"sound alone since 2026-11-21":                                 {Sound: day.AddDate(0, 0, -1)},
		"sound alone since 2026-11-21, still picture since 2026-11-22": {Takes: PreviewStill, Since: day, Sound: day.AddDate(0, 0, -1)},
	} {
		if got := p.Words(time.DateOnly); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}
