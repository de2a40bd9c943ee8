# One part of a piece of work, the INDEXth.
require "sidekiq"

Sidekiq.redis { |r| r.rpush("backfill", ENV.fetch("INDEX")) }
