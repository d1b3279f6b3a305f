#include "server/grpc/gateway_service.h"

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "logging/logging.h"
#include "server/grpc/answering_stream.h"
#include "server/grpc/attach_wire.h"
#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

constexpr std::uint32_t kCreditMax = 1'000'000;
constexpr std::size_t kOpenReportsMax = 50'000;  // read, but their answers are not sent
constexpr int kReportsMax = 10'000;              // of one message
constexpr std::size_t kProbesMax = 100'000;      // beyond it they are dropped: the engine asks again
constexpr std::size_t kMessageBytes = 1 << 20;   // leases of one message, about
constexpr std::int64_t kCongestedLookMs = 5;

// One attached gateway. The engine holds the link for as long as it wants; the call behind it may be gone by then.
class AttachCall;

class Link final : public engine::PeerLink {
 public:
  Link(AttachCall* call, std::uint64_t unsent_max) : call_(call), unsent_max_(unsent_max) {}
  void Send(std::vector<engine::Lease> leases) override;
  void Send(std::vector<engine::Probe> probes) override;
  void Close(const absl::Status& why) override;
  bool Full() const override { return unsent_.load(std::memory_order_relaxed) >= unsent_max_; }
  void Queued(std::uint64_t bytes) { unsent_.fetch_add(bytes, std::memory_order_relaxed); }
  // True: there is room again, and the engine must be told.
  bool Left(std::uint64_t bytes) {
    const std::uint64_t before = unsent_.fetch_sub(bytes, std::memory_order_relaxed);
    return before >= unsent_max_ && before - bytes < unsent_max_;
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    call_ = nullptr;
  }

 private:
  std::mutex mutex_;
  AttachCall* call_;
  const std::uint64_t unsent_max_;
  std::atomic<std::uint64_t> unsent_{0};  // bytes of leases that were queued and not yet written
};

std::uint64_t BytesOf(const engine::Lease& lease) { return 200 + lease.payload.size(); }

class AttachCall final : public AnsweringStream<v1::GatewayMessage, v1::EngineMessage> {
 public:
  AttachCall(BidiStream<v1::GatewayMessage, v1::EngineMessage>* stream, const Doors& doors, OpenStreams& streams,
             Caller caller)
      : AnsweringStream(stream, streams),
        doors_(doors),
        caller_(std::move(caller)),
        link_(std::make_shared<Link>(this, doors.limits.unsent_bytes)) {}

