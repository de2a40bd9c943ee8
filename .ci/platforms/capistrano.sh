#!/usr/bin/env bash
# examples/capistrano: Capistrano deploys over ssh to a launcher with Sidekiq at work.
#
#	.ci/platforms/capistrano.sh
#
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/jobs.sh"
. "$(dirname "$0")/shown.sh"

# shellcheck disable=SC2086 # a list of names
need capistrano openssh-server git $JOBS_PACKAGES
in_private "$@"

README=$TOP/examples/capistrano/README.md
PROJECT=$WORK/project
APP=/srv/deploy/shop
BIN=$WORK/bin/launcher

# over DIRECTORY: what is there can be seen as before (this checkout may be), and
# what is written there is ours alone.
over() {
	local changes=$WORK/over$1
	mkdir -p "$changes"
	mount -t tmpfs over "$changes"
	mkdir "$changes/upper" "$changes/work"
	mount -t overlay -o "lowerdir=$1,upperdir=$changes/upper,workdir=$changes/work" over "$1"
}

# server: an sshd; its user, and what it writes, are in mounts of our own.
server() {
	mount -t tmpfs run /run
	mkdir /run/sshd
	over /srv
	over /etc
	git config --system safe.directory '*'
	useradd --create-home --home-dir /srv/deploy --shell /bin/sh --password '*' deploy
	chmod 755 "$WORK"
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/key"
	install -D -m 600 -o deploy -g deploy "$WORK/key.pub" /srv/deploy/.ssh/authorized_keys
	chown deploy /srv/deploy/.ssh
	cat >"$WORK/sshd_config" <<-CONFIG
		Port 2222
		ListenAddress 127.0.0.1
		HostKey $WORK/host_key
		PidFile none
		UsePAM no
		PasswordAuthentication no
	CONFIG
	background "$WORK/sshd.log" /usr/sbin/sshd -D -e -f "$WORK/sshd_config"
	within 10 on_server true || fail "sshd does not answer" "$WORK/sshd.log"
}
on_server() {
	ssh -q -i "$WORK/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p 2222 deploy@127.0.0.1 "$@"
}

# project: the app's repository and its Capistrano.
project() {
	mkdir -p "$PROJECT/config/deploy" "$PROJECT/lib/capistrano/tasks"
	cp "$TOP/examples/capistrano/launcher.rake" "$PROJECT/lib/capistrano/tasks/"
	cat >"$PROJECT/Capfile" <<-'RUBY'
		require "capistrano/setup"
		require "capistrano/deploy"
		require "capistrano/scm/git"
		install_plugin Capistrano::SCM::Git
		Dir.glob("lib/capistrano/tasks/*.rake").each { |r| import r }
	RUBY
	{
		cat <<-RUBY
			set :application, "shop"
			set :repo_url, "file://$WORK/repository"
			set :branch, "main"
			set :deploy_to, "$APP"
			set :format, :simpletext
			set :launcher_ready_within, 15
			task("deploy:migrate") { on(roles(:app)) { execute :touch, shared_path.join("migrated") } }
		RUBY
		sed "s|/usr/local/bin/launcher|$BIN|" "$TOP/examples/capistrano/deploy.rb"
	} >"$PROJECT/config/deploy.rb"
	cat >"$PROJECT/config/deploy/production.rb" <<-RUBY
		server "127.0.0.1", user: "deploy", roles: %w[app], port: 2222,
		  ssh_options: { keys: ["$WORK/key"], keys_only: true, verify_host_key: :never, config: false }
	RUBY
	git init -q -b main "$WORK/repository"
	jobs_app "$WORK/repository"
	cp "$TOP/examples/capistrano/launcher.toml" "$WORK/repository/"
	printf '%s\n' '[process.clock]' 'ready = "up:1s"' >>"$WORK/repository/launcher.toml"
}

# commit MESSAGE WORKER: a release whose workers are these.
commit() {
	printf '%s\n' "worker: $2" "clock: sleep 1000" >"$WORK/repository/Procfile"
	git -C "$WORK/repository" add .
	git -C "$WORK/repository" -c user.name=ci -c user.email=ci@localhost commit -q -m "$1"
}

