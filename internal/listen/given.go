package listen

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// firstGiven is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstGiven = 3

// Given are the sockets that the service manager has handed to us (LISTEN_FDS
// and LISTEN_FDNAMES, where LISTEN_PID is pid); lookup reads the environment.
// They are closed at an exec from then on, until they are handed over.
func Given(lookup func(string) string, pid int) ([]Socket, error) {
	count := lookup("LISTEN_FDS")
	if count == "" || lookup("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1024 {
		return nil, fmt.Errorf("LISTEN_FDS: %q is no number of sockets", count)
	}
	names := strings.Split(lookup("LISTEN_FDNAMES"), ":")
	var given []Socket
	for i := range n {
		fd := firstGiven + i
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			return nil, fmt.Errorf("LISTEN_FDS=%d, and descriptor %d: %w", n, fd, err)
		}
		one := Socket{FD: fd, Name: "unknown", Addr: addressOf(fd)}
		if i < len(names) && names[i] != "" {
			one.Name = names[i]
		}
		given = append(given, one)
	}
	return given, nil
}

// addressOf is "" for what does not listen: a datagram socket, a FIFO.
func addressOf(fd int) string {
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listens == 0 {
		return ""
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return ""
	}
	switch to := name.(type) {
	case *unix.SockaddrInet4:
		return Address{Host: netip.AddrFrom4(to.Addr), Port: uint16(to.Port)}.String()
	case *unix.SockaddrInet6:
		return Address{Host: netip.AddrFrom16(to.Addr), Port: uint16(to.Port)}.String()
	case *unix.SockaddrUnix:
		return Address{Path: to.Name}.String()
	}
	return ""
}
