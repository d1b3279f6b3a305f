// What the engine wrote has no violations, also after a kill at any write; and each kind of damage is found and named.
#include "engine/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "storage/accounts.h"
#include "storage/journal.h"
#include "storage/records.h"
#include "tests/engine/world.h"
#include "tests/storage/whole_rows.h"

namespace smsflow::engine {
namespace stored = ::smsflow::stored::v1;

namespace {

using storage::Family;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Parcels trust their peers to speak one day.
constexpr InspectionRules kRules{.leases_need_timers = false};

std::vector<std::string> Inspect(const World& world, InspectionSummary* summary = nullptr,
                                 InspectionRules rules = kRules) {
  std::vector<std::string> findings;
  Inspector inspector(world.memory, world.index_keys, world.options.shards, rules);
  const auto status = inspector.Run([&](const std::string& finding) { findings.push_back(finding); },
                                    [](const InspectionSummary&) { return true; });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(inspector.summary().violations, findings.size());
  if (summary != nullptr) *summary = inspector.summary();
  return findings;
}

// A shard's worth of everything: parcels that wait, are ready, are out, are done, are stopped, are erased; a member, a
// pause, a policy, tells and posts, a log that is read.
class InspectTest : public testing::Test {
 protected:
  InspectTest() {
    world_.policy.bytes = "policy";
    const auto digest = storage::PayloadDigest("policy");  // SHA-256, cut, like that of a policy
    world_.policy.digest = digest;
    session_ = world_.Attach("g", "s1", {"t"}, 100, inbox_);
    erased_ = Add("erased", 1);
    world_.AdvanceAndRun(10);
    Report("erased", "done");
    world_.AdvanceAndRun(courier::kKeepMs + 100, 500);
    waiting_ = Add("waiting", 50'000'000, "key");
    out_ = Add("out", 1);
    done_ = Add("done", 1);
    world_.AdvanceAndRun(10);
    Report("done", "done");
    stopped_ = Add("stopped", 60'000);
    world_.Send(stopped_, courier::Simple(courier::kStop));
    ready_ = world_.Create("without gateway", "ready", {world_.clock.wall_ms + 1, "red", std::nullopt, ""}).id;
    world_.AdvanceAndRun(10);
    SweepRequest ban;
    ban.workflow = courier::kWorkflow;
    ban.tenant = "t";
    ban.target = "banned";
    ban.event = courier::Simple(courier::kStop);
    ban.membership = workflows::MembershipChange{courier::kBanned, true};
    world_.Sweep(ban);
    PauseRequest pause;
    pause.scope = storage::PauseScope::kTenant;
    pause.tenant = "other";
    world_.Pause(pause);
    world_.engine->FeedProgress(std::make_shared<const FeedId>(FeedId{"log", 7}),
                                std::vector<std::uint64_t>(world_.options.shards, 5), {}, /*again=*/false, {});
    world_.Run();
  }

  InstanceId Add(const std::string& target, std::int64_t due_ms, const std::string& dedupe_key = "") {
    return world_.Create("t", target, {world_.clock.wall_ms + due_ms, "red", std::nullopt, ""}, dedupe_key).id;
  }
  void Report(const std::string& target, const std::string& word) {
    for (const Lease& lease : inbox_->leases)
      if (TargetOf(lease.attempt.instance) == target) {
        EXPECT_EQ(world_.Report(*session_, lease.attempt, word), ReportOutcome::kApplied);
      }
  }
  std::string TargetOf(const InstanceId& id) {
    const auto head = storage::GetHead(world_.memory, id);
    return head.ok() && *head ? (*head)->target() : "";
  }
  void Damage(const std::function<void(storage::Batch&)>& put) {
    storage::Batch batch;
    put(batch);
    ASSERT_TRUE(world_.memory.Write(batch, storage::Sync::kYes).ok());
  }
  // The instance's present state, changed and put back where it outranks all else.
  void DamageState(const InstanceId& id, const std::function<void(stored::InstanceState&)>& change) {
    auto head = storage::GetHead(world_.memory, id);
    ASSERT_TRUE(head.ok() && *head);
    auto state = world_.StateOf(id);
    ASSERT_TRUE(state);
    change(*state);
    Damage([&](storage::Batch& batch) {
      if ((*head)->final()) {
        *(*head)->mutable_state() = *state;
        PutHead(batch, id, **head);
      } else {
        PutState(batch, id, *state);
      }
    });
  }
  void DamageHead(const InstanceId& id, const std::function<void(stored::InstanceHead&)>& change) {
    auto head = storage::GetHead(world_.memory, id);
    ASSERT_TRUE(head.ok() && *head);
    change(**head);
    Damage([&](storage::Batch& batch) { PutHead(batch, id, **head); });
  }
  std::uint64_t LastSequence(const InstanceId& id) { return world_.StateOf(id)->sequence(); }

  World world_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<PeerSession> session_;
  InstanceId erased_, waiting_, out_, done_, stopped_, ready_;
};

TEST_F(InspectTest, WhatTheEngineWroteIsClean) {
  InspectionSummary summary;
  EXPECT_THAT(Inspect(world_, &summary), IsEmpty()) << world_.Journal();
  EXPECT_EQ(summary.shards, 4U);
  EXPECT_EQ(summary.instances, 5U);
  EXPECT_EQ(summary.ended, 2U);
  EXPECT_EQ(summary.open_leases, 1U);
  EXPECT_GE(summary.ready_rows, 1U);
  EXPECT_EQ(summary.index_rows, 5U);
  EXPECT_EQ(summary.dedupe_rows, 1U);
  EXPECT_EQ(summary.memberships, 1U);
  EXPECT_EQ(summary.pauses, 4U) << "one in each shard";
  EXPECT_EQ(summary.feeds, 4U) << "one in each shard";
  EXPECT_GE(summary.erased_records, 2U);
  EXPECT_EQ(summary.states[courier::kOut], 1U);
}

TEST_F(InspectTest, FindsAChangedAMissingAndAnAddedJournalRecord) {
  const std::uint64_t last = LastSequence(out_);
  const ShardId shard = out_.shard();
  const auto key = storage::JournalKey(shard, last);
  const std::string value = **world_.memory.Get(Family::kJournal, key);
  std::string changed = value;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  Damage([&](storage::Batch& batch) { batch.Put(Family::kJournal, key, changed); });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr("hash chain breaks at journal record " +
                                                           std::to_string(last) + ", of " + out_.ToString())));
  Damage([&](storage::Batch& batch) { batch.Delete(Family::kJournal, key); });
  EXPECT_THAT(Inspect(world_),
              testing::Contains(HasSubstr(out_.ToString() + " is stored as of journal record " + std::to_string(last) +
                                          ", but its last is " + std::to_string(last - 1))));
  Damage([&](storage::Batch& batch) { batch.Put(Family::kJournal, key, value); });
  ASSERT_THAT(Inspect(world_), IsEmpty());
  auto head = storage::FindChainHead(world_.memory, shard);
  ASSERT_TRUE(head.ok());
  Damage([&](storage::Batch& batch) {
    AppendJournal(batch, shard, *head, 0, InstanceId::Make(5, shard, 5), stored::JournalBody().SerializeAsString());
  });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr("is in the journal, last at")));
}

