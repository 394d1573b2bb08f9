//go:build cgo

package main

// missing is what this build lacks.
var missing []string