  void Queue(std::vector<engine::Lease> leases) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      for (engine::Lease& lease : leases) {
        link_->Queued(BytesOf(lease));
        leases_.push_back(std::move(lease));
      }
    }
    FlushSoon();
  }
  void Queue(std::vector<engine::Probe> probes) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || probes_.size() + probes.size() > kProbesMax) return;
      probes_.insert(probes_.end(), probes.begin(), probes.end());
    }
    FlushSoon();
  }

 private:
  struct Answered {
    std::uint64_t tag;
    AttemptId attempt;
    v1::ReportAnswer::Outcome outcome;
  };

  void OnReadDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      ++busy_;
    }
    const absl::Status status = Handle();
    request_.Clear();
    const std::lock_guard lock(mutex_);
    --busy_;
    if (!status.ok()) return EndLocked(status);
    if (ending_) return FinishIfDone();
    ReadOn();
  }

  // REQUIRES mutex_ held and no read on its way.
  void ReadOn() {
    if (session_ != nullptr && session_->Congested()) {
      ++busy_;
      look_again_.Set(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kCongestedLookMs, GPR_TIMESPAN)),
                      [this](bool) { LookAgain(); });
    } else if (open_reports_ >= kOpenReportsMax) {
      paused_ = true;  // the end of a write goes on
    } else {
      StartRead(&request_);
    }
  }
  void LookAgain() {
    const std::lock_guard lock(mutex_);
    --busy_;
    if (ending_) return FinishIfDone();
    ReadOn();
  }

  absl::Status Handle() {
    const auto kind = request_.message_case();
    if (session_ == nullptr) {
      if (kind != v1::GatewayMessage::kHello) return absl::InvalidArgumentError("hello: must come first");
      return HandleHello();
    }
    switch (kind) {
      case v1::GatewayMessage::kHello:
        return absl::InvalidArgumentError("hello: must come once");
      case v1::GatewayMessage::kCredit:
        if (request_.credit().more() > kCreditMax) {
          return absl::InvalidArgumentError("credit.more: must be at most 1000000");
        }
        session_->AddCredit(request_.credit().more());
        return absl::OkStatus();
      case v1::GatewayMessage::kReports:
        return HandleReports();
      case v1::GatewayMessage::kKeepAlive:
        return absl::OkStatus();
      case v1::GatewayMessage::MESSAGE_NOT_SET:
        break;
    }
    return absl::InvalidArgumentError("message: must be one of hello, credit, reports and keep_alive");
  }

  absl::Status HandleHello() {
    Violations violations;
    auto hello = HelloOf(request_.hello(), caller_, doors_.reader->index_keys(), violations);
    if (!hello.ok()) return hello.status();
    if (const auto unsealed = request_.hello().marks_size() - static_cast<int>(hello->marks.size()); unsealed != 0) {
      Log(LogLevel::kWarn, "a gateway shows marks that this data folder never gave out; they count for nothing",
          {{"gateway", hello->peer.gateway}, {"credential", caller_.name}, {"marks", std::to_string(unsealed)}});
    }
    // Leases may come before Attach() returns; they wait until the welcome is on its way.
    auto session = doors_.engine->Attach(*std::move(hello), link_);
    if (!session.ok()) return session.status();
    {
      const std::lock_guard lock(mutex_);
      session_ = *std::move(session);
      welcome_ = true;
    }
    FlushSoon();
    return absl::OkStatus();
  }

  absl::Status HandleReports() {
    if (request_.reports().reports_size() > kReportsMax) {
      return absl::InvalidArgumentError("reports.reports: must be at most 10000 in a message");
    }
    for (const v1::Report& report : request_.reports().reports()) {
      auto reported = ReportOf(report);
      if (!reported.ok()) return reported.status();
      {
        const std::lock_guard lock(mutex_);
        ++open_reports_;
      }
      session_->Report(reported->attempt, std::move(reported->event),
                       [this, tag = report.tag()](engine::ReportAnswer answer) {
                         Take({tag, answer.attempt, OutcomeOf(answer.outcome)});
                       });
    }
    return absl::OkStatus();
  }

  void Take(const Answered& answered) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(answered);
      // In one breath: with its last answer taken, and no flush to come, the call could end.
      if (flushing_) return;
      flushing_ = true;
    }
    doors_.answers->Run([this] { Flush(); });
  }

  void FlushSoon() {
    {
      const std::lock_guard lock(mutex_);
      // Nobody waits for the flush of one that is ending: it could be gone by then.
      if (ending_ || flushing_ || session_ == nullptr) return;
      flushing_ = true;
    }
    doors_.answers->Run([this] { Flush(); });
  }

  // On the thread that serves calls; once at a time, `flushing_` sees to that.
  void Flush() {
    response_.Clear();
    {
      const std::lock_guard lock(mutex_);
      if (broken_ || ending_) {
        // Nobody hears it any more: leases stay with this store, and reports come again.
        open_reports_ -= answers_.size();
        answers_.clear();
        leases_.clear();
        probes_.clear();
      }
      sending_ = 0;
      if (!Fill()) {
        flushing_ = false;
        return FinishIfDone();
      }
    }
    StartWrite(&response_);
  }

  // REQUIRES mutex_ held. The next message; false when there is none.
  bool Fill() {
    if (ending_ || broken_) return false;
    if (std::exchange(welcome_, false)) {
      response_.mutable_welcome()->set_engine_epoch(doors_.engine_epoch);
      response_.mutable_welcome()->set_shards(doors_.shards);
    } else if (!answers_.empty()) {
      auto* answers = response_.mutable_answers()->mutable_answers();
      answers->Reserve(static_cast<int>(answers_.size()));
      for (const Answered& one : answers_) {
        v1::ReportAnswer* answer = answers->Add();
        answer->set_tag(one.tag);
        answer->set_attempt_id(one.attempt.ToString());
        answer->set_outcome(one.outcome);
      }
      sending_ = answers_.size();
      answers_.clear();
    } else if (!leases_.empty()) {
      std::size_t bytes = 0;
      for (; !leases_.empty() && bytes < kMessageBytes; leases_.pop_front()) {
        bytes += BytesOf(leases_.front());
        FillLease(std::move(leases_.front()), response_.mutable_leases()->add_leases());
      }
      leaving_bytes_ = bytes;
      SealMarks(doors_.reader->index_keys(), *response_.mutable_leases());
    } else if (!probes_.empty()) {
      for (const engine::Probe& probe : probes_) {
        v1::Probe* out = response_.mutable_probes()->add_probes();
        out->set_attempt_id(probe.attempt.ToString());
        out->set_deadline_ms(probe.deadline_ms);
      }
      probes_.clear();
    } else {
      return false;
    }
    return true;
  }

  void OnWriteDone(bool ok) override {
    // Not before: until then the gateway may not be reading at all.
    if (link_->Left(std::exchange(leaving_bytes_, 0))) session_->AddCredit(0);
    {
      const std::lock_guard lock(mutex_);
      open_reports_ -= sending_;
      if (!ok) broken_ = true;
      if (paused_ && !ending_ && open_reports_ < kOpenReportsMax) {
        paused_ = false;
        ReadOn();
      }
    }
    Flush();
  }

  // The answers that are to be sent are dropped when it ends.
  bool Owes() const override { return busy_ != 0 || open_reports_ != answers_.size(); }
  void OnLast() override {
    link_->Forget();
    session_.reset();
  }

  const Doors& doors_;
  const Caller caller_;
  const std::shared_ptr<Link> link_;
  grpc::Alarm look_again_;

  // Under mutex_.
  std::unique_ptr<engine::PeerSession> session_;
  std::deque<engine::Lease> leases_;
  std::vector<engine::Probe> probes_;
  std::vector<Answered> answers_;
  std::size_t open_reports_ = 0;
  std::size_t sending_ = 0;
  std::size_t leaving_bytes_ = 0;  // of leases in the one write on its way
  int busy_ = 0;                   // a message is being handled, or a look is planned
  bool welcome_ = false;           // is to be sent
  bool paused_ = false;            // not read from until answers are gone
};

void Link::Send(std::vector<engine::Lease> leases) {
  const std::lock_guard lock(mutex_);
  if (call_ != nullptr) call_->Queue(std::move(leases));
}
void Link::Send(std::vector<engine::Probe> probes) {
  const std::lock_guard lock(mutex_);
  if (call_ != nullptr) call_->Queue(std::move(probes));
}
void Link::Close(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  if (call_ != nullptr) call_->End(why);
}

}  // namespace

void GatewayService::Attach(BidiStream<v1::GatewayMessage, v1::EngineMessage>* stream) {
  auto caller = CallerOf(doors_, *stream, kGateway);
  if (!caller.ok()) return stream->Finish(ToGrpc(caller.status()));
  auto* call = new AttachCall(stream, doors_, streams_, *std::move(caller));
  call->Begin();
}

}  // namespace smsflow::server