TEST_F(InspectTest, FindsAStateThatIsNotWhatTheJournalRecorded) {
  DamageState(waiting_, [](stored::InstanceState& state) { state.set_data("changed"); });
  EXPECT_THAT(Inspect(world_), ElementsAre(AllOf(HasSubstr(waiting_.ToString() + " is not stored as journal record"),
                                                 HasSubstr("differs in data"))));
}

TEST_F(InspectTest, FindsAStateOfAnotherRecord) {
  DamageState(done_, [](stored::InstanceState& state) { state.set_sequence(state.sequence() - 1); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr(done_.ToString() + " is stored as of journal record")));
}

TEST_F(InspectTest, FindsInstancesWithoutJournalAndJournalsWithoutInstance) {
  const auto stranger = InstanceId::Make(77, waiting_.shard(), 77);
  auto head = storage::GetHead(world_.memory, done_);
  ASSERT_TRUE(head.ok() && *head);
  (*head)->clear_index();
  (*head)->clear_target();
  Damage([&](storage::Batch& batch) { PutHead(batch, stranger, **head); });
  EXPECT_THAT(Inspect(world_),
              testing::Contains(HasSubstr(stranger.ToString() + " is stored, but not in the journal")));
  Damage([&](storage::Batch& batch) {
    DeleteHead(batch, stranger);
    DeleteHead(batch, stopped_);
  });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr(stopped_.ToString() + " is in the journal, last at")));
}

