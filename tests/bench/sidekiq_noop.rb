# Sidekiq's side of the jobs' measurement: a job that does nothing. `ruby sidekiq_noop.rb fill N` fills the list.
require "sidekiq"
Sidekiq.configure_server { |c| c.redis = { path: ENV.fetch("BENCH_REDIS"), db: 6 }; c.log_formatter = Sidekiq::Logger::Formatters::WithoutTimestamp.new; c.logger.level = Logger::WARN }
Sidekiq.configure_client { |c| c.redis = { path: ENV.fetch("BENCH_REDIS"), db: 6 } }

class Noop
  include Sidekiq::Worker
  sidekiq_options queue: "noop"
  def perform; end
end

if ARGV[0] == "fill"
  ARGV[1].to_i.times.each_slice(1000) { |slice| Sidekiq::Client.push_bulk("class" => Noop, "args" => slice.map { [] }) }
end
