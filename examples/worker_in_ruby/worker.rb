# A worker in Ruby for one job type: it counts the words of the payload's text.
#
#   ruby worker.rb DESCRIPTORS SCHEDULER     (for example carbonline.binpb unix:/run/scheduler)
#
# It shows all that a worker owes the scheduler: claim, send heartbeats, stop in time, finish until
# answered, end when it is told to drain, and release what is left on SIGTERM. Nothing here is generated: the messages are made of
# the descriptors.
require 'grpc'
require 'securerandom'
require 'google/protobuf/descriptor_pb'
require 'google/protobuf/duration_pb'
require 'google/protobuf/struct_pb'
require 'google/protobuf/timestamp_pb'

JOB_TYPE = 'word_count'.freeze # Declared in job_types.toml.
WAIT_SECONDS = 5
CALL_SECONDS = 10

descriptors, address = ARGV
pool = Google::Protobuf::DescriptorPool.generated_pool
files = Google::Protobuf::FileDescriptorSet.decode(File.binread(descriptors)).file.reject do |file|
  file.name.start_with?('google/')
end
files.each { |file| pool.add_serialized_file(file.to_proto) }
# All of them, and for good: the library forgets a class that nobody holds.
CLASSES = files.flat_map { |file| file.message_type.map(&:name) }.to_h do |name|
  [name, pool.lookup("carbonline.v1.#{name}").msgclass]
end
V1 = ->(name) { CLASSES.fetch(name) }
WRITTEN_NOTHING, DRAIN, CANCELLED = :WRITTEN_NOTHING, :RELEASE_REASON_DRAIN, :RELEASE_REASON_CANCELLED
TOLD_TO_DRAIN = :WORKER_DIRECTIVE_DRAIN

class SchedulerService
  include GRPC::GenericService
  self.marshal_class_method = :encode
  self.unmarshal_class_method = :decode
  self.service_name = 'carbonline.v1.SchedulerService'
  %w[Claim Heartbeat Finish Release].each do |name|
    rpc name.to_sym, V1.call("#{name}Request"), V1.call("#{name}Response")
  end
end
STUB = SchedulerService.rpc_stub_class.new(address, :this_channel_is_insecure)
WORKER = SecureRandom.uuid
$drain = false
Signal.trap('TERM') { $drain = true }

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
def seconds(duration) = duration.nil? ? 0.0 : duration.seconds + duration.nanos / 1e9

# Every RPC is safe to repeat. UNAVAILABLE, a missed deadline, and CANCELLED, with which a server that
# ends cuts a call, ask for it.
def ask(method, request, until_at: nil)
  pause = 0.1
  begin
    STUB.public_send(method, request, deadline: Time.now + CALL_SECONDS + WAIT_SECONDS)
  rescue GRPC::Unavailable, GRPC::DeadlineExceeded, GRPC::Cancelled
    raise if until_at && now > until_at

    sleep(pause * rand(0.5..1.0))
    pause = [2.0, 2 * pause].min
    retry
  end
end

# One claim: its lease, and whether the handler must stop.
class Held
  attr_reader :job, :token, :directive

  def initialize(claimed, asked_at)
    @job, @token = claimed.job, claimed.claim_token
    @interval, @margin = seconds(claimed.heartbeat_interval), seconds(claimed.commit_margin)
    @ends_at = asked_at + seconds(claimed.lease) # Counted from before the request was sent.
    @directive = :CLAIM_DIRECTIVE_CONTINUE
    @beats = Thread.new { beat }
  end

  # Nothing is committed in the margin; the handler stops as much earlier again, to have ended by then.
  def stop? = @directive != :CLAIM_DIRECTIVE_CONTINUE || now >= @ends_at - 2 * @margin
  def end_beats = @beats.kill

  def beat
    loop do
      sleep @interval
      sent_at = now
      beat = V1.call('ClaimBeat').new(job_id: job.job_id, claim_token: token)
      answer = ask(:heartbeat, V1.call('HeartbeatRequest').new(worker_id: WORKER, beats: [beat]), until_at: @ends_at)
      @directive = answer.answers.first.directive
      @ends_at = [@ends_at, sent_at + seconds(answer.answers.first.lease_left)].max
    rescue GRPC::BadStatus
      next # The lease runs down, and the handler is stopped in time.
    end
  end
end

def run(claimed, asked_at)
  held = Held.new(claimed, asked_at)
  text = claimed.payload&.fields&.[]('text')&.string_value.to_s
  words = 0
  text.split.each do
    break if held.stop?

    words += 1
  end
  held.stop? ? stopped(held) : finish(held, words)
ensure
  held&.end_beats
end

def finish(held, words)
  stats = Google::Protobuf::Struct.new
  stats.fields['words'] = Google::Protobuf::Value.new(number_value: words)
  answer = ask(:finish, V1.call('FinishRequest').new(
    worker_id: WORKER, job_id: held.job.job_id, claim_token: held.token, stats: stats,
    result: :JOB_RESULT_SUCCESS, message: "#{words} words.", written: WRITTEN_NOTHING
  ))
  # finished = false: another claim decides. There is nothing to roll back here.
  puts "job #{held.job.job_id}: #{answer.outcome}"
end

# LOST: stop the handler, roll back, and forget the claim. Otherwise release it.
def stopped(held)
  return if held.directive == :CLAIM_DIRECTIVE_LOST

  release([held.job.job_id, held.token], held.directive == :CLAIM_DIRECTIVE_CANCEL ? CANCELLED : DRAIN)
end

def release(claim, reason)
  one = V1.call('ClaimRelease').new(job_id: claim[0], claim_token: claim[1], reason: reason, written: WRITTEN_NOTHING)
  ask(:release, V1.call('ReleaseRequest').new(worker_id: WORKER, releases: [one]))
end

$stdout.sync = true
puts "worker #{WORKER} claims #{JOB_TYPE}"
until $drain
  asked_at = now
  request = V1.call('ClaimRequest').new(
    worker_id: WORKER, request_id: SecureRandom.uuid, job_types: [JOB_TYPE], max_jobs: 1,
    wait: Google::Protobuf::Duration.new(seconds: WAIT_SECONDS), build_id: 'ruby-1', host: `hostname`.strip
  )
  answer = ask(:claim, request)
  answer.jobs.each do |claimed|
    $drain ? release([claimed.job.job_id, claimed.claim_token], DRAIN) : run(claimed, asked_at)
  end
  # An operator drains this worker: it gets no jobs any more.
  $drain = true if answer.directive == TOLD_TO_DRAIN
end
# The last heartbeat, without beats: this worker has ended, and is not listed as lost.
ask(:heartbeat, V1.call('HeartbeatRequest').new(worker_id: WORKER, draining: true))
