# shellcheck shell=bash
# A machine with a systemd of its own: systemd-nspawn on a throw-away overlay.
# Sourced after lib.sh.

# shellcheck disable=SC2034 # for need
MACHINE_PACKAGES="systemd systemd-container dbus"

# machine_boot ROOT: its files are ROOT's, which stay as they are; "/" are ours.
# Then `inside COMMAND...` runs there, and $MACHINE is its file system. It has our
# network, which must be a private one.
machine_boot() {
	local cgroup hierarchy file nspawn
	cgroup=$(basename "$WORK")
	MACHINE=$WORK/machine
	mkdir -p "$WORK/over" "$MACHINE"
	mount -t tmpfs machine "$WORK/over"
	mkdir "$WORK/over/upper" "$WORK/over/work"
	mount -t overlay -o "lowerdir=$1,upperdir=$WORK/over/upper,workdir=$WORK/over/work" machine "$MACHINE" ||
		fail "this machine cannot lay an overlay over $1"
	: >"$MACHINE/etc/fstab"
	# What is enabled on this machine is not to run on that one.
	rm -rf "$MACHINE"/etc/systemd/system/*.wants

	# A cgroup of its own in every hierarchy (v2 has one), else its systemd takes ours.
	local hierarchies=(/sys/fs/cgroup)
	[ -e /sys/fs/cgroup/cgroup.procs ] || hierarchies=(/sys/fs/cgroup/*)
	for hierarchy in "${hierarchies[@]}"; do
		mkdir "$hierarchy/$cgroup" || fail "this machine lets no cgroup be made in $hierarchy"
		at_end "within 10 remove_cgroup $hierarchy/$cgroup"
		for file in cpus mems; do
			[ ! -e "$hierarchy/cpuset.$file" ] || cat "$hierarchy/cpuset.$file" >"$hierarchy/$cgroup/cpuset.$file"
		done
	done
	# shellcheck disable=SC2016 # the inner shell's
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 background "$WORK/nspawn.log" sh -c '
		for procs in /sys/fs/cgroup/$0/cgroup.procs /sys/fs/cgroup/*/$0/cgroup.procs; do
			[ ! -e "$procs" ] || echo $$ >"$procs"
		done
		exec systemd-nspawn --boot --directory="$1" --machine="$0" --register=no --keep-unit --console=pipe \
			--link-journal=no -- systemd.unit=basic.target' "$cgroup" "$MACHINE"
	nspawn=$!
	within 20 leader_of "$nspawn" || fail "systemd-nspawn does not start here" "$WORK/nspawn.log"
	LEADER=$(leader_of "$nspawn")
	# No orderly end: all that runs there goes with its process 1.
	at_end "kill -KILL $LEADER"
	within 60 inside systemctl is-active basic.target || fail "systemd does not boot in systemd-nspawn" "$WORK/nspawn.log"
	say "booted $(inside systemctl --version | head -n 1)"
}

leader_of() { cut -d ' ' -f 1 "/proc/$1/task/$1/children" | grep .; }

# inside COMMAND...: in the machine, as its root.
inside() {
	nsenter --target "$LEADER" --mount --uts --ipc --net --pid --cgroup -- \
		env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 "$@"
}

# journal UNIT: what systemd and the launcher say of it.
journal() { inside journalctl --no-pager --output=short-precise --unit "$1" | grep -E 'systemd\[|: launcher: ' || true; }

# property UNIT NAME: as systemd sees it.
property() { inside systemctl show --value --property "$2" "$1"; }

remove_cgroup() {
	find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
	[ ! -e "$1" ]
}
