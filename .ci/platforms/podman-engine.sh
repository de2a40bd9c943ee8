# shellcheck shell=bash
# A podman with storage of its own. Sourced after lib.sh.
# shellcheck disable=SC2034 # for those who source it

PODMAN_PACKAGES="podman runc conmon catatonit netavark containernetworking-plugins iptables"

# podman_start: after debian_root and in_private. Sets BASE, the image of $ROOT.
podman_start() {
	alone podman
	private_run
	BASE=localhost/launcher-debian:bookworm
	export CONTAINERS_CONF=$WORK/containers.conf CONTAINERS_STORAGE_CONF=$WORK/storage.conf
	# runc, as crun refuses a machine with both versions of cgroups. The limits are
	# what this machine may give: podman's own are beyond it without CAP_SYS_RESOURCE.
	cat >"$CONTAINERS_CONF" <<-T
		[containers]
		default_ulimits = ["nofile=$(most n 20000)", "nproc=$(most u 30000)"]
		log_driver = "k8s-file"
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
	T
	cat >"$CONTAINERS_STORAGE_CONF" <<-T
		[storage]
		driver = "overlay"
		graphroot = "$PLAT/podman"
		runroot = "/run/podman-images"
	T
	# Off systemd it has no timers for the checks, and says so at every turn.
	export DISABLE_HC_SYSTEMD=true
	at_end podman_down
	podman_base
	say "$(podman --version), $(runc --version | head -n 1)"
}

# most LETTER N: ulimit's, N at most.
most() {
	local hard
	hard=$(ulimit "-H$1")
	[ "$hard" != unlimited ] && [ "$hard" -lt "$2" ] || hard=$2
	echo "$hard:$hard"
}

# Kept from run to run.
podman_base() {
	podman image exists "$BASE" || tar -C "$ROOT" -c . | podman import -q - "$BASE" >/dev/null
}

# podman_down: nothing of it where another script has it now.
podman_down() {
	[ -n "${HELD[podman]:-}" ] || return 0
	podman rm -fa -t 0 >/dev/null 2>&1
	podman image prune -f >/dev/null 2>&1
	podman umount -a >/dev/null 2>&1
	within 5 empty_cgroups libpod_parent
}
