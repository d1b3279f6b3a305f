// Random walks: any event at any time, under any policy. The invariants are checked by SingleLife after every step;
// here also that every life comes to its end by itself once its surroundings are well again.
#include <gtest/gtest.h>

#include <random>

#include "tests/workflows/delivery/single_life.h"

namespace smsflow::workflows::delivery {
namespace {

constexpr std::int64_t kNowMs = 1'767'603'600'000;
constexpr std::int64_t kNowS = kNowMs / 1000;
constexpr std::int64_t kHourMs = 3'600'000;

Slots DrawSlots(std::mt19937_64& random, std::int64_t from_s) {
  Slots slots;
  for (std::uint64_t count = random() % 4; count > 0; --count) {
    const std::int64_t start_s = from_s - 600 + static_cast<std::int64_t>(random() % 20'000);
    const std::int64_t length_s = random() % 4 == 0 ? 1 + static_cast<std::int64_t>(random() % 20)
                                                    : 60 + static_cast<std::int64_t>(random() % 7'200);
    slots.push_back({start_s, start_s + length_s});
  }
  return Normalise(std::move(slots));
}

Policy DrawPolicy(std::mt19937_64& random) {
  Policy policy;
  if (random() % 2 == 0) policy.wait_after_fail_ms = 1'000 + static_cast<std::int64_t>(random() % 60'000);
  if (random() % 3 == 0) policy.max_attempts = 1 + static_cast<std::uint32_t>(random() % 3);
  if (random() % 2 == 0) policy.ack_send_timeout_ms = 1'000;
  if (random() % 2 == 0) policy.ack_receipt_timeout_ms = kHourMs;
  if (random() % 3 == 0) policy.max_jitter_ms = 0;
  if (random() % 3 == 0) policy.probe_ms = 1'000;
  if (random() % 2 == 0) policy.on_unknown = OnUnknown::kRetry;
  if (random() % 4 == 0) policy.dedupe = false;
  return policy;
}

Event DrawReport(std::mt19937_64& random, const SingleLife& life) {
  // Mostly of the latest attempt, at times of one that never left.
  const std::uint32_t attempt =
      random() % 3 == 0 ? static_cast<std::uint32_t>(random() % (life.leases() + 2)) : life.leases();
  return EncodeReport({attempt, static_cast<Reported>(1 + random() % 9), About::kNotSaid, "failed", 0});
}

void TakeStep(std::mt19937_64& random, SingleLife& life) {
  life.random = random();
  switch (random() % 16) {
    case 0:
      life.Apply(EncodeCancel());
      break;
    case 1:
      life.blocked = true;
      life.Apply(EncodeBlock());
      break;
    case 2:
      life.blocked = false;
      break;
    case 3:
      life.Apply(EncodeReschedule({DrawSlots(random, life.now_ms() / 1000), false, {}}));
      break;
    case 4:
      life.Apply(EncodeReschedule({std::nullopt, true, "k2"}), true);
      break;
    case 5:
      life.Apply(EncodeResolve(static_cast<How>(1 + random() % 3)));
      break;
    case 6:
      life.Apply(EncodeLookNow());
      break;
    case 7:
      life.Apply({kPeerLost, {}, 0, life.leases()});
      break;
    case 8:
      life.credit = !life.credit;
      break;
    case 9:
      life.policy = DrawPolicy(random);
      break;
    case 10:
    case 11:
    case 12:
      life.Apply(DrawReport(random, life));
      break;
    default: {
      const auto next = life.NextTimerMs();
      if (next && random() % 2 == 0)
        life.AdvanceTo(std::max(life.now_ms(), *next));
      else
        life.AdvanceTo(life.now_ms() + static_cast<std::int64_t>(random() % (random() % 2 == 0 ? 5'000 : kHourMs)));
    }
  }
}

std::string Story(const SingleLife& life) {
  std::string story;
  for (const Step& step : life.steps())
    story += std::to_string(step.at_ms - kNowMs) + " ms: event " + std::to_string(step.event.kind) + " timer " +
             std::to_string(step.event.timer) + " " + std::string(NameOf(step.from)) + " -> " +
             std::string(NameOf(step.to)) + "\n";
  return story;
}

TEST(Walks, KeepEveryInvariantAndComeToAnEnd) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937_64 random(seed);
    SingleLife life(kNowMs);
    life.policy = DrawPolicy(random);
    life.blocked = random() % 20 == 0;
    life.random = random();
    life.Apply(EncodeSchedule({{"b", "k", "", DrawSlots(random, kNowS)}}), true);
    for (int step = 0; step < 40 && life.broken().empty(); ++step) TakeStep(random, life);
    ASSERT_TRUE(life.broken().empty()) << "seed " << seed << ": " << life.broken().front() << "\n" << Story(life);

    life.credit = true;
    life.AdvanceTo(life.now_ms() + 60 * kHourMs);  // past all slots, answers and receipts
    ASSERT_TRUE(life.broken().empty()) << "seed " << seed << ": " << life.broken().front() << "\n" << Story(life);
    ASSERT_TRUE(life.ended()) << "seed " << seed << " stays " << NameOf(life.state()) << "\n" << Story(life);
    ASSERT_TRUE(life.timers().empty()) << "seed " << seed << " leaves a timer\n" << Story(life);
    ASSERT_FALSE(life.has_payload()) << "seed " << seed << " keeps a payload for ever\n" << Story(life);
  }
}

}  // namespace
}  // namespace smsflow::workflows::delivery
