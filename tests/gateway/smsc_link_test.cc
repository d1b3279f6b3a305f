// The link over real sockets, against the simulator in this process.
#include "gateway/smsc_link.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "smpp/codec.h"
#include "smpp/receipt.h"
#include "tests/gateway/running_smsc.h"

namespace smsflow::gateway {
namespace {

using smpp::OutcomeKind;

// Of a test authority that is its own: 127.0.0.1, valid for a hundred years. The key opens nothing else.
constexpr char kCertPem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBkDCCATagAwIBAgIUO0j2mz+VSDLzL3Ctv3kW1oilLxUwCgYIKoZIzj0EAwIw\n"
    "FDESMBAGA1UEAwwJc21zYy10ZXN0MCAXDTI2MTEyMTE5MzAxM1oYDzIxMjYxMDI4\n"
    "MTkzMDEzWjAUMRIwEAYDVQQDDAlzbXNjLXRlc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
    "PQMBBwNCAASoQYiluyaZyEb/fnWqoBT3t13XnEYHpvRUuFM9IRlzxhcv1Vem3lyE\n"
    "g46bEi3DTZffjCdFTRTWGtTzXlWahtKeo2QwYjAdBgNVHQ4EFgQUpaJixbj4UJLC\n"
    "xNPZAz2JF+qbNzEwHwYDVR0jBBgwFoAUpaJixbj4UJLCxNPZAz2JF+qbNzEwDwYD\n"
    "VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC\n"
    "IHgU1PuoxvSipM5jnjRexarDh3LszIJc6rLDr+mgrg3VAiEA2PWh2JoZp0a6Opkd\n"
    "+3wIt+gusr4aD+m2Munm9/hAMkY=\n"
    "-----END CERTIFICATE-----\n";
constexpr char kKeyPem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMQgMvybyk/inq10/\n"
    "JxiKG4hYu9FKL8nZwwYB/Fz3e5ShRANCAASoQYiluyaZyEb/fnWqoBT3t13XnEYH\n"
    "pvRUuFM9IRlzxhcv1Vem3lyEg46bEi3DTZffjCdFTRTWGtTzXlWahtKe\n"
    "-----END PRIVATE KEY-----\n";

// What the link told; acknowledges every delivery.
class Ear : public SmscLinkEvents {
 public:
  void OnOutcome(const smpp::action::Outcome& outcome) override {
    const std::lock_guard lock(mutex_);
    ++kinds_[outcome.kind];
    wake_.notify_all();
  }
  void OnDelivery(const smpp::action::Delivery& delivery) override {
    smpp::Refusal why;
    const auto pdu = smpp::Decode(delivery.frame, why);
    const auto receipt = pdu.ok() ? smpp::ReadReceipt(*pdu) : std::nullopt;
    link->Acknowledge(delivery.key, smpp::CommandStatus::kOk);
    const std::lock_guard lock(mutex_);
    if (receipt) receipts_.insert(std::string(receipt->text_id));
    wake_.notify_all();
  }
  void OnNotice(const smpp::action::Notice& notice) override {
    const std::lock_guard lock(mutex_);
    ++notices_[notice.event];
    wake_.notify_all();
  }

  template <typename Condition>
  [[nodiscard]] bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, std::chrono::seconds(60), condition);
  }
  int Kind(OutcomeKind kind) { return kinds_[kind]; }
  int Outcomes() {
    int all = 0;
    for (const auto& [kind, count] : kinds_) all += count;
    return all;
  }
  int Notices(smpp::action::Event event) { return notices_[event]; }
  std::size_t Receipts() { return receipts_.size(); }

  SmscLink* link = nullptr;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<OutcomeKind, int> kinds_;
  std::map<smpp::action::Event, int> notices_;
  std::multiset<std::string> receipts_;
};

class SmscLinkTest : public ::testing::Test {
 protected:
  void Begin(std::uint16_t port, bool pair = false, const std::string& ca_pem = "",
             const std::string& host = "127.0.0.1", std::int64_t response_ms = 60'000) {
    SmscLinkOptions options{.host = host, .port = port, .pair = pair, .tls = !ca_pem.empty(), .ca_pem = ca_pem};
    options.session.system_id = "esme";
    options.session.again_least_ms = 20;
    options.session.again_most_ms = 100;
    options.session.throttle_least_ms = 20;
    options.session.response_ms = response_ms;
    auto link = SmscLink::Make(options, clock_, ear_);
    ASSERT_TRUE(link.ok()) << link.status();
    link_ = std::move(*link);
    ear_.link = link_.get();
    link_->Start();
  }
  void Submit(int count) {
    for (int i = 0; i < count; ++i) {
      const smpp::Pdu pdu{.header = {.id = smpp::CommandId::kSubmitSm},
                          .body = smpp::Sm{.destination = {.ton = 1, .npi = 1, .digits = "255700000001"},
                                           .registered_delivery = smpp::kReceiptAlways,
                                           .short_message = "x"},
                          .tlvs = {}};
      ASSERT_TRUE(link_->Submit(++token_, pdu, clock_.SteadyMs() + 60'000, {}).ok());
    }
  }

  engine::Clock& clock_ = engine::SystemClock();
  Ear ear_;
  smpp::SubmitToken token_ = 0;
  std::unique_ptr<SmscLink> link_;
};

TEST_F(SmscLinkTest, SubmitsHearsReceiptsAndUnbinds) {
  RunningSmsc smsc("[receipt]\ndelay_ms = [0, 20]");
  Begin(smsc.port());
  Submit(500);
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Kind(OutcomeKind::kAccepted) == 500 && ear_.Receipts() == 500; }));
  link_->Stop();
  EXPECT_EQ(ear_.Notices(smpp::action::Event::kStopped), 1);
  EXPECT_EQ(smsc.truth.Count("\"why\":\"unbind\""), 1);
  EXPECT_EQ(smsc.truth.Count("\"event\":\"delivered\""), 500);
  EXPECT_TRUE(absl::IsFailedPrecondition(link_->Submit(1, {}, 0, {})));
}

