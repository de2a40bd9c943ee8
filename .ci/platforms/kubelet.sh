#!/usr/bin/env bash
# The worker's pod of examples/kubernetes under a real kubelet, with no cluster: with
# Sidekiqs at work its probes do not kill it while it drains, preStop comes before
# TERM, and a pod that is deleted loses no job.
#
#	.ci/platforms/kubelet.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engines.sh"
. "$(dirname "$0")/jobs.sh"
. "$(dirname "$0")/podman-engine.sh"
. "$(dirname "$0")/node.sh"
. "$(dirname "$0")/shown.sh"

# shellcheck disable=SC2086 # lists of names
need $NODE_PACKAGES $PODMAN_PACKAGES $JOBS_PACKAGES
debian_root bookworm
"$TOP/.ci/platforms/kubernetes-build.sh"
in_private "$@"

tree
node_start
mkdir "$WORK/manifests"
# shellcheck disable=SC2119 # its arguments are flags of the kubelet
node_kubelet <<<"staticPodPath: $WORK/manifests"
say "$("$KUBERNETES/kubelet" --version)"

# The pod that the Deployment describes; a kubelet alone has no ConfigMaps.
pod() {
	ruby -ryaml -rjson - "$1" <<-'T'
		template = YAML.load_stream(File.read("examples/kubernetes/base/worker.yaml"))[0]["spec"]["template"]
		spec = template["spec"]
		container = spec["containers"][0]
		container["image"] += ":1"
		container.delete("envFrom")
		container["env"].find { |e| e["name"] == "LAUNCHER_LIVE" }["value"] = "notify,timeout=10s"
		container["env"] << {"name" => "REDIS_URL", "value" => "redis://#{ENV["NODE_IP"]}:6379"}
		# Fierce: one probe that fails is one too many.
		container["livenessProbe"].update("periodSeconds" => 1, "failureThreshold" => 1)
		container["readinessProbe"].update("periodSeconds" => 1, "failureThreshold" => 1)
		puts JSON.pretty_generate("apiVersion" => "v1", "kind" => "Pod", "metadata" => {"name" => ARGV[0]}, "spec" => spec)
	T
}
export NODE_IP

pods() { curl -sk "https://$NODE_IP:10250/pods"; }
# told FIELD: of the pod's one container.
# shellcheck disable=SC2016 # Ruby's own
told() { pods | ruby -rjson -e 'puts JSON.load($stdin)["items"].dig(0, "status", "containerStatuses", 0, ARGV[0])' "$1"; }
ready() { [ "$(told ready)" = true ]; }
not_ready() { [ "$(told ready)" = false ]; }
container() { node_ctr container ls | awk '/example-worker/ { id = $1 } END { print id }'; }
in_pod() { node_ctr task exec --exec-id "exec-$RANDOM" "$(container)" "$@"; }
# sidekiqs: their pids.
sidekiqs() { cat /proc/"$(node_ctr task ls | awk -v id="$(container)" '$1 == id { print $2 }')"/task/*/children; }
ended() { ! node_ctr task ls | grep -q "^$(container) .*RUNNING"; }
show() { fail "$1" "$WORK/worker.log" "$WORK/kubelet.log"; }

jobs_begin 0.3
node_redis
pod worker >"$WORK/manifests/worker.json"
within 90 ready || show "the pod does not become ready"
ok "a pod of two Sidekiqs is ready, by its startup and readiness probes"
tail -n +1 -F "$WORK"/pods/*_worker-node1_*/worker/0.log >"$WORK/worker.log" 2>/dev/null &
at_end "put_down $!"
jobs_go_on

in_pod launcher quiet --wait=30s >/dev/null || show "launcher quiet --wait"
within 10 not_ready || show "a pod that drains is ready"
sleep 5
same "$(told restartCount)" 0 "quieted it is not ready, and not killed for it"
in_pod launcher resume >/dev/null
within 60 ready || show "not ready after launcher resume"
jobs_go_on
ok "launcher resume, and it is ready and at work again"

read -r hung other <<<"$(sidekiqs)"
kill -STOP "$hung"
within 60 gone "$hung" || show "a Sidekiq that hangs is left to itself"
within 60 ready || show "not ready after one was replaced"
kill -0 "$other" || show "the other one is gone too"
same "$(told restartCount)" 0 "a Sidekiq that hangs is replaced, it alone"
jobs_go_on

begun=$SECONDS
rm "$WORK/manifests/worker.json"
within 70 ended || show "the pod does not end"
took=$((SECONDS - begun))
within 10 grep -q 'launcher: stopped in' "$WORK/worker.log" || show "the launcher did not end by itself"
[ "$took" -le 62 ] || show "the pod took $took s to end"
sed -n 's/.*\(launcher: stopped in.*\)/\1/p' "$WORK/worker.log" >"$WORK/line"
! grep -q KILL "$WORK/line" || show "something had to be killed: $(cat "$WORK/line")"
! grep -q TSTP "$WORK/line" || show "preStop had not quieted it before TERM: $(cat "$WORK/line")"
same "$(redis-cli llen started)" "$(redis-cli llen 'done')" "the pod is deleted under load: preStop drains, TERM, no KILL, $took s; each job that was begun is done"

pod again >"$WORK/manifests/again.json"
jobs_end
