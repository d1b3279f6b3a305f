#include "tests/engine/world.h"

#include <gtest/gtest.h>

#include <sstream>

#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

::smsflow::stored::v1::JournalBody BodyOf(const storage::JournalRecord& record) {
  ::smsflow::stored::v1::JournalBody body;
  body.ParseFromString(record.body);
  return body;
}

}  // namespace

World::World(EngineOptions o, std::uint64_t seed) : options(o), random(seed) {
  options.shards = 4;
  options.partitions = 1;  // so that turns between shards can be told
  Open();
}

World::~World() = default;

void World::Open() {
  const absl::Status status = TryOpen();
  ASSERT_TRUE(status.ok()) << status;
}

absl::Status World::TryOpen() {
  engine.reset();
  wrapped.reset();
  store = std::make_unique<WatchedStore>(memory);
  if (wrap_store) wrapped = wrap_store(*store);
  EngineParts parts;
  parts.store = wrapped ? wrapped.get() : store.get();
  parts.index_keys = &index_keys;
  parts.high_water = high_water;
  parts.clock = engine_clock != nullptr ? engine_clock : &clock;
  parts.random = engine_random != nullptr ? engine_random : &random;
  parts.policies = [this](std::string_view tenant, std::uint16_t) -> const Policy& {
    return policy_of ? policy_of(tenant) : policy;
  };
  parts.fatal = [this](const absl::Status& status) {
    fatal = status.ToString();
    throw Fatal{};
  };
  parts.posts = &posts;
  parts.workflows = {workflow.get()};
  auto opened = Engine::Open(options, std::move(parts));
  if (!opened.ok()) return opened.status();
  engine = *std::move(opened);
  if (wrap_engine) engine = wrap_engine(std::move(engine));
  return absl::OkStatus();
}

void World::Crash() {
  engine.reset();
  memory.Crash();
}

void World::Run(int rounds_max) {
  // Two quiet rounds in a row: what one round told another has been taken.
  for (int quiet = 0; quiet < 3 && rounds_max > 0; --rounds_max) quiet = engine->RunOnce() ? 0 : quiet + 1;
  ASSERT_GT(rounds_max, 0) << "never quiet";
}

void World::AdvanceAndRun(std::int64_t ms, std::int64_t step_ms) {
  for (std::int64_t done = 0; done < ms; done += step_ms) {
    clock.Advance(std::min(step_ms, ms - done));
    Run();
  }
}

Answer World::Create(const std::string& tenant, const std::string& target, const courier::Parcel& parcel,
                     const std::string& dedupe_key, const std::string& fingerprint) {
  CreateRequest request;
  request.workflow = courier::kWorkflow;
  request.tenant = tenant;
  request.target = target;
  request.actor = "tester";
  request.dedupe_key = dedupe_key;
  request.fingerprint = fingerprint;
  request.payload = "sealed";
  request.event = courier::Create(parcel);
  std::optional<Answer> got;
  engine->Create(std::move(request), [&](Answer answer) { got = std::move(answer); });
  Run();
  EXPECT_TRUE(got.has_value());
  return got.value_or(Answer{});
}

Answer World::Send(const InstanceId& id, workflows::Event event, const std::string& tenant) {
  std::optional<Answer> got;
  engine->Send({id, tenant, "tester", std::move(event), std::nullopt}, [&](Answer answer) { got = std::move(answer); });
  Run();
  EXPECT_TRUE(got.has_value());
  return got.value_or(Answer{});
}

SweepAnswer World::Sweep(SweepRequest request) {
  std::optional<SweepAnswer> got;
  engine->Sweep(std::move(request), [&](SweepAnswer answer) { got = std::move(answer); });
  Run();
  EXPECT_TRUE(got.has_value());
  return got.value_or(SweepAnswer{});
}

bool World::Pause(PauseRequest request) {
  std::optional<bool> changed;
  engine->Pause(std::move(request), [&](const absl::Status& status, bool did) {
    EXPECT_TRUE(status.ok()) << status;
    changed = did;
  });
  Run();
  EXPECT_TRUE(changed.has_value());
  return changed.value_or(false);
}