TEST_F(SmscLinkTest, ATransmitterAndAReceiver) {
  RunningSmsc smsc("[receipt]\ndelay_ms = 0");
  Begin(smsc.port(), true);
  Submit(50);
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Kind(OutcomeKind::kAccepted) == 50 && ear_.Receipts() == 50; }));
  link_->Stop();
  EXPECT_EQ(smsc.truth.Count("\"command\":\"bind_transmitter\""), 1);
  EXPECT_EQ(smsc.truth.Count("\"command\":\"bind_receiver\""), 1);
  EXPECT_EQ(ear_.Notices(smpp::action::Event::kStopped), 2);
}

TEST_F(SmscLinkTest, ComesBackAfterEveryLossAndTellsWhatIsUnknown) {
  RunningSmsc smsc(
      "[receipt]\ndelay_ms = 0\n[[fault]]\nkind = \"reset\"\nevery = 50\nfrom = 10\n"
      "[[fault]]\nkind = \"close\"\nevery = 70\nfrom = 30\n[[fault]]\nkind = \"refuse\"\nevery = 90\nfrom = 40\n"
      "[[fault]]\nkind = \"drop-response\"\nfrom = 5\nto = 5");
  Begin(smsc.port(), false, "", "127.0.0.1", 3'000);
  Submit(300);
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Outcomes() >= 300; }));
  link_->Stop();
  EXPECT_EQ(ear_.Kind(OutcomeKind::kRefused), 0);
  EXPECT_GE(ear_.Kind(OutcomeKind::kUnknown), 3);
  EXPECT_GE(ear_.Kind(OutcomeKind::kAccepted), 200);
  EXPECT_GE(ear_.Notices(smpp::action::Event::kLost), 3);
  EXPECT_GE(ear_.Notices(smpp::action::Event::kThrottled), 1);
  // Whatever was told, nothing was taken that was not submitted, and nothing twice.
  EXPECT_LE(smsc.truth.Count("\"event\":\"submit\"") - smsc.truth.Count("\"status\":88,"), 300);
}

TEST_F(SmscLinkTest, OverTls) {
  RunningSmsc smsc("[receipt]\ndelay_ms = 0\n[[fault]]\nkind = \"reset\"\nfrom = 20\nto = 20", 0, kCertPem, kKeyPem);
  Begin(smsc.port(), false, kCertPem);
  Submit(50);
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Outcomes() >= 50; }));
  link_->Stop();
  EXPECT_GE(ear_.Kind(OutcomeKind::kUnknown), 1);
  EXPECT_GE(ear_.Kind(OutcomeKind::kAccepted), 30);
  EXPECT_EQ(smsc.truth.Count("\"why\":\"unbind\""), 1);
}

TEST_F(SmscLinkTest, ACertificateOfAnotherHostIsNone) {
  RunningSmsc smsc("", 0, kCertPem, kKeyPem);
  Begin(smsc.port(), false, kCertPem, "localhost");  // it is of 127.0.0.1 alone
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Notices(smpp::action::Event::kLost) >= 2; }));
  link_->Stop();
  EXPECT_EQ(smsc.truth.Count("\"event\":\"bind\""), 0);
}

TEST_F(SmscLinkTest, WaitsForAnSmscThatIsNotThereYet) {
  const HeldPort held;
  Begin(held.port());
  Submit(10);
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Notices(smpp::action::Event::kLost) >= 2; }));
  RunningSmsc smsc("", held.port());
  EXPECT_TRUE(ear_.Wait([this] { return ear_.Kind(OutcomeKind::kAccepted) == 10; }));
}

TEST_F(SmscLinkTest, StopsWithoutEverHavingBeenBound) {
  Begin(1);  // nobody listens there
  Submit(3);
  link_->Stop();
  EXPECT_EQ(ear_.Kind(OutcomeKind::kGivenUp), 3);
}

TEST_F(SmscLinkTest, OptionsHaveRules) {
  const auto refused = [this](SmscLinkOptions options) {
    const auto link = SmscLink::Make(std::move(options), clock_, ear_);
    return std::string(link.status().message());
  };
  EXPECT_EQ(refused({.port = 0}), "host, port: must be there");
  EXPECT_EQ(refused({.host = ""}), "host, port: must be there");
  EXPECT_EQ(refused({.session = {.window = 0}}), "window: must be 1 to 10000");
  EXPECT_EQ(refused({.tls = true, .ca_pem = "x"}), "tls.ca: must be certificates in PEM");
  EXPECT_EQ(refused({.tls = true, .cert_pem = "x"}), "tls.cert, tls.key: must be there together");
}

}  // namespace
}  // namespace smsflow::gateway
