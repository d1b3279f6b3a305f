#include <utility>

#include "logging/logging.h"
#include "server/kafka/gateways.h"

namespace smsflow::server {

// The lease was written and synced before it comes here: that is the mark. What is handed over `again`, after a
// restart, may have been produced before and is not produced any more; what the producer could not tell of, neither.
class OldGateway::Link final : public engine::PeerLink, public std::enable_shared_from_this<OldGateway::Link> {
 public:
  Link(std::string topic, const Gateways::Parts& parts) : topic_(std::move(topic)), parts_(parts) {}

  void Send(std::vector<engine::Lease> leases) override {
    for (engine::Lease& lease : leases) {
      if (lease.again) continue;
      kafka::SendSms sms;
      sms.attempt = lease.attempt;
      sms.client = std::move(lease.tenant);
      sms.deadline_ms = lease.deadline_ms;
      sms.payload = std::move(lease.payload);
      Produce({kafka::EncodeSendSms(sms), lease.deadline_ms});
    }
  }
  void Send(std::vector<engine::Probe>) override {}  // nobody there would answer
  void Close(const absl::Status&) override {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    unsent_.clear();
  }
  bool Full() const override {
    constexpr std::int64_t kStuckMs = 5'000;
    return parts_.outlet->Congested(this, kStuckMs);
  }

  // What the broker never got.
  void SendUnsent() {
    std::vector<Marked> unsent;
    {
      const std::lock_guard lock(mutex_);
      unsent.swap(unsent_);
    }
    for (Marked& one : unsent)
      if (parts_.clock->WallMs() < one.deadline_ms) Produce(std::move(one));
  }

 private:
  struct Marked {
    kafka::Outgoing record;
    std::int64_t deadline_ms = 0;
  };

  // The broker has not got it: there was no room, no such topic yet, or no right to write there. Where an earlier try
  // may have left it there, the outlet says ABORTED, whatever the last one came to.
  static bool NeverLeft(const absl::Status& status) {
    return absl::IsResourceExhausted(status) || absl::IsNotFound(status) || absl::IsPermissionDenied(status);
  }

  void Produce(Marked one) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
    }
    const kafka::Outgoing record = one.record;
    parts_.outlet->Produce(
        topic_, kafka::kAnyPartition, record,
        [link = weak_from_this(), one = std::move(one)](const absl::Status& status) mutable {
          const auto still = link.lock();
          if (still == nullptr || status.ok()) return;
          if (NeverLeft(status)) return still->Keep(std::move(one));
          Log(LogLevel::kError, "kafka: nobody knows whether an attempt left",
              {{"attempt", one.record.key}, {"why", std::string(status.message())}});
        },
        this);
  }
  void Keep(Marked one) {
    const std::lock_guard lock(mutex_);
    if (!closed_) unsent_.push_back(std::move(one));
  }

  const std::string topic_;
  const Gateways::Parts parts_;
  std::mutex mutex_;
  std::vector<Marked> unsent_;
  bool closed_ = false;
};

const PeerId& OldGateway::Name() {
  static const auto* const name = new PeerId{"kafka", "00000000-0000-0000-0000-000000000000"};
  return *name;
}

OldGateway::OldGateway(std::string topic, std::set<std::string> tenants, std::uint32_t window, Gateways::Parts parts)
    : tenants_(std::move(tenants)),
      window_(window),
      parts_(parts),
      link_(std::make_shared<Link>(std::move(topic), parts)) {}
OldGateway::~OldGateway() { Stop(); }

absl::Status OldGateway::Start() {
  engine::PeerHello hello;
  hello.peer = Name();
  hello.tenants.assign(tenants_.begin(), tenants_.end());
  auto session = parts_.engine->Attach(std::move(hello), link_);
  if (!session.ok()) return session.status();
  session_ = *std::move(session);
  session_->AddCredit(window_);
  return absl::OkStatus();
}

void OldGateway::Tick() {
  link_->SendUnsent();
  const bool full = link_->Full();
  if (std::exchange(was_full_, full) && !full && session_ != nullptr) session_->AddCredit(0);
}

void OldGateway::Stop() {
  session_.reset();
  link_->Close(absl::OkStatus());
}

}  // namespace smsflow::server
