// Package listen opens the sockets that the launcher hands to its processes, as
// systemd does for a service: once, before anything starts, and for as long as
// the launcher lives (DESIGN 8).
package listen

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// Address is where to listen: a TCP port, or a unix socket where Path is set.
type Address struct {
	Host     netip.Addr
	Port     uint16
	SixOnly  bool // no IPv4 on an IPv6 socket
	Path     string
	relative bool
}

// longestPath is what sun_path of unix(7) holds, less the final NUL.
const longestPath = 107

// Parse reads one address: :3000, HOST:3000, tcp://HOST:3000, tcp4://, tcp6://,
// [::]:3000, unix:/run/app.sock, unix:///run/app.sock, /run/app.sock. HOST is an
// IP address, localhost, or * or nothing for every IPv4 address; [::] is IPv4
// too. Names are not looked up: a name server that does not answer must not keep
// the launcher from starting. A path with unix: may be relative (to be joined
// with In).
func Parse(text string) (Address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return parsePath(strings.TrimPrefix(path, "//"))
	}
	if strings.HasPrefix(text, "/") {
		return parsePath(text)
	}
	network, rest, schemed := strings.Cut(text, "://")
	if !schemed {
		network, rest = "tcp", text
	}
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return Address{}, fmt.Errorf("%q is neither tcp nor unix", network)
	}
	at := strings.LastIndexByte(rest, ':')
	if at < 0 {
		return Address{}, errors.New("there is no port")
	}
	port, err := strconv.ParseUint(rest[at+1:], 10, 16)
	if err != nil || port == 0 {
		return Address{}, fmt.Errorf("%q is no port", rest[at+1:])
	}
	host, err := parseHost(network, rest[:at])
	return Address{Host: host, Port: uint16(port), SixOnly: network == "tcp6"}, err
}

func parseHost(network, text string) (netip.Addr, error) {
	switch {
	case (text == "" || text == "*") && network == "tcp6":
		return netip.IPv6Unspecified(), nil
	case text == "", text == "*":
		return netip.IPv4Unspecified(), nil
	case text == "localhost" && network == "tcp6":
		return netip.IPv6Loopback(), nil
	case text == "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	inner, bracketed := strings.CutPrefix(text, "[")
	host, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
	switch {
	case err != nil, bracketed != host.Is6(), host.Zone() != "":
		return host, fmt.Errorf("%q is no IP address", text)
	case network == "tcp4" && host.Is6(), network == "tcp6" && host.Is4():
		return host, fmt.Errorf("%q is no address of %s", text, network)
	}
	return host, nil
}

func parsePath(path string) (Address, error) {
	switch {
	case path == "" || strings.HasSuffix(path, "/"):
		return Address{}, fmt.Errorf("%q is no path of a socket", path)
	case strings.HasPrefix(path, "@"):
		return Address{}, errors.New("an abstract socket can be reached by everybody")
	case strings.ContainsRune(path, 0):
		return Address{}, errors.New("a path holds no NUL")
	}
	return Address{Path: path, relative: !filepath.IsAbs(path)}, nil
}

// In is the address for a launcher that works in dir.
func (a Address) In(dir string) Address {
	if a.relative {
		a.Path, a.relative = filepath.Join(dir, a.Path), false
	}
	return a
}

// String is the address as puma writes it: tcp://0.0.0.0:3000, unix:///run/app.sock.
func (a Address) String() string {
	if a.Path != "" {
		return "unix://" + a.Path
	}
	return "tcp://" + netip.AddrPortFrom(a.Host, a.Port).String()
}

// Name tells the socket among others in LISTEN_FDNAMES, which knows no colon:
// its port, or the last part of its path.
func (a Address) Name() string {
	if a.Path == "" {
		return strconv.Itoa(int(a.Port))
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ':' {
			return '_'
		}
		return r
	}, filepath.Base(a.Path))
}
