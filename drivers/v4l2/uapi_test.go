package v4l2

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"unsafe"
)

// A compiler is that of a machine that the project is built for; packages of
// Debian have it.
type compiler struct {
	program, packages string
	word              uintptr
}

var compilers = []compiler{
	{"cc", "gcc libc6-dev", 8},
	{"arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross", 4},
	{"aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross", 8},
}

// A figure is one of linux/videodev2.h, as Go has it on the machine that runs
// the test, and on 32 and on 64 bit.
type figure struct {
	c                  string
	here, bit32, bit64 uintptr
}

func same(c string, is uintptr) figure { return figure{c, is, is, is} }

func figures() []figure {
	var b buffer
	return []figure{
		{"sizeof(struct v4l2_buffer)", unsafe.Sizeof(b), 80, 88},
		{"sizeof(struct v4l2_format)", unsafe.Sizeof(format{}), 204, 208},
		{"offsetof(struct v4l2_format, fmt)", unsafe.Offsetof(format{}.pix), 4, 8},
		{"offsetof(struct v4l2_buffer, length)", unsafe.Offsetof(b.length), 68, 72},
		{"VIDIOC_QUERYBUF", ioctlQueryBuf, 0xc0505609, 0xc0585609},
		{"VIDIOC_QBUF", ioctlQBuf, 0xc050560f, 0xc058560f},
		{"VIDIOC_DQBUF", ioctlDQBuf, 0xc0505611, 0xc0585611},
		{"VIDIOC_S_FMT", ioctlSetFmt, 0xc0cc5605, 0xc0d05605},
		same("offsetof(struct v4l2_buffer, timestamp.tv_sec)", unsafe.Offsetof(b.seconds)),
		same("offsetof(struct v4l2_buffer, timestamp.tv_usec)", unsafe.Offsetof(b.micros)),
		same("offsetof(struct v4l2_buffer, timecode)", unsafe.Offsetof(b.timecode)),
		same("offsetof(struct v4l2_buffer, sequence)", unsafe.Offsetof(b.sequence)),
		same("offsetof(struct v4l2_buffer, memory)", unsafe.Offsetof(b.memory)),
		same("offsetof(struct v4l2_buffer, m.offset)", unsafe.Offsetof(b.offset)),
		same("sizeof(struct v4l2_capability)", unsafe.Sizeof(capability{})),
		same("offsetof(struct v4l2_capability, device_caps)", unsafe.Offsetof(capability{}.deviceCaps)),
		same("sizeof(struct v4l2_fmtdesc)", unsafe.Sizeof(formatDescription{})),
		same("offsetof(struct v4l2_fmtdesc, pixelformat)", unsafe.Offsetof(formatDescription{}.pixelFormat)),
		same("sizeof(struct v4l2_pix_format)", unsafe.Sizeof(pixelFormat{})),
		same("offsetof(struct v4l2_pix_format, bytesperline)", unsafe.Offsetof(pixelFormat{}.bytesPerLine)),
		same("sizeof(struct v4l2_streamparm)", unsafe.Sizeof(streamParameters{})),
		same("offsetof(struct v4l2_streamparm, parm.capture.timeperframe.denominator)", unsafe.Offsetof(streamParameters{}.denominator)),
		same("sizeof(struct v4l2_requestbuffers)", unsafe.Sizeof(requestBuffers{})),
		same("sizeof(struct v4l2_control)", unsafe.Sizeof(control{})),
		same("VIDIOC_QUERYCAP", ioctlQueryCap), same("VIDIOC_ENUM_FMT", ioctlEnumFmt),
		same("VIDIOC_REQBUFS", ioctlReqBufs), same("VIDIOC_STREAMON", ioctlStreamOn),
		same("VIDIOC_STREAMOFF", ioctlStreamOff), same("VIDIOC_S_PARM", ioctlSetParm), same("VIDIOC_S_CTRL", ioctlSetCtrl),
		same("V4L2_BUF_TYPE_VIDEO_CAPTURE", typeCapture), same("V4L2_MEMORY_MMAP", memoryMapped), same("V4L2_FIELD_NONE", fieldNone),
		same("V4L2_CAP_VIDEO_CAPTURE", capCapture), same("V4L2_CAP_STREAMING", capStreaming), same("V4L2_CAP_DEVICE_CAPS", capDeviceCaps),
		same("V4L2_BUF_FLAG_ERROR", flagError), same("V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC", flagMonotonic),
		same("V4L2_BUF_FLAG_TIMESTAMP_MASK", flagClockMask),
		same("V4L2_CID_MPEG_VIDEO_BITRATE", ctrlBitrate), same("V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME", ctrlForceKey),
		same("V4L2_CID_MPEG_VIDEO_H264_PROFILE", ctrlProfile),
		same("V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE", profileConBase),
		same("V4L2_PIX_FMT_YUYV", formatYUYV), same("V4L2_PIX_FMT_NV12", formatNV12), same("V4L2_PIX_FMT_YUV420", formatYU12),
		same("V4L2_PIX_FMT_MJPEG", formatMJPEG), same("V4L2_PIX_FMT_H264", formatH264),
	}
}

// The sizes that depend on the machine: go vet for another one finds a wrong
// one without running there.
var (
	_ = [1]int{}[unsafe.Sizeof(buffer{})-(80+2*(word-4))]
	_ = [1]int{}[unsafe.Sizeof(format{})-(204+(word-4))]
)

// TestAgainstC lets C compilers for 32 and 64 bit, with 64-bit times, compare
// our figures with the kernel's headers.
func TestAgainstC(t *testing.T) {
	sources := map[uintptr]string{4: "", 8: ""}
	for _, f := range figures() {
		bits := map[uintptr]uintptr{4: f.bit32, 8: f.bit64}
		if f.here != bits[word] {
			t.Errorf("%s is %d here, want %d", f.c, f.here, bits[word])
		}
		for word, want := range bits {
			sources[word] += fmt.Sprintf("_Static_assert((unsigned int)(%s) == %du, %q);\n", f.c, want, fmt.Sprint(f.c, " is not ", want))
		}
	}
	for _, c := range compilers {
		cmd := exec.Command(c.program, "-D_TIME_BITS=64", "-D_FILE_OFFSET_BITS=64", "-fsyntax-only", "-x", "c", "-")
		cmd.Stdin = strings.NewReader("#include <stddef.h>\n#include <sys/time.h>\n#include <linux/videodev2.h>\n" + sources[c.word])
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v (apt-get install %s)\n%s", c.program, err, c.packages, out)
		}
	}
}
