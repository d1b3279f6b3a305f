#include "tests/sim/pair/pair_link.h"

#include <algorithm>
#include <span>
#include <utility>

#include "gateway/wire.h"
#include "server/grpc/attach_wire.h"

namespace smsflow::sim {

namespace v1 = smsflow::v1;

// One `Gateway.Attach`. The engine holds its end for as long as it wants.
struct PairLink::Stream {
  bool gateway_on = true, engine_on = true;  // that end knows of no end
  bool broken = false;                       // nothing gets through any more
  bool closing = false;                      // by the engine
  bool was_full = false;
  std::deque<Message> up, down;
  v1::EngineMessage answers;  // not sent yet
  PeerId peer;
  std::unique_ptr<engine::PeerSession> session;
};

class PairLink::EngineEnd : public engine::PeerLink {
 public:
  EngineEnd(PairLink& link, std::shared_ptr<Stream> stream) : link_(link), stream_(std::move(stream)) {}

  void Send(std::vector<engine::Lease> leases) override {
    if (stream_->closing) link_.events_.violated("a lease was sent over a closed link");
    v1::EngineMessage message;
    const std::size_t count = leases.size();
    for (engine::Lease& lease : leases) {
      if (link_.events_.handed) link_.events_.handed(stream_->peer, lease);
      server::FillLease(std::move(lease), message.mutable_leases()->add_leases());
    }
    server::SealMarks(link_.keys_, *message.mutable_leases());
    link_.SendDown(*stream_, std::move(message), count);
  }
  void Send(std::vector<engine::Probe> probes) override {
    v1::EngineMessage message;
    for (const engine::Probe& probe : probes) {
      v1::Probe* out = message.mutable_probes()->add_probes();
      out->set_attempt_id(probe.attempt.ToString());
      out->set_deadline_ms(probe.deadline_ms);
    }
    link_.SendDown(*stream_, std::move(message), 0);
  }
  void Close(const absl::Status&) override { stream_->closing = true; }
  bool Full() const override {
    stream_->was_full |= stream_->down.size() >= link_.options_.unsent_max;
    return stream_->down.size() >= link_.options_.unsent_max;
  }

