#!/usr/bin/env bash
# examples/kubernetes in a real cluster of one node: etcd, API server, controllers,
# scheduler, kubelet, kube-proxy. The manifests are admitted under Pod Security
# "restricted"; a pod of workers deleted under load loses no job; a rolling update
# under load fails no request; INDEX is unique over the fleet.
#
#	.ci/platforms/kubernetes.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engines.sh"
. "$(dirname "$0")/jobs.sh"
. "$(dirname "$0")/podman-engine.sh"
. "$(dirname "$0")/node.sh"
. "$(dirname "$0")/shown.sh"

# shellcheck disable=SC2086 # lists of names
need $NODE_PACKAGES $PODMAN_PACKAGES $JOBS_PACKAGES etcd-server openssl
debian_root bookworm
"$TOP/.ci/platforms/kubernetes-build.sh" kubelet kube-apiserver kube-controller-manager kube-scheduler kubectl kube-proxy
# The definitions of PodMonitor and PrometheusRule, as the operator installs them.
OPERATOR=github.com/prometheus-operator/prometheus-operator@v0.85.0
CRDS=$(cd / && go mod download -json $OPERATOR | sed -n 's/.*"Dir": "\(.*\)",/\1/p')/example/prometheus-operator-crd
in_private "$@"

README=examples/kubernetes/README.md
export KUBECONFIG=$WORK/kubeconfig PATH=$KUBERNETES:$PATH

control_plane() {
	local etcd=http://127.0.0.1:12379 keys=$WORK/service-accounts.key
	openssl genrsa -out "$keys" 2048 2>/dev/null
	echo 'token,admin,admin,"system:masters"' >"$WORK/tokens"
	background "$WORK/etcd.log" etcd --data-dir "$WORK/etcd" --listen-client-urls $etcd --advertise-client-urls $etcd \
		--listen-peer-urls http://127.0.0.1:12380 --unsafe-no-fsync
	background "$WORK/apiserver.log" kube-apiserver --etcd-servers=$etcd --bind-address=$NODE_IP --advertise-address=$NODE_IP \
		--secure-port=16443 --cert-dir="$WORK/pki" --token-auth-file="$WORK/tokens" --authorization-mode=RBAC \
		--service-cluster-ip-range=10.96.0.0/24 --service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$keys" --service-account-signing-key-file="$keys" --disable-admission-plugins=ServiceAccount \
		--kubelet-preferred-address-types=InternalIP --shutdown-delay-duration=0s
	cat >"$KUBECONFIG" <<-T
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "https://$NODE_IP:16443", insecure-skip-tls-verify: true}}]
		users: [{name: u, user: {token: token}}]
		contexts: [{name: x, context: {cluster: c, user: u}}]
		current-context: x
	T
	within 90 kubectl get --raw /readyz || fail "no API server" "$WORK/etcd.log" "$WORK/apiserver.log"
	background "$WORK/controllers.log" kube-controller-manager --kubeconfig="$KUBECONFIG" --bind-address=127.0.0.1 \
		--leader-elect=false --service-account-private-key-file="$keys"
	background "$WORK/scheduler.log" kube-scheduler --kubeconfig="$KUBECONFIG" --bind-address=127.0.0.1 --leader-elect=false
	node_kubelet --kubeconfig="$KUBECONFIG" <<<"clusterDomain: cluster.local"
	cat >"$WORK/proxy.yaml" <<-T
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		bindAddress: $NODE_IP
		clientConnection: {kubeconfig: $KUBECONFIG}
		hostnameOverride: node1
		mode: nftables
		clusterCIDR: 10.244.0.0/24
		oomScoreAdj: 0
		conntrack: {maxPerCore: 0, min: 0}
	T
	background "$WORK/proxy.log" kube-proxy --config="$WORK/proxy.yaml"
	within 60 node_ready || fail "the node does not become ready" "$WORK/kubelet.log"
	say "$(kubectl version | tr '\n' ' ') ($SECONDS s)"
}
node_ready() { kubectl get node node1 | grep -q ' Ready'; }
k() { kubectl --namespace shop "$@"; }
pod_of() { k get pods -l "app.kubernetes.io/name=$1" -o jsonpath='{.items[0].metadata.name}'; }

show() {
	{
		k get pods,jobs,hpa -o wide
		k describe pods | tail -n 80
		for pod in $(k get pods -o name); do k logs --tail=20 "$pod"; done
	} >"$WORK/pods.log" 2>&1 || true
	fail "$1" "$WORK/pods.log"
}
rolled_out() { kubectl -n shop rollout status "$1" --timeout=180s >/dev/null || show "$1 does not roll out"; }

# manifests: all of it is taken, and what does not keep the standard is not.
manifests() {
	local crd
	for crd in podmonitors prometheusrules; do
		kubectl apply --server-side -f "$CRDS/monitoring.coreos.com_$crd.yaml" >/dev/null
	done
	kubectl wait --for=condition=Established crd --all --timeout=30s >/dev/null
	# No DNS here: the address instead of the name.
	sed -i "s#redis://redis:#redis://$NODE_IP:#" examples/kubernetes/base/kustomization.yaml
	shown $README 'kubectl apply -k examples/kubernetes/base' >"$WORK/apply.log" 2>&1 || fail "apply" "$WORK/apply.log"
	! grep -i warning "$WORK/apply.log" || fail "the API server warns of the manifests"
	ok "kubectl apply -k: $(grep -c created "$WORK/apply.log") objects"
	shown $README 'kubectl apply -k examples/kubernetes/monitoring' >"$WORK/apply.log" 2>&1 || fail "apply" "$WORK/apply.log"
	ok "PodMonitor and PrometheusRule, by the operator's definitions"
	! k run root --image=example-web:1 --dry-run=server >"$WORK/apply.log" 2>&1 || fail "a pod that may be root is taken"
	grep -q 'violates PodSecurity "restricted' "$WORK/apply.log" || fail "not for its standard" "$WORK/apply.log"
	ok "the namespace keeps Pod Security restricted"
}

