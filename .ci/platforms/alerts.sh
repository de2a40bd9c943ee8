#!/usr/bin/env bash
# The alert rules of examples/kubernetes, by Prometheus' own promtool; and every
# metric that they, the HPA and the README name is one that the launcher serves.
#
#	.ci/platforms/alerts.sh
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

need prometheus curl ruby
in_private "$@"

cd "$TOP/examples/kubernetes"
ruby -ryaml -rjson -e 'puts JSON.dump(YAML.load_file("monitoring/alerts.yaml")["spec"])' >"$WORK/alerts.json"
cp monitoring/alerts.test.yaml "$WORK/"
promtool check rules "$WORK/alerts.json" >"$WORK/check.log" 2>&1 || fail "promtool check rules" "$WORK/check.log"
ok "promtool check rules: $(grep -o '[0-9]* rules found' "$WORK/check.log")"
promtool test rules "$WORK/alerts.test.yaml" >"$WORK/check.log" 2>&1 || fail "promtool test rules" "$WORK/check.log"
while read -r alert; do
	grep -q "alertname: $alert" monitoring/alerts.test.yaml || fail "$alert is not tested"
done < <(sed -n 's/.*- alert: //p' monitoring/alerts.yaml)
ok "promtool test rules: each alert fires when it should"

launcher_binary "$WORK/launcher"
# A worker that has jobs, by its title, and does not end for all that.
mkdir "$WORK/app"
echo 'worker: ruby sidekiq' >"$WORK/app/Procfile"
# shellcheck disable=SC2016 # Ruby's own
echo 'trap("TERM") {}; $0 = "sidekiq 6.4.1 app [3 of 5 busy]"; sleep' >"$WORK/app/sidekiq"
cd "$WORK/app"
background "$WORK/run.log" "$WORK/launcher" run worker=1 --health 127.0.0.1:7433 --socket "$WORK/socket" --budget 5s
cd "$TOP/examples/kubernetes"
metrics() { curl -sf http://127.0.0.1:7433/metrics >"$WORK/metrics"; }
working() { metrics && grep -q '^launcher_jobs_running{type="worker"} 3$' "$WORK/metrics"; }
draining() { metrics && grep -q '^launcher_draining_seconds' "$WORK/metrics"; }
within 20 working || fail "it does not tell of the jobs" "$WORK/run.log" "$WORK/metrics"
"$WORK/launcher" stop worker.1 --socket "$WORK/socket" >/dev/null
within 5 draining || fail "it does not tell of the draining" "$WORK/run.log" "$WORK/metrics"
while read -r name; do
	grep -q "^# TYPE $name " "$WORK/metrics" || fail "the launcher serves no $name"
	ok "the launcher serves $name"
done < <(grep -rhoE '\blauncher_[a-z_]+' --include='*.yaml' --include=README.md . | sort -u)
promtool check metrics <"$WORK/metrics" >"$WORK/check.log" 2>&1 || fail "promtool check metrics" "$WORK/check.log"
ok "promtool check metrics"
