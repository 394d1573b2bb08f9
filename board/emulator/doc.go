// Package emulator runs the firmware on an emulated ARM board: a stock Debian
// kernel under QEMU, whose buttons are pressed and whose outputs are watched
// from outside the guest, at the pins of the GPIO controller.
//
// Fetch downloads a kernel and a small userland once, Build packs the initial
// RAM disk, and Boot starts a Machine. Nothing inside the guest takes part in
// what Press and Watch do, so they tell the truth also while the guest hangs,
// starts or dies.
package emulator
