//go:build cgo

package alsa

/*
#cgo LDFLAGS: -ldl

#include <dlfcn.h>
#include <stdlib.h>

// What we use of libasound.so.2. It is loaded when a card is wanted: a panel
// without sound needs no such file. Names and numbers are those of ALSA's
// application interface, which has been the same since 1.0.
enum { CAPTURE = 1, NONBLOCK = 1, S16_LE = 2, RW_INTERLEAVED = 3 };

typedef struct {
	void *file;
	int (*open)(void **pcm, const char *name, int stream, int mode);
	int (*set_params)(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency);
	int (*get_params)(void *pcm, unsigned long *buffer, unsigned long *period);
	int (*wait)(void *pcm, int ms);
	int (*start)(void *pcm);
	int (*recover)(void *pcm, int code, int silent);
	int (*close)(void *pcm);
	long (*readi)(void *pcm, void *frames, unsigned long n);
	long (*writei)(void *pcm, const void *frames, unsigned long n);
	const char *(*strerror)(int code);
	int (*free_config)(void);
	int (*set_error_handler)(void (*handler)(const char *, int, const char *, int, const char *, ...));
} alsa;

// The library's own words would go to standard error.
static void quiet(const char *file, int line, const char *function, int code, const char *format, ...) {}

static alsa *alsa_load(void) {
	alsa *a = calloc(1, sizeof *a);
	if (!a || !(a->file = dlopen("libasound.so.2", RTLD_NOW | RTLD_LOCAL))) {
		free(a);
		return 0;
	}
	struct { void *to; const char *name; } symbols[] = {
		{&a->open, "snd_pcm_open"}, {&a->set_params, "snd_pcm_set_params"}, {&a->get_params, "snd_pcm_get_params"},
		{&a->wait, "snd_pcm_wait"}, {&a->start, "snd_pcm_start"}, {&a->recover, "snd_pcm_recover"},
		{&a->close, "snd_pcm_close"}, {&a->readi, "snd_pcm_readi"}, {&a->writei, "snd_pcm_writei"},
		{&a->strerror, "snd_strerror"}, {&a->free_config, "snd_config_update_free_global"},
		{&a->set_error_handler, "snd_lib_error_set_handler"},
	};
	for (int i = 0; i < (int)(sizeof symbols / sizeof *symbols); i++)
		if (!(*(void **)symbols[i].to = dlsym(a->file, symbols[i].name))) {
			dlclose(a->file);
			free(a);
			return 0;
		}
	a->set_error_handler(quiet);
	return a;
}

static void alsa_unload(alsa *a) {
	a->set_error_handler(0);
	a->free_config(); // which it has read for itself
	dlclose(a->file);
	free(a);
}

// Opens one direction of a device; buffer is how many frames it then holds.
static int alsa_open(alsa *a, void **pcm, const char *name, int capture, unsigned rate, unsigned latency, unsigned long *buffer) {
	unsigned long period;
	int code = a->open(pcm, name, capture ? CAPTURE : 0, NONBLOCK);
	if (code < 0)
		return code;
	if ((code = a->set_params(*pcm, S16_LE, RW_INTERLEAVED, 1, rate, 1, latency)) < 0 ||
		(code = a->get_params(*pcm, buffer, &period)) < 0)
		a->close(*pcm);
	return code;
}

static long alsa_move(alsa *a, void *pcm, int capture, void *frames, unsigned long n) {
	return capture ? a->readi(pcm, frames, n) : a->writei(pcm, frames, n);
}

static int alsa_wait(alsa *a, void *pcm, int ms) { return a->wait(pcm, ms); }
static int alsa_start(alsa *a, void *pcm) { return a->start(pcm); }
static int alsa_recover(alsa *a, void *pcm, int code) { return a->recover(pcm, code, 1); }
static void alsa_close(alsa *a, void *pcm) { a->close(pcm); }
static const char *alsa_strerror(alsa *a, int code) { return a->strerror(code); }
*/
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"doorstation/drivers"
)

// A library is libasound, loaded.
type library struct{ a *C.alsa }

var errNoLibrary = errors.New("libasound.so.2 is missing, or too old")

func loadLibrary() (*library, error) {
	a := C.alsa_load()
	if a == nil {
		return nil, errNoLibrary
	}
	return &library{a}, nil
}

// close unloads the library; its streams are closed before.
func (l *library) close() { C.alsa_unload(l.a) }

// describe is what the library says of an error number, which is negative.
func (l *library) describe(code int) error {
	return fmt.Errorf("%s (%d)", C.GoString(C.alsa_strerror(l.a, C.int(code))), code)
}

// A stream is one direction of a device: 8000 Hz, mono, converted where the
// device has something else. It is a pcm.
type stream struct {
	lib     *library
	pcm     unsafe.Pointer
	capture C.int
	frames  int // it holds
}

// openStream opens one direction of a device.
func (l *library) openStream(device string, capture bool) (*stream, error) {
	name := C.CString(device)
	defer C.free(unsafe.Pointer(name))
	s := &stream{lib: l}
	if capture {
		s.capture = 1
	}
	var buffer C.ulong
	latency := C.uint((depth * drivers.FrameTime).Microseconds())
	if code := C.alsa_open(l.a, &s.pcm, name, s.capture, drivers.SampleRate, latency, &buffer); code < 0 {
		return nil, l.describe(int(code))
	}
	s.frames = int(buffer)
	return s, nil
}

func (s *stream) move(samples []int16) int {
	if len(samples) == 0 {
		return 0
	}
	return int(C.alsa_move(s.lib.a, s.pcm, s.capture, unsafe.Pointer(&samples[0]), C.ulong(len(samples))))
}

func (s *stream) wait(d time.Duration) int {
	return int(C.alsa_wait(s.lib.a, s.pcm, C.int(d.Milliseconds())))
}

func (s *stream) start() int           { return int(C.alsa_start(s.lib.a, s.pcm)) }
func (s *stream) recover(code int) int { return int(C.alsa_recover(s.lib.a, s.pcm, C.int(code))) }
func (s *stream) holds() int           { return s.frames }
func (s *stream) close()               { C.alsa_close(s.lib.a, s.pcm) }