# cap: Capistrano in its project; deploys and fails TASK: how it ends.
cap() { (cd "$PROJECT" && command cap "$@") >"$WORK/cap.log" 2>&1; }
deploys() { shown "$README" "cap production $1" || fail "cap production $1" "$WORK/cap.log" "$APP/shared/launcher.log"; }
fails() { ! cap production "$1" || fail "cap production $1 succeeded" "$WORK/cap.log"; }

status() { on_server "$BIN" status --socket "$APP/shared/launcher.sock"; }
pids() { status | awk '$1 ~ /\./ && $2 !~ /^\(old/ { print $3 }' | sort; }
all_ready() { status | grep -q '3/3 ready'; }
release() { readlink "$APP/current"; }
version() { tr '\0' '\n' <"/proc/$(status | awk '$1 == "worker.1" && $2 !~ /old/ { print $3; exit }' | tr -d ,)/environ" | sed -n 's/^VERSION=//p'; }

# shellcheck disable=SC2016 # the launcher's
sidekiqs() { echo "env VERSION=$1"' sidekiq -c 5 -t $STOP_TIMEOUT -r ./worker.rb'; }

server
project
launcher_binary "$BIN"
jobs_begin 0.3

commit first "$(sidekiqs 1)"
deploys deploy
within 20 all_ready || fail "not ready after the first deploy" "$APP/shared/launcher.log"
jobs_go_on
same "$(version)" 1 "the first deploy starts the launcher"
deploys launcher:status
grep -q 'worker.2 .* ready' "$WORK/cap.log" || fail "cap production launcher:status" "$WORK/cap.log"
ok "cap production launcher:status"

old=$(pids)
commit second "$(sidekiqs 2)"
deploys deploy
same "$(version)" 2 "the second deploy replaces every process"
[ -z "$(comm -12 <(echo "$old") <(pids))" ] || fail "processes of the first release run on"
jobs_go_on

good=$(release)
commit bad 'sidekiq -r ./no-such-file.rb'
fails deploy
same "$(release)" "$good" "a bad deploy fails, and current leads back"
same "$(version)" 2 "its processes are of the good release"
jobs_go_on

commit third "$(sidekiqs 3)"
deploys deploy
same "$(version)" 3 "the next good deploy replaces every process"
deploys deploy:rollback
same "$(version)" 2 "cap production deploy:rollback brings the release before"
jobs_go_on

before=$(status | head -n 1)
deploys launcher:deploy_major
same "$(version)" 3 "cap production launcher:deploy_major"
[ -e "$APP/shared/migrated" ] || fail "nothing was migrated" "$WORK/cap.log"
[ "$(status | head -n 1 | cut -d , -f 2)" != "$(cut -d , -f 2 <<<"$before")" ] || fail "the launcher was not stopped" "$WORK/cap.log"

commit bad 'sidekiq -r ./no-such-file.rb'
good=$(release)
fails launcher:deploy_major
same "$(release)" "$good" "a bad major deploy fails, and current leads back"
within 20 all_ready || fail "not ready after a bad major deploy: $(status)"
same "$(version)" 3 "its launcher runs the good release again"

clock=$(status | awk '$1 == "clock.1" { print $3 }')
deploys "'launcher:quiet[worker]'"
[ "$(status | grep -c '^worker.* quieting')" = 2 ] || fail "launcher:quiet[worker]: $(status)"
status | grep -q "^clock.1  *ready  *$clock " || fail "launcher:quiet[worker] has to do with clock: $(status)"
ok "cap production launcher:quiet[worker] quiets one type and not another"
deploys "'launcher:resume[worker]'"
within 20 all_ready || fail "launcher:resume[worker]: $(status)"
jobs_go_on
ok "cap production launcher:resume[worker]"
deploys launcher:restart
jobs_end
deploys launcher:stop
if status 2>/dev/null; then fail "cap production launcher:stop left the launcher"; fi
ok "cap production launcher:stop"
deploys launcher:start
within 20 all_ready || fail "launcher:start: $(status)"
ok "cap production launcher:start"
all_shown "$README"
