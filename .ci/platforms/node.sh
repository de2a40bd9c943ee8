# shellcheck shell=bash
# A Kubernetes node: containerd and a kubelet, in a private network with a bridge.
# Sourced after lib.sh and podman-engine.sh, which makes its images.
# shellcheck disable=SC2034 # for those who source it

NODE_PACKAGES="containerd runc containernetworking-plugins iptables nftables catatonit curl"
NODE_IP=10.250.0.1
KUBERNETES=$PLAT/k8s/bin

# node_start: containerd, with the images of examples/docker in it.
node_start() {
	alone node
	private_run
	mount -t tmpfs log /var/log
	# The kubelet sets these for the whole machine.
	local name
	for name in vm/overcommit_memory kernel/panic kernel/panic_on_oops; do
		at_end "echo $(cat "/proc/sys/$name") >/proc/sys/$name"
	done
	ip link add node type bridge
	ip addr add $NODE_IP/24 dev node
	ip link set node up
	ip route add default dev node

	mkdir -p "$WORK/cni"
	cat >"$WORK/cni/10.conflist" <<-T
		{"cniVersion": "0.4.0", "name": "node", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
			"hairpinMode": true, "ipam": {"type": "host-local", "dataDir": "$WORK/ipam",
			"ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
	T
	cat >"$WORK/containerd.toml" <<-T
		version = 2
		root = "$WORK/containerd"
		state = "/run/containerd-state"
		[grpc]
		  address = "/run/containerd.sock"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/pause:1"
		  restrict_oom_score_adj = true
		  disable_apparmor = true
		[plugins."io.containerd.grpc.v1.cri".containerd]
		  default_runtime_name = "runc"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		  runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".cni]
		  bin_dir = "/usr/lib/cni"
		  conf_dir = "$WORK/cni"
	T
	background "$WORK/containerd.log" containerd --config "$WORK/containerd.toml"
	within 20 test -S /run/containerd.sock || fail "containerd does not start" "$WORK/containerd.log"
	at_end node_down
	node_images
}
node_ctr() { ctr -a /run/containerd.sock -n k8s.io "$@"; }

# node_images: built by podman as examples/docker/README.md says, and the one that
# holds a pod's namespaces.
node_images() {
	local name
	podman_start
	mkdir -p "$WORK/pause"
	cp "$(command -v catatonit)" "$WORK/pause/"
	printf 'FROM scratch\nCOPY catatonit /\nENTRYPOINT ["/catatonit", "-P"]\n' >"$WORK/pause/Dockerfile"
	{
		make build
		CGO_ENABLED=0 go build -trimpath -o examples/docker/app ./examples/docker
		cp build/launcher examples/docker/
		cp build/launcher examples/docker/sidekiq/
		podman build -q --network none -t localhost/pause:1 "$WORK/pause"
		podman build -q --network none -t docker.io/library/example-web:1 examples/docker
		podman build -q --network none -t docker.io/library/example-worker:1 --build-arg "BASE=$BASE" examples/docker/sidekiq
	} >"$WORK/build.log" 2>&1 || fail "images" "$WORK/build.log"
	for name in localhost/pause:1 docker.io/library/example-web:1 docker.io/library/example-worker:1; do
		podman save -q "$name" >"$WORK/image.tar"
		within 10 node_ctr images import "$WORK/image.tar" || fail "import of $name: $(node_ctr images import "$WORK/image.tar" 2>&1)"
	done
	rm "$WORK/image.tar"
	podman_down
	shared podman
	say "the images are there ($SECONDS s)"
}

# node_redis: the Redis of jobs_begin, for the pods too.
node_redis() {
	redis-cli config set protected-mode no >/dev/null
	redis-cli config set bind "127.0.0.1 $NODE_IP" >/dev/null
}

# node_kubelet [FLAG...] < more of its configuration
node_kubelet() {
	{
		cat <<-T
			apiVersion: kubelet.config.k8s.io/v1beta1
			kind: KubeletConfiguration
			authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
			authorization: {mode: AlwaysAllow}
			address: $NODE_IP
			fileCheckFrequency: 1s
			syncFrequency: 5s
			cgroupDriver: cgroupfs
			failCgroupV1: false
			containerRuntimeEndpoint: unix:///run/containerd.sock
			enforceNodeAllocatable: []
			failSwapOn: false
			oomScoreAdj: 0
			resolvConf: ""
			makeIPTablesUtilChains: false
			localStorageCapacityIsolation: false
			imageGCHighThresholdPercent: 100
			imageGCLowThresholdPercent: 99
			podLogsDir: $WORK/pods
			volumePluginDir: $WORK/plugins
		T
		cat
	} >"$WORK/kubelet.yaml"
	background "$WORK/kubelet.log" "$KUBERNETES/kubelet" --config="$WORK/kubelet.yaml" --root-dir="$WORK/kubelet" \
		--cert-dir="$WORK/pki" --hostname-override=node1 --node-ip=$NODE_IP --v=2 "$@"
	within 60 curl -sf http://127.0.0.1:10248/healthz || fail "the kubelet does not start" "$WORK/kubelet.log"
}

# node_down: what is left of the pods. After the kubelet, which would start them again.
node_down() {
	local container mount
	for container in $(node_ctr task ls -q); do node_ctr task kill -s KILL "$container"; done >/dev/null 2>&1
	within 5 no_task
	for container in $(node_ctr task ls -q); do node_ctr task rm -f "$container"; done >/dev/null 2>&1
	within 5 empty_cgroups kubepods
	awk -v under="$WORK/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
}
no_task() { ! node_ctr task ls | grep -q RUNNING; }