TEST_F(InspectTest, FindsATimerThatWouldNeverFire) {
  const auto timer = world_.StateOf(waiting_)->timers(0);
  const storage::TimerKey key{waiting_.shard(), timer.due_ms(), waiting_, static_cast<std::uint16_t>(timer.name())};
  Damage([&](storage::Batch& batch) { DeleteTimer(batch, key); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr(waiting_.ToString() + " waits for its timer 1")));
}

// An instance needs one row that wakes it in time, not one per timer: retention waits behind the row of a cleared
// timer.
TEST_F(InspectTest, FindsATimerThatNoRowWakes) {
  ASSERT_EQ(world_.StateOf(done_)->timers_size(), 1);
  ASSERT_TRUE(world_.StateOf(done_)->timers(0).covered());
  const std::string prefix(storage::Key('t', done_.shard()).view());
  Damage([&](storage::Batch& batch) {
    for (auto row = world_.memory.Scan(Family::kQueues, prefix, storage::PrefixEnd(prefix)); row->Valid(); row->Next())
      if (storage::TimerKey::Decode(row->key())->instance == done_) batch.Delete(Family::kQueues, row->key());
  });
  EXPECT_THAT(Inspect(world_), ElementsAre(AllOf(HasSubstr(done_.ToString() + " waits for its timer 65280"),
                                                 HasSubstr("and no earlier one wakes it"))));
}

TEST_F(InspectTest, FindsATimerThatTheCursorHasPassed) {
  auto marks = storage::GetMarks(world_.memory, waiting_.shard());
  ASSERT_TRUE(marks.ok());
  stored::ShardMarks later = marks->value_or(stored::ShardMarks{});
  later.set_backlog_from_ms(world_.clock.wall_ms + 100'000'000);
  Damage([&](storage::Batch& batch) { PutMarks(batch, waiting_.shard(), later); });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr(waiting_.ToString() + " waits for its timer 1")));
}

TEST_F(InspectTest, FindsAReadyTimerWithoutItsRow) {
  const auto before = world_.memory.Scan(Family::kQueues, "r", "s");
  ASSERT_TRUE(before->Valid());
  const std::string key(before->key());
  // Its row in the timer index is behind the mark, as it is once a while has passed.
  stored::ShardMarks marks;
  marks.set_backlog_from_ms(world_.clock.wall_ms);
  Damage([&](storage::Batch& batch) { PutMarks(batch, ready_.shard(), marks); });
  EXPECT_THAT(Inspect(world_), IsEmpty());
  Damage([&](storage::Batch& batch) { batch.Delete(Family::kQueues, key); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr("which is neither in the index nor ready")));
}

TEST_F(InspectTest, FindsAnOpenLeaseWithoutItsOutboxRow) {
  Damage([&](storage::Batch& batch) {
    batch.DeleteRange(Family::kQueues, storage::OutboxKey(out_.shard(), 0), storage::OutboxKey(out_.shard(), 1000));
  });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr(out_.ToString() + " has open lease 1 without a row")));
}

TEST_F(InspectTest, FindsAnInstanceThatWaitsForNothing) {
  DamageState(waiting_, [](stored::InstanceState& state) { state.clear_timers(); });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr(waiting_.ToString() + " has not ended, but waits for no")));
}