ReportOutcome World::Report(PeerSession& session, const AttemptId& attempt, const std::string& word) {
  std::optional<ReportOutcome> got;
  session.Report(attempt, courier::Simple(courier::kReport, word), [&](ReportAnswer answer) { got = answer.outcome; });
  Run();
  EXPECT_TRUE(got.has_value());
  return got.value_or(ReportOutcome::kFailed);
}

std::unique_ptr<PeerSession> World::Attach(const std::string& gateway, const std::string& uuid,
                                           std::vector<std::string> tenants, std::uint32_t credit,
                                           std::shared_ptr<Inbox>& inbox) {
  if (!inbox) inbox = std::make_shared<Inbox>();
  auto session = engine->Attach({{gateway, uuid}, std::move(tenants), {}, {}}, std::make_shared<InboxLink>(inbox));
  EXPECT_TRUE(session.ok()) << session.status();
  if (!session.ok()) return nullptr;
  if (credit != 0) (*session)->AddCredit(credit);
  Run();
  return *std::move(session);
}

std::optional<::smsflow::stored::v1::InstanceState> World::StateOf(const InstanceId& id) {
  auto head = storage::GetHead(memory, id);
  if (!head.ok() || !head->has_value()) return std::nullopt;
  if ((*head)->final()) return (*head)->state();
  auto state = storage::GetState(memory, id);
  if (state.ok() && state->has_value()) return **state;
  return (*head)->state();
}

std::uint16_t World::StateNumber(const InstanceId& id) {
  const auto state = StateOf(id);
  return state ? static_cast<std::uint16_t>(state->state()) : 0;
}

std::string World::Journal() {
  std::ostringstream text;
  for (std::uint16_t s = 0; s < options.shards; ++s) {
    const std::string prefix(storage::Key('j', ShardId{s}).view());
    for (auto rows = memory.Scan(storage::Family::kJournal, prefix, storage::PrefixEnd(prefix)); rows->Valid();
         rows->Next()) {
      const auto record = storage::DecodeJournal(ShardId{s}, storage::SequenceOfKey(rows->key()), rows->value());
      if (!record.ok()) return record.status().ToString();
      const auto body = BodyOf(*record);
      text << s << "/" << record->header.sequence << " " << record->header.instance.ToString() << " at " << body.at_ms()
           << " event " << body.event() << " '" << body.event_body() << "' timer " << body.timer() << " "
           << workflow->StateName(static_cast<std::uint16_t>(body.from_state())) << " -> "
           << workflow->StateName(static_cast<std::uint16_t>(body.result().state())) << "\n";
    }
  }
  return text.str();
}

std::string World::Violations() {
  std::map<InstanceId, ::smsflow::stored::v1::InstanceState> recorded;
  for (std::uint16_t s = 0; s < options.shards; ++s) {
    storage::Digest chain{};
    std::uint64_t expected = 1;
    const std::string prefix(storage::Key('j', ShardId{s}).view());
    for (auto rows = memory.Scan(storage::Family::kJournal, prefix, storage::PrefixEnd(prefix)); rows->Valid();
         rows->Next()) {
      const auto record = storage::DecodeJournal(ShardId{s}, storage::SequenceOfKey(rows->key()), rows->value());
      if (!record.ok()) return record.status().ToString();
      if (record->header.sequence != expected++) return "a gap before " + std::to_string(record->header.sequence);
      if (storage::ChainAfter(chain, record->header) != record->header.chain) return "the chain is broken";
      chain = record->header.chain;
      if (record->header.erased) continue;
      recorded[record->header.instance] = BodyOf(*record).result();
    }
  }
  for (const auto& [id, state] : recorded) {
    const auto stored = StateOf(id);
    if (!stored) return id.ToString() + " is in the journal and not stored";
    if (stored->SerializeAsString() != state.SerializeAsString()) return id.ToString() + " differs from its journal";
    bool leased = false;
    for (const auto& lease : stored->leases()) leased |= !lease.settled();
    if (stored->ended_ms() == 0 && stored->timers_size() == 0 && !leased)
      return id.ToString() + " lives without a timer";
  }
  return "";
}

}  // namespace smsflow::engine
