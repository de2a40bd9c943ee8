# What the workers do. Each job is written down twice, so that a lost one shows.
require "sidekiq"

class Job
  include Sidekiq::Worker

  def perform(id, seconds)
    Sidekiq.redis { |r| r.rpush("started", id) }
    sleep seconds
    Sidekiq.redis { |r| r.rpush("done", id) }
  end
end
