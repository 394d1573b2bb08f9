//go:build cgo

package openh264

/*
#include <malloc.h>

// Runs before main, while there is one thread. glibc would give each thread that
// encodes a heap of its own, and keep in each what one encoder has needed: after
// some calls, several times the memory of a call.
__attribute__((constructor)) static void one_heap(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 128 * 1024); // pictures go back to the kernel at once
#endif
}

static void give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// giveBack returns to the kernel what a closed encoder has left in the C heap:
// some 3 MB at 640x480, which a panel that waits for a visitor has no use for.
func giveBack() { C.give_back() }
