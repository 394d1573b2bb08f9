// Package e2e has no code of the firmware. Its tests run the built programs
// against real peers: Kamailio, baresip, SIPp, coturn, nginx, ffmpeg, Chromium.
//
// The test binary starts itself again in a user, network, mount and process
// namespace of its own, so no test needs root, meets another's ports, or leaves
// a process behind. Each test has a street of its own: a bridge, and one
// network namespace per host on it.
package e2e
