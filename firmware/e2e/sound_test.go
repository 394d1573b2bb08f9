package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"testing"
)

// rate is the sample rate of all sound here, in Hz.
const rate = 8000

// readWav reads the samples of a mono 16-bit WAV file. Its writer may not have
// filled in the lengths yet; the data then goes to the file's end.
func readWav(path string) ([]int16, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	samples, err := wavSamples(raw)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return samples, nil
}

// wavSamples is readWav for what is in the file.
func wavSamples(raw []byte) ([]int16, error) {
	if len(raw) < 44 || string(raw[:4]) != "RIFF" {
		return nil, errors.New("is no WAV file yet")
	}
	for at := 12; at+8 <= len(raw); {
		size := int(binary.LittleEndian.Uint32(raw[at+4:]))
		body := raw[at+8:]
		if string(raw[at:at+4]) != "data" {
			at += 8 + size + size&1
			continue
		}
		if size == 0 || size > len(body) {
			size = len(body)
		}
		samples := make([]int16, size/2)
		for i := range samples {
			samples[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
		}
		return samples, nil
	}
	return nil, errors.New("has no samples")
}

// writeWav writes samples as a mono 16-bit WAV file.
func writeWav(t testing.TB, path string, samples []int16) {
	t.Helper()
	if err := os.WriteFile(path, wav(samples), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wav is a mono 16-bit WAV file of samples.
func wav(samples []int16) []byte {
	order := binary.LittleEndian
	data := 2 * len(samples)
	out := append(make([]byte, 0, 44+data), "RIFF"...)
	out = order.AppendUint32(out, uint32(36+data))
	out = append(out, "WAVEfmt "...)
	out = order.AppendUint32(out, 16)
	out = order.AppendUint16(out, 1) // PCM
	out = order.AppendUint16(out, 1) // channels
	out = order.AppendUint32(out, rate)
	out = order.AppendUint32(out, 2*rate)
	out = order.AppendUint16(out, 2)
	out = order.AppendUint16(out, 16)
	out = append(out, "data"...)
	out = order.AppendUint32(out, uint32(data))
	for _, v := range samples {
		out = order.AppendUint16(out, uint16(v))
	}
	return out
}

// share is the part of the power of samples that lies at hz (Goertzel over a
// Hann window), from 0 to 1. A pure tone gives about 1.
func share(samples []int16, hz float64) float64 {
	n := float64(len(samples))
	k := 2 * math.Cos(2*math.Pi*hz/rate)
	var s1, s2, power, weights float64
	for i, v := range samples {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/n)
		x := float64(v) * w
		s1, s2 = x+k*s1-s2, s1
		power += x * x
		weights += w
	}
	if power == 0 {
		return 0
	}
	// A sine of amplitude a gives |X| = a·Σw/2 and Σ(x²) = a²/2·Σw².
	const hann = 1.5 // n·Σw²/(Σw)² of a Hann window
	magnitude := s1*s1 + s2*s2 - k*s1*s2
	return magnitude / power * 2 * hann / n
}

// loudness is the root mean square of samples.
func loudness(samples []int16) float64 {
	if len(samples) == 0 {
		return 0
	}
	var sum float64
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(samples)))
}

// toneSeconds says for how many seconds, in steps of 0.1, a tone of hz is the
// greater part of what is heard.
func toneSeconds(samples []int16, hz float64) float64 {
	const step = rate / 10
	found := 0
	for at := 0; at+step <= len(samples); at += step {
		window := samples[at : at+step]
		if loudness(window) > 100 && share(window, hz) > 0.5 {
			found++
		}
	}
	return float64(found) / 10
}

// wantTone fails unless hz is heard for half a second or more.
func wantTone(t testing.TB, what string, samples []int16, hz float64) {
	t.Helper()
	if got := toneSeconds(samples, hz); got < 0.5 {
		t.Errorf("%s: a tone of %.0f Hz for %.1f s in %s, want at least 0.5 s", what, hz, got, describe(samples))
	}
}

// wantNoTone fails when hz is heard at all.
func wantNoTone(t testing.TB, what string, samples []int16, hz float64) {
	t.Helper()
	if got := toneSeconds(samples, hz); got > 0 {
		t.Errorf("%s: a tone of %.0f Hz for %.1f s in %s, want none", what, hz, got, describe(samples))
	}
}

func describe(samples []int16) string {
	return fmt.Sprintf("%.1f s of sound with an RMS of %.0f", float64(len(samples))/rate, loudness(samples))
}

// sine makes seconds of a tone with amplitude 8000.
func sine(hz, seconds float64) []int16 {
	samples := make([]int16, int(seconds*rate))
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return samples
}

func TestToneMeasure(t *testing.T) {
	tone := sine(440, 1)
	if got := share(tone, 440); math.Abs(got-1) > 0.05 {
		t.Errorf("share of a pure tone is %.3f, want about 1", got)
	}
	if got := share(tone, 520); got > 0.01 {
		t.Errorf("share beside a pure tone is %.3f, want about 0", got)
	}
	if got := toneSeconds(tone, 440); got != 1 {
		t.Errorf("a second of tone is found for %.1f s", got)
	}
	if got := toneSeconds(make([]int16, rate), 440); got != 0 {
		t.Errorf("silence has a tone for %.1f s", got)
	}
}
