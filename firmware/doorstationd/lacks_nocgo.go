//go:build !cgo

package main

// missing is what this build lacks.
var missing = []string{"H.264 encoder (built without cgo): phones get sound, but no picture", "ALSA sound (built without cgo): calls of a panel with a sound card are silent"}
