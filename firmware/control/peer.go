package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A peer is the process at the other end of a connection, as the kernel knew
// it when it connected.
type peer struct {
	uid, gid uint32
	err      error // the kernel did not tell
}

type peerKey struct{}

// withPeer asks the kernel who has connected (SO_PEERCRED, unix(7)).
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, readPeer(conn))
}

func readPeer(conn net.Conn) peer {
	sock, ok := conn.(*net.UnixConn)
	if !ok {
		return peer{err: errors.New("not a unix socket")}
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return peer{err: err}
	}
	var cred *unix.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, asked); err != nil {
		return peer{err: err}
	}
	return peer{uid: cred.Uid, gid: cred.Gid}
}

// String is what is recorded with a command: "uid 1000 (name)".
func (p peer) String() string {
	if p.err != nil {
		return "unknown user"
	}
	id := strconv.FormatUint(uint64(p.uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return fmt.Sprintf("uid %s (%s)", id, u.Username)
	}
	return "uid " + id
}

// admit says whether the peer may use the panel: root, the daemon's own user,
// and members of group unless that is 0.
func (p peer) admit(group int) error {
	switch {
	case p.err != nil:
		return Refuse(Denied, "the kernel did not tell who asks: %v", p.err)
	case p.uid == 0 || int(p.uid) == os.Geteuid():
		return nil
	case group != 0 && (int(p.gid) == group || p.member(strconv.Itoa(group))):
		return nil
	}
	return Refuse(Denied, "%v may not control this panel: ask as root, as the daemon's own user, or as a member of its control group", p)
}

// member looks into the group file, since SO_PEERCRED tells the first group
// alone.
func (p peer) member(group string) bool {
	u, err := user.LookupId(strconv.FormatUint(uint64(p.uid), 10))
	if err != nil {
		return false
	}
	groups, err := u.GroupIds()
	return err == nil && slices.Contains(groups, group)
}
