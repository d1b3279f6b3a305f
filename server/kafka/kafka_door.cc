#include "server/kafka/kafka_door.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "logging/logging.h"
#include "server/grpc/validation.h"
#include "server/kafka/dead_letters.h"
#include "server/kafka/events.h"
#include "server/kafka/gateways.h"
#include "server/kafka/intake.h"
#include "server/kafka/outlet.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {

namespace {

constexpr auto kStopPatience = std::chrono::milliseconds(1'000);

// The old doors know no horizon.
LimitsConfig OldLimits(LimitsConfig limits) {
  limits.horizon_ms = 0;
  return limits;
}

absl::StatusOr<kafka::SigningKeys> ReadSigningKeys(const KafkaConfig& kafka) {
  if (kafka.signers.empty()) return kafka::SigningKeys{};
  const auto wrong = [&](const std::string& why) {
    return absl::InvalidArgumentError(absl::StrCat("kafka.signing_keys: ", kafka.signing_keys, ": ", why));
  };
  std::ifstream in(kafka.signing_keys, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.good()) return wrong("cannot be read");
  auto keys = kafka::ParseSigningKeys(text.str());
  if (!keys.ok()) return wrong(std::string(keys.status().message()));
  for (const auto& [name, tenants] : kafka.signers)
    if (!keys->contains(name)) return wrong(absl::StrCat("has no key of ", name, ", which kafka.signers names"));
  return keys;
}

class RealDoor final : public KafkaDoor {
 public:
  RealDoor(const Config& config, kafka::SigningKeys keys)
      : config_(config),
        signing_keys_(std::move(keys)),
        zones_(workflows::delivery::MakeZoneResolver()),
        validation_(OldLimits(config.limits), zones_.get()),
        outlet_([this] { return kafka::Producer::Open(Client()); }),
        dead_letters_(config.kafka.dead_letter_topic) {}
  ~RealDoor() override { Stop(); }

  engine::PostSink* posts() override { return &dead_letters_; }

  absl::Status Start(const Parts& parts) override {
    auto admin = kafka::Admin::Open(Client());
    if (!admin.ok()) return admin.status();
    admin_ = *std::move(admin);
    const Gateways::Parts out{parts.engine, &outlet_, parts.index_keys, parts.clock};
    const KafkaConfig& kafka = config_.kafka;
    IntakeOptions options = Options();
    Gateways::Options gateways{
        kafka.send_topic, {kafka.gateways.begin(), kafka.gateways.end()}, options.acting.tenants};
    gateways.repeat_ms = kafka.repeat_ms;
    gateways.silence_ms = kafka.silence_ms;
    gateways_ = std::make_unique<Gateways>(std::move(gateways), out);
    if (!config_.gateway.dedupe) {
      old_gateway_ =
          std::make_unique<OldGateway>(kafka.send_topic, options.acting.tenants, config_.gateway.window, out);
      options.old_gateway = OldGateway::Name();
    }
    IntakeParts in;
    in.engine = parts.engine;
    in.shards = parts.shards;
    in.validation = &validation_;
    in.clock = parts.clock;
    in.dead_letters = &dead_letters_;
    in.admin = admin_.get();
    in.open = [this] { return kafka::Consumer::Open(Client(), config_.kafka.group); };
    in.announced = [this](const kafka::Announcement& said, std::int64_t at_ms) { gateways_->Announced(said, at_ms); };
    in.reported = [this](const PeerId& peer, const AttemptId& attempt) { gateways_->Reported(peer, attempt); };
    in.tick = [this] {
      gateways_->Tick();
      if (old_gateway_ != nullptr) old_gateway_->Tick();
    };
    intake_ = std::make_unique<Intake>(std::move(options), std::move(in));
    if (absl::Status status = intake_->Open(); !status.ok()) return status;
    outlet_.Start();
    if (old_gateway_ != nullptr) {
      if (absl::Status status = old_gateway_->Start(); !status.ok()) return status;
    }
    dead_letters_.Start(*parts.engine, outlet_, [this](const engine::FeedId& feed, std::uint64_t offset) {
      intake_->DeadLetterTaken(feed, offset);
    });
    if (kafka.events) {
      events_ = std::make_unique<Events>(kafka.events_topic,
                                         Events::Parts{parts.engine, parts.reader, parts.delivery, &outlet_});
      if (absl::Status status = events_->Start(); !status.ok()) return status;
    }
    intake_->Start();
    return absl::OkStatus();
  }

  void Stop() override {
    if (intake_ != nullptr) intake_->Stop();
    if (events_ != nullptr) events_->Stop();
    if (gateways_ != nullptr) gateways_->Stop();
    if (old_gateway_ != nullptr) old_gateway_->Stop();
    outlet_.Stop(kStopPatience);
    dead_letters_.Stop();
  }

  std::vector<NamedFigure> figures() const override {
    std::vector<NamedFigure> figures;
    if (intake_ != nullptr) figures = intake_->figures();
    const auto add = [&](const char* name, const char* help, double value, bool counter) {
      figures.push_back({name, help, value, counter, {}});
    };
    add("smsflow_kafka_produced_total", "records that the broker has", static_cast<double>(outlet_.produced()), true);
    add("smsflow_kafka_produce_errors_total", "records that it did not take", static_cast<double>(outlet_.failed()),
        true);
    add("smsflow_kafka_producers_remade_total", "producers that had to be made anew",
        static_cast<double>(outlet_.remade()), true);
    add("smsflow_kafka_leaving_records", "records on their way to the broker", static_cast<double>(outlet_.pending()),
        false);
    add("smsflow_kafka_leaving_age_seconds", "for how long the oldest of them is",
        static_cast<double>(outlet_.oldest_ms()) / 1'000, false);
    add("smsflow_kafka_gateways", "gateways that are heard", static_cast<double>(gateways_ ? gateways_->attached() : 0),
        false);
    if (events_ != nullptr) {
      add("smsflow_kafka_events_behind", "transitions on their way to the broker",
          static_cast<double>(events_->behind()), false);
      add("smsflow_kafka_events_untold_total", "transitions that could not be read, and were passed over",
          static_cast<double>(events_->untold()), true);
    }
    add("smsflow_kafka_dead_letters_waiting", "dead letters that the broker does not have yet",
        static_cast<double>(dead_letters_.waiting()), false);
    return figures;
  }

 private:
  kafka::ClientOptions Client() const { return {"engine", config_.kafka.servers, config_.kafka.properties}; }

  IntakeOptions Options() const {
    const KafkaConfig& kafka = config_.kafka;
    IntakeOptions options;
    options.topics[kafka.status_topic] = TopicKind::kStatus;
    options.gateways = {kafka.gateways.begin(), kafka.gateways.end()};
    // Where nobody may act, what is written waits there: read, it would be gone.
    if (kafka.unsigned_records || !kafka.signers.empty()) {
      options.topics[kafka.schedule_topic] = TopicKind::kSchedule;
      options.topics[kafka.timer_topic] = TopicKind::kTimer;
    } else {
      Log(LogLevel::kInfo, "kafka: not read, for nobody may act through them without kafka.signers or kafka.unsigned",
          {{"topics", kafka.schedule_topic + ", " + kafka.timer_topic}});
    }
    for (const std::string& tenant : config_.TenantNames()) options.acting.tenants.insert(tenant);
    options.acting.tenants.insert(kafka.tenants.begin(), kafka.tenants.end());
    options.acting.unsigned_ok = kafka.unsigned_records;
    for (const auto& [topic, tenants] : kafka.clients) {
      options.topics[topic] = TopicKind::kSchedule;
      options.acting.topics[topic].insert(tenants.begin(), tenants.end());
      options.acting.tenants.insert(tenants.begin(), tenants.end());
    }
    for (const auto& [name, tenants] : kafka.signers) {
      options.acting.signers[name].insert(tenants.begin(), tenants.end());
      options.acting.tenants.insert(tenants.begin(), tenants.end());
    }
    options.acting.signing_keys = signing_keys_;
    options.acting.signed_for_ms = kafka.signed_for_ms;
    options.from_end = kafka.from == KafkaConfig::From::kEnd;
    for (const std::string& name : kafka.accept) {
      const std::size_t slash = name.rfind('/');
      std::int32_t partition = 0;
      if (absl::SimpleAtoi(name.substr(slash + 1), &partition))
        options.accept.insert({name.substr(0, slash), partition});
    }
    return options;
  }

  const Config config_;
  const kafka::SigningKeys signing_keys_;
  const std::unique_ptr<workflows::delivery::ZoneResolver> zones_;
  const Validation validation_;
  Outlet outlet_;
  DeadLetters dead_letters_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<Gateways> gateways_;
  std::unique_ptr<OldGateway> old_gateway_;
  std::unique_ptr<Events> events_;
  std::unique_ptr<Intake> intake_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaDoor>> KafkaDoor::Make(const Config& config) {
  if (config.kafka.servers.empty()) return nullptr;
  if (absl::Status status = kafka::CheckProperties(config.kafka.properties); !status.ok()) return status;
  auto keys = ReadSigningKeys(config.kafka);
  if (!keys.ok()) return keys.status();
  return std::make_unique<RealDoor>(config, *std::move(keys));
}

}  // namespace smsflow::server