TEST_F(InspectTest, FindsALeaseThatASilentPeerHoldsForEver) {
  world_.AdvanceAndRun(5'000, 500);
  EXPECT_THAT(Inspect(world_), IsEmpty());
  EXPECT_THAT(Inspect(world_, nullptr, InspectionRules()),
              ElementsAre(HasSubstr(out_.ToString() + " has not ended, but waits for no timer")));
}

TEST_F(InspectTest, FindsTwoOpenLeasesAndAGapInTheirNumbers) {
  DamageState(out_, [](stored::InstanceState& state) {
    auto* lease = state.add_leases();
    lease->set_number(3);
    state.set_effects(3);
  });
  const auto findings = Inspect(world_);
  EXPECT_THAT(findings, testing::Contains(HasSubstr(out_.ToString() + " has 2 leases open at a time")));
  EXPECT_THAT(findings, testing::Contains(HasSubstr("where 2 should be")));
}

TEST_F(InspectTest, FindsIndexAndDedupeRowsThatAreMissingOrTooMany) {
  const auto red = world_.index_keys.IndexValue("t", courier::kLabelIndex, "red");
  const auto scope = world_.index_keys.DedupeScope("t", "waiting", "key");
  const ShardId shard = waiting_.shard();
  Damage([&](storage::Batch& batch) { DeleteIndex(batch, shard, courier::kLabelIndex, red, waiting_); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr("1 index rows of instances are missing")));
  Damage([&](storage::Batch& batch) {
    PutIndex(batch, shard, courier::kLabelIndex, red, waiting_);
    PutIndex(batch, shard, courier::kLabelIndex + 1, red, waiting_);
  });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr("is not what the instance asks for")));
  Damage([&](storage::Batch& batch) {
    DeleteIndex(batch, shard, courier::kLabelIndex + 1, red, waiting_);
    DeleteDedupe(batch, shard, scope);
  });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr(waiting_.ToString() + " has an idempotency key, but no row")));
  stored::DedupeRow row;
  row.set_instance(std::string(out_.AsBytes()));
  Damage([&](storage::Batch& batch) { PutDedupe(batch, shard, scope, row); });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr("which does not ask for it")));
}

TEST_F(InspectTest, FindsPayloadsThatWereChangedOrShouldBeGone) {
  DamageHead(waiting_, [](stored::InstanceHead& head) { head.set_payload("another"); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr(waiting_.ToString() + " has another payload")));
  DamageHead(waiting_, [](stored::InstanceHead& head) { head.set_payload("sealed"); });
  DamageHead(done_, [](stored::InstanceHead& head) { head.set_payload("sealed"); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr(done_.ToString() + " says that its payload is erased, but has")));
}

TEST_F(InspectTest, FindsRowsThatNobodyWouldEverRead) {
  Damage([&](storage::Batch& batch) {
    batch.Put(Family::kQueues, storage::Key('z', ShardId{0}).view(), "");
    batch.Put(Family::kIndexes, storage::Key('h', ShardId{0}).view(), "");
    PutAppliedTell(batch, ShardId{4}, ShardId{0}, 1);
  });
  EXPECT_THAT(Inspect(world_), SizeIs(3));
}

TEST_F(InspectTest, FindsPoliciesThatWereChangedOrLost) {
  Damage([&](storage::Batch& batch) { PutPolicy(batch, world_.policy.digest, "another"); });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr("was changed: it has another digest")));
  Damage([&](storage::Batch& batch) { batch.Delete(Family::kMeta, storage::PolicyKey(world_.policy.digest)); });
  EXPECT_THAT(Inspect(world_), testing::Contains(HasSubstr("which is not stored")));
}

TEST_F(InspectTest, FindsGapsInTells) {
  stored::TellRow tell;
  tell.set_instance(std::string(waiting_.AsBytes()));
  const std::uint64_t applied = *storage::GetAppliedTell(world_.memory, ShardId{2}, ShardId{1});
  Damage([&](storage::Batch& batch) { PutTell(batch, ShardId{1}, ShardId{2}, applied + 2, tell); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr("shard 1: tells to shard 2 have a gap")));
}

