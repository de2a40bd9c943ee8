# config/deploy.rb, as much of it as concerns the launcher. In the Capfile:
#
#   Dir.glob("lib/capistrano/tasks/*.rake").each { |r| import r }

# Where the binary is, if not on PATH.
set :launcher, "/usr/local/bin/launcher"

# What takes no more work while a deploy runs.
set :launcher_quiet, %w[worker]

# Under systemd, with launcher.service of this directory:
#   set :launcher_start, "systemctl --user start launcher"