 private:
  PairLink& link_;
  const std::shared_ptr<Stream> stream_;
};

PairLink::PairLink(PairLinkOptions options, std::mt19937_64& random, const storage::IndexKeys& keys,
                   PairLinkEvents events)
    : options_(options), random_(random), keys_(keys), events_(std::move(events)) {}
PairLink::~PairLink() = default;

void PairLink::EngineGone() {
  engine_ = nullptr;
  for (const auto& stream : streams_) {
    stream->session.reset();
    stream->engine_on = false;
    stream->up.clear();
    if (!stream->down.empty()) stream->down.resize(Below(stream->down.size() + 1));
  }
}

void PairLink::GatewayGone() {
  gateway_ = nullptr;
  attached_ = false;
  current_.reset();
  for (const auto& stream : streams_) {
    stream->gateway_on = false;
    stream->down.clear();
    if (!stream->up.empty()) stream->up.resize(Below(stream->up.size() + 1));
  }
}

void PairLink::Cut() {
  for (const auto& stream : streams_) {
    stream->broken = true;
    stream->up.clear();
    stream->down.clear();
  }
}

void PairLink::Detach() {
  current_.reset();
  if (std::exchange(attached_, false)) gateway_->OnDetached(absl::UnavailableError("the stream ended"));
}

void PairLink::SendDown(Stream& stream, v1::EngineMessage message, std::size_t holds) {
  if (events_.down) events_.down(message);
  if (!stream.broken && stream.gateway_on) stream.down.emplace_back(message.SerializeAsString(), holds);
}

void PairLink::SendUp(Stream& stream, v1::GatewayMessage message, std::size_t holds) {
  if (events_.up) events_.up(message);
  if (!stream.broken && stream.engine_on) stream.up.emplace_back(message.SerializeAsString(), holds);
}

void PairLink::Connect() {
  current_ = std::make_shared<Stream>();
  streams_.push_back(current_);
  v1::GatewayMessage message;
  *message.mutable_hello() = gateway::HelloOf(gateway_->Hello());
  SendUp(*current_, message, 0);
  message.mutable_credit()->set_more(options_.credit);
  SendUp(*current_, message, 0);
}

void PairLink::Report(std::vector<gateway::Report> reports) {
  if (events_.told)
    for (const gateway::Report& report : reports) events_.told(report);
  if (!attached_) return;
  // One message or several, as they happen to be taken from a queue.
  for (std::size_t from = 0; from < reports.size();) {
    const std::size_t some = 1 + Below(reports.size() - from);
    v1::GatewayMessage message;
    *message.mutable_reports() = gateway::ReportsOf(std::span(reports).subspan(from, some));
    SendUp(*current_, std::move(message), some);
    from += some;
  }
}

int PairLink::Copies(std::deque<Message>& queue) {
  if (!options_.stray || Below(12) != 0) return 1;
  ++strays_;
  switch (Below(3)) {
    case 0:
      return 0;
    case 1:
      return 2;
    default:
      if (queue.size() > 1) std::swap(queue[0], queue[1]);
      return 1;
  }
}

bool PairLink::Step() {
  bool moved = false;
  for (const auto& stream : std::vector(streams_)) moved |= Move(stream);
  std::erase_if(streams_, [](const auto& stream) { return !stream->gateway_on && !stream->engine_on; });
  if (current_ == nullptr && gateway_ != nullptr && engine_ != nullptr && Below(4) == 0) {
    Connect();
    moved = true;
  }
  return moved;
}

bool PairLink::Move(const std::shared_ptr<Stream>& stream) {
  if (!stream->answers.answers().answers().empty()) Answer(*stream);
  const std::size_t before = stream->up.size() + stream->down.size();
  for (std::size_t some = 1 + Below(6); some > 0 && !stream->up.empty() && stream->engine_on; --some) MoveUp(stream);
  for (std::size_t some = 1 + Below(6); some > 0 && !stream->down.empty() && stream == current_; --some)
    MoveDown(stream);
  const bool full = stream->down.size() >= options_.unsent_max;
  if (stream->was_full && !full && stream->session != nullptr) {
    stream->was_full = false;
    stream->session->AddCredit(0);
  }
  return Learn(*stream) || before != 0;
}

// That the other end is gone. True: there is something to be learnt.
bool PairLink::Learn(Stream& stream) {
  bool something = false;
  const bool gateways = current_.get() == &stream;
  if (stream.engine_on && (stream.closing || (!stream.gateway_on && stream.up.empty()) || stream.broken)) {
    something = true;
    if (stream.closing || Below(6) == 0) {
      stream.engine_on = false;
      stream.session.reset();
      stream.up.clear();
    }
  }
  if (gateways && ((!stream.engine_on && stream.down.empty()) || stream.broken)) {
    something = true;
    if (Below(4) == 0) {
      stream.gateway_on = false;
      stream.down.clear();
      Detach();
    }
  }
  return something;
}

void PairLink::MoveUp(const std::shared_ptr<Stream>& stream) {
  const bool reports = stream->up.front().second != 0;  // greetings and credit come once
  const int copies = reports ? Copies(stream->up) : 1;
  const auto [bytes, holds] = std::move(stream->up.front());
  stream->up.pop_front();
  for (int copy = 0; copy < copies && stream->engine_on; ++copy) Hear(stream, bytes);
  if (stream == current_ && attached_ && holds != 0) gateway_->OnGone(holds);
}

void PairLink::MoveDown(const std::shared_ptr<Stream>& stream) {
  const int copies = attached_ ? Copies(stream->down) : 1;
  const auto [bytes, holds] = std::move(stream->down.front());
  stream->down.pop_front();
  for (int copy = 0; copy < copies; ++copy) Take(bytes);
}

// At the engine's end.
void PairLink::Hear(const std::shared_ptr<Stream>& stream, const std::string& bytes) {
  v1::GatewayMessage message;
  message.ParseFromString(bytes);
  if (message.has_hello() && !Attach(stream, message.hello())) {
    stream->engine_on = false;
    stream->up.clear();
    return;
  }
  if (message.has_credit()) stream->session->AddCredit(message.credit().more());
  if (message.has_reports()) HearReports(stream, message.reports());
}

bool PairLink::Attach(const std::shared_ptr<Stream>& stream, const v1::Hello& hello) {
  server::Caller caller;
  caller.name = "pair";
  server::Violations violations;
  auto known = server::HelloOf(hello, caller, keys_, violations);
  if (!known.ok()) {
    events_.violated("a Hello cannot be read: " + known.status().ToString());
    return false;
  }
  stream->peer = known->peer;
  auto session = engine_->Attach(*std::move(known), std::make_shared<EngineEnd>(*this, stream));
  if (!session.ok()) return false;  // another store's stream still lives
  stream->session = *std::move(session);
  ++attachments_;
  v1::EngineMessage welcome;
  welcome.mutable_welcome();
  stream->down.emplace_front(welcome.SerializeAsString(), 0);  // before what Attach() itself may have sent
  return true;
}

void PairLink::HearReports(const std::shared_ptr<Stream>& stream, const v1::Reports& reports) {
  for (const v1::Report& report : reports.reports()) {
    auto known = server::ReportOf(report);
    if (!known.ok()) return events_.violated("a report cannot be read: " + known.status().ToString());
    stream->session->Report(known->attempt, std::move(known->event),
                            [stream, tag = report.tag()](engine::ReportAnswer answer) {
                              if (!stream->engine_on) return;
                              v1::ReportAnswer* out = stream->answers.mutable_answers()->add_answers();
                              out->set_tag(tag);
                              out->set_attempt_id(answer.attempt.ToString());
                              out->set_outcome(server::OutcomeOf(answer.outcome));
                            });
  }
}

void PairLink::Answer(Stream& stream) {
  const std::size_t count = static_cast<std::size_t>(stream.answers.answers().answers_size());
  if (stream.engine_on) SendDown(stream, std::move(stream.answers), count);
  stream.answers.Clear();
}

// At the gateway's end.
void PairLink::Take(const std::string& bytes) {
  v1::EngineMessage message;
  message.ParseFromString(bytes);
  if (message.has_welcome()) {
    attached_ = true;
    gateway_->OnAttached();
  }
  if (message.has_leases()) gateway_->OnLeases(gateway::LeasesOf(message.leases()));
  if (message.has_probes()) gateway_->OnProbes(gateway::ProbesOf(message.probes()));
  if (message.has_answers()) gateway_->OnAnswers(gateway::AnswersOf(message.answers()));
}

}  // namespace smsflow::sim