# fleet: what came up, and which INDEX each has.
fleet() {
	shown $README 'kubectl -n shop rollout status deployment/worker' >/dev/null || show "worker does not roll out"
	rolled_out deployment/web
	rolled_out statefulset/shard
	ok "worker, web and shard are rolled out"
	shown $README 'kubectl -n shop exec deployment/worker -- launcher status' | grep -q '^worker.2 *ready' || show "launcher status"
	ok "kubectl exec: launcher status"
	within 30 two_workers || show "the HPA keeps no two pods of workers"
	ok "the HPA holds the least of pods"
	within 30 busy || show "the workers' launcher does not tell of their jobs"
	ok "a worker's pod serves launcher_jobs_running, on which the HPA scales"
	same "$(queues)" "shard-0 shard-1 shard-2 shard-3 " "StatefulSet: INDEX is unique over the fleet"
	shown $README 'kubectl -n shop wait --for=condition=complete job/backfill --timeout=5m' >/dev/null || show "the job is not done"
	same "$(redis-cli lrange backfill 0 -1 | sort -n | tr '\n' ' ')" "0 1 2 3 4 5 6 7 " "indexed Job: each part is done once"
	# Room for the rest.
	k delete statefulset/shard --wait=false >/dev/null
}
# queues: those of the StatefulSet's Sidekiqs, as they say in Redis.
queues() {
	for process in $(redis-cli smembers processes); do
		redis-cli hget "$process" info | sed -n 's/.*"\(shard-[0-9]*\)".*/\1/p'
	done | sort | tr '\n' ' '
}
busy() {
	curl -sf "http://$(k get pods -l app.kubernetes.io/name=worker -o jsonpath='{.items[0].status.podIP}'):7433/metrics" |
		grep -q '^launcher_jobs_running{type="worker"} [1-9]'
}
two_workers() { [ "$(k get deployment/worker -o jsonpath='{.status.readyReplicas}')" = 2 ]; }

# workers: one of two pods is deleted under load.
workers() {
	local pod begun=$SECONDS follower
	jobs_go_on
	pod=$(pod_of worker)
	k logs -f "$pod" >"$WORK/worker.log" 2>&1 &
	follower=$!
	k delete pod "$pod" --wait=false >/dev/null
	within 20 grep -q "quieted by launcher quiet" "$WORK/worker.log" || show "preStop did not quiet $pod"
	ok "$pod is deleted: preStop has it drain"
	k wait --for=delete "pod/$pod" --timeout=80s >/dev/null || show "$pod does not go"
	wait "$follower" || true
	grep -q 'launcher: stopped in' "$WORK/worker.log" || fail "the launcher did not end by itself" "$WORK/worker.log"
	! grep 'launcher: stopped in' "$WORK/worker.log" | grep -q KILL || fail "something had to be killed" "$WORK/worker.log"
	ok "it went without a KILL, in $((SECONDS - begun)) s"
	rolled_out deployment/worker
	shown $README 'kubectl -n shop rollout restart deployment/worker' >/dev/null
	rolled_out deployment/worker
	ok "a rolling update of the workers"
	jobs_end
}

# requests: over the Service, each by a connection of its own, until TERM. Says how
# many failed.
requests() {
	cat >"$WORK/requests.rb" <<-'T'
		require "net/http"
		ended = false
		trap("TERM") { ended = true }
		good, bad = Queue.new, Queue.new
		4.times.map do
		  Thread.new do
		    until ended
		      begin
		        answer = Net::HTTP.start(ARGV[0], 80, open_timeout: 5, read_timeout: 5) { |h| h.get("/") }
		        answer.code == "200" ? good << 1 : bad << answer.code
		      rescue => e
		        bad << e.inspect
		      end
		    end
		  end
		end.each(&:join)
		puts "#{good.size} good, #{bad.size} failed", *bad.size.times.map { bad.pop }
	T
	ruby "$WORK/requests.rb" "$(k get service web -o jsonpath='{.spec.clusterIP}')" >"$WORK/requests" &
	REQUESTS=$!
}
# none_failed WHAT
none_failed() {
	kill "$REQUESTS"
	wait "$REQUESTS" || fail "the requests ended badly"
	grep -q '^[1-9][0-9]* good, 0 failed' "$WORK/requests" || fail "$1: requests failed" "$WORK/requests"
	ok "$1: $(cat "$WORK/requests")"
}

# web: a rolling update, and a rolling restart within the pods.
web() {
	local address
	address=$(k get service web -o jsonpath='{.spec.clusterIP}')
	within 20 curl -sf -m 2 "http://$address/" || show "the Service web does not answer"
	requests
	shown $README 'kubectl -n shop rollout restart deployment/web' >/dev/null
	rolled_out deployment/web
	sleep 6 # the last old pod's preStop
	none_failed "a rolling update of web under load"
	requests
	shown $README 'kubectl -n shop exec deployment/web -- launcher restart --wait' >/dev/null || show "launcher restart --wait"
	none_failed "launcher restart in a pod, under load"
}

tree
node_start
control_plane
jobs_begin 0.3
node_redis
manifests
fleet
workers
web
all_shown $README