TEST_F(InspectTest, GoesOnBehindWhatCannotBeRead) {
  Damage([&](storage::Batch& batch) {
    batch.Put(Family::kInstances, storage::HeadKey(waiting_), std::string("\0\xff\xff", 3));
    batch.Put(Family::kJournal, storage::JournalKey(done_.shard(), LastSequence(done_)), "garbage");
  });
  const auto findings = Inspect(world_);
  EXPECT_THAT(findings, testing::Contains(HasSubstr(waiting_.ToString() + ": a row of instance heads cannot be read")));
  EXPECT_THAT(findings, testing::Contains(HasSubstr("a row of journal with key")));
}

TEST_F(InspectTest, FindsAccountsThatCannotBe) {
  stored::AccountRow whole, odd;
  whole.set_account("one");
  whole.add_roles(1);
  whole.add_clients("clinic");
  odd = whole;
  odd.add_roles(7);
  odd.add_clients("nowhere");
  odd.mutable_password()->set_algorithm(1);
  stored::ClientRow clinic;
  clinic.set_client("clinic");
  storage::AccountChain chain;
  Damage([&](storage::Batch& batch) {
    for (int i = 0; i < 3; ++i) storage::AppendAccountChange(batch, chain, {});
    storage::PutClient(batch, 1, clinic);
    storage::PutAccount(batch, 2, whole);
  });
  InspectionSummary summary;
  EXPECT_THAT(Inspect(world_, &summary), IsEmpty());
  EXPECT_EQ(summary.accounts, 1U);
  EXPECT_EQ(summary.clients, 1U);
  EXPECT_EQ(summary.account_changes, 3U);
  Damage([&](storage::Batch& batch) {
    storage::PutAccount(batch, 9, odd);
    storage::PutClient(batch, 3, clinic);
  });
  EXPECT_THAT(Inspect(world_),
              ElementsAre(HasSubstr("client 3: another has its name"), HasSubstr("account 9: no change made it"),
                          HasSubstr("account 9: another has its name"), HasSubstr("password is not whole"),
                          HasSubstr("a role that there is not"), HasSubstr("a client that there is not")));
  Damage([&](storage::Batch& batch) { storage::DeleteAccountChange(batch, 2); });
  EXPECT_THAT(Inspect(world_), ElementsAre(HasSubstr("account change 3: one before it is missing")));
}

TEST_F(InspectTest, EndsWhenToldTo) {
  Inspector inspector(world_.memory, world_.index_keys, world_.options.shards);
  EXPECT_EQ(inspector.Run([](const std::string&) {}, [](const InspectionSummary&) { return false; }).code(),
            absl::StatusCode::kCancelled);
}

// The engine's work on the way, not only at its ends: killed at every write, what is left is without violations.
TEST(Inspect, AKillAtAnyWriteLeavesNoViolation) {
  for (int cut = 1; cut < 40; ++cut) {
    World world;
    std::shared_ptr<Inbox> inbox;
    auto session = world.Attach("g", "s1", {"t"}, 3, inbox);
    world.store->power_cut_at = world.store->writes + cut;
    try {
      const auto to = world.Create("t", "friend", {world.clock.wall_ms + 1'000'000, "", std::nullopt, ""}).id;
      for (int i = 0; i < 6; ++i)
        world.Create("t", "f" + std::to_string(i), {world.clock.wall_ms + 5, "red", to, ""}, "k" + std::to_string(i));
      world.AdvanceAndRun(20, 10);
      for (std::size_t i = 0; i < inbox->leases.size(); ++i)
        world.Report(*session, AttemptId(inbox->leases[i].attempt), i % 3 == 0 ? "failed" : "done");
      world.AdvanceAndRun(3'000, 500);
      world.AdvanceAndRun(2 * courier::kKeepMs, 2'000);
    } catch (const WatchedStore::PowerCut&) {
    }
    session.reset();
    world.Crash();
    EXPECT_THAT(Inspect(world), IsEmpty()) << "cut " << cut << "\n" << world.Journal();
    world.Open();
    world.AdvanceAndRun(2'000, 500);
    EXPECT_THAT(Inspect(world), IsEmpty()) << "after the restart from cut " << cut;
  }
}

}  // namespace
}  // namespace smsflow::engine
