# A job that tells Redis when it begins and when it is done: the lists "started"
# and "done" hold the ids of the jobs, as often as each was run.
require "sidekiq"

class Job
  include Sidekiq::Worker
  sidekiq_options retry: 0

  def perform(id, seconds)
    Sidekiq.redis { |r| r.rpush("started", id) }
    sleep seconds
    Sidekiq.redis { |r| r.rpush("done", id) }
  end
end
