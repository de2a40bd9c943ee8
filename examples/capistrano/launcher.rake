# frozen_string_literal: true

# Capistrano 3 and launcher: lib/capistrano/tasks/launcher.rake of your app.
#
#   cap production deploy                  quiet, deploy, rolling restart; resume if it fails
#   cap production deploy:rollback         the same, to the release before
#   cap production launcher:deploy_major   quiet, stop, migrate, start
#   cap production launcher:status
#   cap production launcher:quiet[worker]  and launcher:resume[worker]
#   cap production launcher:restart, launcher:stop, launcher:start
#
# Every task asks the launcher by its control socket, in shared/, as the user who
# deploys: the launcher runs as that user, and who started it does not matter.

namespace :load do
  task :defaults do
    set :launcher, "launcher"
    set :launcher_roles, :app
    set :launcher_socket, -> { shared_path.join("launcher.sock") }
    # Process types that take no more work from the begin of a deploy on. Not web:
    # a web server is replaced, never quieted.
    set :launcher_quiet, %w[worker]
    # How long a major deploy waits for the work in hand.
    set :launcher_drain, "60s"
    set :launcher_migrate, "deploy:migrate"
    # How long a start may take until all processes are ready, in seconds.
    set :launcher_ready_within, 60
    # Starts the launcher. Under systemd: "systemctl --user start launcher".
    # `cd` through the link, not to where it leads: so a restart finds the new release.
    set :launcher_start, lambda {
      "cd #{current_path} && (setsid #{fetch(:launcher)} start --socket #{fetch(:launcher_socket)} " \
        "</dev/null >>#{shared_path.join('launcher.log')} 2>&1 &)"
    }
  end
end

namespace :launcher do
  # The release that each host had when the deploy began, and who has left it.
  before_deploy = {}
  followed = []

  def ask_launcher(verb, *args)
    execute fetch(:launcher), verb, *args, "--socket", fetch(:launcher_socket)
  end

  def launcher_runs?
    test fetch(:launcher), "status", "--socket", fetch(:launcher_socket)
  end

  def start_launcher
    execute fetch(:launcher_start)
    fetch(:launcher_ready_within).times do
      return if test(fetch(:launcher), "status", "--ready", "--socket", fetch(:launcher_socket))

      sleep 1
    end
    raise "not ready within #{fetch(:launcher_ready_within)} s; see launcher:status"
  end

  desc "What the processes do"
  task :status do
    on(roles(fetch(:launcher_roles))) do |host|
      puts "#{host}: #{capture(fetch(:launcher), 'status', '--socket', fetch(:launcher_socket))}"
    end
  end

  desc "Take no more work: launcher:quiet[worker], or all"
  task :quiet, [:type] do |_, args|
    on(roles(fetch(:launcher_roles))) { ask_launcher "quiet", *args[:type] }
  end

  desc "Take work again: launcher:resume[worker], or all"
  task :resume, [:type] do |_, args|
    on(roles(fetch(:launcher_roles))) { ask_launcher "resume", *args[:type] }
  end

  desc "Replace every process by one of the current release, host after host"
  task :restart do
    on(roles(fetch(:launcher_roles)), in: :sequence) do |host|
      if launcher_runs?
        ask_launcher "restart", "--wait"
        followed << host
      else
        followed << host # with its launcher, ready or not
        start_launcher
      end
    end
  end

  desc "Stop the processes and the launcher, within its budget"
  task :stop do
    on(roles(fetch(:launcher_roles))) { ask_launcher "stop", "--wait" if launcher_runs? }
  end

  desc "Start the launcher"
  task :start do
    on(roles(fetch(:launcher_roles))) { start_launcher unless launcher_runs? }
  end

  desc "Deploy with nothing at work: quiet, stop, migrate, start"
  task :deploy_major do
    set :launcher_major, true
    invoke "deploy"
  end

  # A deploy, and a rollback, begins here.
  task :begin do
    set :deploying, true # of a rollback, too, that fails, deploy:failed is to hear
    on(roles(fetch(:launcher_roles))) do |host|
      next unless launcher_runs?

      before_deploy[host] = capture(:readlink, current_path)
      if fetch(:launcher_major)
        ask_launcher "quiet", "--wait=#{fetch(:launcher_drain)}"
      else
        fetch(:launcher_quiet).each { |type| ask_launcher "quiet", type }
      end
    end
  end

  task :migrate do
    next unless fetch(:launcher_major)

    invoke "launcher:stop"
    invoke fetch(:launcher_migrate)
  end

  # What failed is undone: the link leads back, and who has followed it goes back.
  # The release that failed is put aside, else the next rollback would go there.
  task :recover do
    on(roles(fetch(:launcher_roles))) do |host|
      next unless (release = before_deploy[host])

      if capture(:readlink, current_path) != release
        execute :ln, "-s", release, "#{current_path}.back"
        execute :mv, "-T", "#{current_path}.back", current_path
      end
      next start_launcher unless launcher_runs?

      followed.include?(host) ? ask_launcher("restart", "--wait") : ask_launcher("resume")
    end
    next if fetch(:rollback_timestamp) || !fetch(:release_timestamp)

    on(release_roles(:all)) do
      failed = deploy_path.join("failed-release")
      execute :rm, "-rf", failed
      execute :mv, release_path, failed if test "[ -d #{release_path} ]"
    end
  end
end

after "deploy:starting", "launcher:begin"
after "deploy:updated", "launcher:migrate"
after "deploy:published", "launcher:restart"
after "deploy:failed", "launcher:recover"
