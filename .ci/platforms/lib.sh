# shellcheck shell=bash
# What the platform tests beside this file share. Each begins with
#
#	. "$(dirname "$0")/lib.sh"
#
# and is run as `.ci/platforms/NAME.sh`, by root, on Debian. It says a line for
# each thing that it asserts, and ends with 1 at the first that is not so. What
# takes long to make is kept in $PLAT; the rest is in $WORK, and goes with it.
set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TEST=$(basename "$0" .sh)
# Kept from run to run, and good for several at once.
export PLAT=${PLAT:-${XDG_CACHE_HOME:-$HOME/.cache}/launcher-platforms}
# Of this run alone.
WORK=${PLATFORM_WORK:-}
export LC_ALL=C.UTF-8

say() { printf '%s: %s\n' "$TEST" "$*"; }

# ok WHAT: it is so.
ok() { printf '%s: ok: %s (%d s)\n' "$TEST" "$*" "$SECONDS"; }

# fail WHY...: the end, with 1. A further line is a file of which the end is shown.
fail() {
	printf '%s: FAILED: %s\n' "$TEST" "$1" >&2
	shift
	for file; do
		printf -- '--- %s\n' "$file" >&2
		tail -n 40 -- "$file" >&2 || true
	done
	exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
set -E

# within SECONDS COMMAND...: until it succeeds; 1 when it never does. For what
# another program does in its own time and tells nobody of.
within() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.1
	done
}

# same GOT WANT WHAT
same() {
	[ "$1" = "$2" ] || fail "$3: got '$1', want '$2'"
	ok "$3"
}

# need PACKAGE...: installs those that are missing. Nothing that is installed
# starts itself. Before in_private, which has no way out to the mirror.
need() {
	[ "$(id -u)" = 0 ] || fail "must be root"
	locked packages "$TOP/.ci/setup" "$@" || fail "cannot install $*"
}

# locked NAME COMMAND...: one at a time of those that share $PLAT.
locked() {
	mkdir -p "$PLAT"
	(
		flock 9
		shift
		"$@" 9>&-
	) 9>"$PLAT/lock-$1"
}

# in_private: makes $WORK, and runs the script again with mounts, a network and
# processes of its own, so that none is the machine's and all go with it. There is
# no way out to the module proxy either.
in_private() {
	if [ -z "$WORK" ]; then
		[ "$(id -u)" = 0 ] || fail "must be root"
		need iproute2
		(cd "$TOP" && go list -test -deps ./... >/dev/null) || fail "the Go modules cannot be had"
		WORK=$(mktemp -d "/tmp/launcher-$TEST.XXXXXX")
		local status=0 private=(unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc)
		"${private[@]}" true 2>"$WORK/unshare" ||
			fail "this machine gives no mount, network and PID namespaces: $(cat "$WORK/unshare")"
		PLATFORM_WORK=$WORK "${private[@]}" "$BASH" "$0" "$@" || status=$?
		rm -rf --one-file-system "$WORK"
		exit "$status"
	fi
	ip link set lo up
	trap finish EXIT
}

# at_end COMMAND: what is to be done when the script ends, the last first.
AT_END=(:)
at_end() { AT_END=("$*" "${AT_END[@]}"); }
finish() {
	local status=$? command
	trap - ERR
	set +e
	for command in "${AT_END[@]}"; do eval "$command"; done
	exit "$status"
}

# background LOG COMMAND...: its pid is in $!; it is stopped at the end.
background() {
	local log=$1
	shift
	"$@" </dev/null >"$log" 2>&1 9>&- &
	at_end "put_down $!"
}

# put_down PID: TERM, and KILL after 10 s.
put_down() {
	kill "$1" 2>/dev/null || return 0
	within 10 gone "$1" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null || true
}
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }

# launcher_binary PATH: the static launcher of this tree, stripped.
launcher_binary() {
	make --no-print-directory -C "$TOP" build OUT="$WORK/build" >"$WORK/build.log" 2>&1 || fail "make build" "$WORK/build.log"
	install -D "$WORK/build/launcher" "$1"
}

# What a machine of ours holds: systemd, and real servers.
ROOT_PACKAGES=systemd,systemd-sysv,dbus,procps,iproute2,curl,ruby-sidekiq,redis-server,redis-tools,puma,ruby-sd-notify

# debian_root SUITE: sets ROOT to a Debian of that suite, made if need be. Never
# write to it: put an overlay over it, or copy it. Before in_private.
debian_root() {
	ROOT=$PLAT/rootfs-$1
	# The name that it has had from the first on.
	[ "$1" != bookworm ] || ROOT=$PLAT/rootfs-deb
	[ ! -e "$ROOT/.done" ] || return 0
	need debootstrap
	locked root make_root "$1" "$ROOT" || fail "debootstrap $1" "$PLAT/debootstrap-$1.log"
}
make_root() {
	[ ! -e "$2/.done" ] || return 0
	local mirror
	# shellcheck disable=SC2016 # apt's own
	mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
	rm -rf "$2"
	say "debootstrap $1, once"
	debootstrap --variant=minbase --include="$ROOT_PACKAGES" "$1" "$2" "${mirror:-http://deb.debian.org/debian}" \
		>"$PLAT/debootstrap-$1.log" 2>&1 || return 1
	rm -f "$2"/var/cache/apt/archives/*.deb
	touch "$2/.done"
}
