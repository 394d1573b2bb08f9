package tone

import "math"

// Power measures how much of samples is a tone of freq Hz, by Goertzel's
// algorithm: 1 for a full-scale sine of that frequency, 0 for silence. It
// resolves about Rate/len(samples) Hz.
func Power(samples []int16, freq float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	coeff := 2 * math.Cos(2*math.Pi*freq/Rate)
	var s1, s2 float64
	for _, x := range samples {
		s1, s2 = float64(x)/math.MaxInt16+coeff*s1-s2, s1
	}
	n := float64(len(samples))
	return 4 * (s1*s1 + s2*s2 - coeff*s1*s2) / (n * n)
}
