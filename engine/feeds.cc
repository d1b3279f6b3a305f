// What comes from a log outside: applied once, in one unit with how far the shard has come in it.
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

// A workflow's "not now" to an event is an answer; this is not.
bool CannotBe(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) || absl::IsAlreadyExists(status);
}

std::string ReasonOf(const Answer& answer) {
  std::string reason(answer.status.message());
  for (const workflows::FieldViolation& violation : answer.violations) {
    if (!reason.empty()) reason += "; ";
    reason += violation.field + ": " + violation.description;
  }
  return reason;
}

}  // namespace

AppliedFeed& Partition::FeedOf(Shard& home, const FeedRef& feed) {
  const auto [it, fresh] = home.feeds.try_emplace(*feed);
  if (fresh) it->second.feed = feed;
  return it->second;
}

void Partition::Handle(Round& round, FedItem& item) {
  Shard& home = shard(item.shard);
  AppliedFeed& applied = FeedOf(home, item.origin.feed);
  FedAnswer answer;
  if (item.origin.position < applied.next) {
    ++counts_.fed_again;
    answer.what = Taking::kAppliedBefore;
    if (const auto* sweep = std::get_if<FedSweep>(&item.work)) {
      round.answers.push_back([this, command = sweep->command] {
        shared_.broadcasts.Fail(command, absl::AlreadyExistsError("applied before"));
      });
      return;
    }
    if (item.done) round.fed.emplace_back(std::move(item.done), std::move(answer));
    return;
  }
  ++counts_.fed;
  if (auto* create = std::get_if<CreateRequest>(&item.work)) {
    answer.answer = Create(round, home, *create);
    if (!answer.answer.status.ok()) answer.what = Taking::kRefused;
  } else if (auto* event = std::get_if<EventRequest>(&item.work)) {
    answer.answer = Apply(round, *event);
    if (CannotBe(answer.answer.status)) answer.what = Taking::kRefused;
  } else if (auto* report = std::get_if<FedReport>(&item.work)) {
    Report(round, *report->from, report->attempt, report->event);
  } else if (auto* sweep = std::get_if<FedSweep>(&item.work)) {
    BeginSweep(round, home, sweep->command, sweep->request);
  } else if (const auto* dead = std::get_if<DeadLetter>(&item.work)) {
    answer.what = Taking::kRefused;
    answer.answer.status = absl::InvalidArgumentError(dead->reason);
  }
  if (answer.what == Taking::kRefused) LayAside(round, home, item.origin, ReasonOf(answer.answer));
  applied.next = item.origin.position + 1;
  applied.digest = item.origin.digest;
  Note(round, home, applied);
  if (item.done) round.fed.emplace_back(std::move(item.done), std::move(answer));
}

// Written once in a round, however many records moved it.
void Partition::Note(Round& round, const Shard& home, AppliedFeed& applied) {
  if (!std::exchange(applied.changed, true)) round.feeds.emplace_back(home.id, &applied);
}

void Partition::WriteFeeds(Round& round) {
  for (const auto& [id, applied] : round.feeds) {
    applied->changed = false;
    feed_row_.set_log(applied->feed->log);
    feed_row_.set_partition(applied->feed->partition);
    feed_row_.set_next(applied->next);
    feed_row_.clear_digest();
    if (applied->digest != storage::Hash16{}) feed_row_.set_digest(applied->digest.data(), applied->digest.size());
    storage::PutFeed(round.batch, id, feed_row_);
  }
}

// What cannot be applied leaves for the dead letters, in one unit with its position: it is neither lost nor in the way.
void Partition::LayAside(Round& round, Shard& home, const Origin& origin, std::string reason) {
  ++counts_.dead_letters;
  stored::DeadLetterBody body;
  body.set_log(origin.feed->log);
  body.set_partition(origin.feed->partition);
  body.set_position(origin.position);
  body.set_digest(origin.digest.data(), origin.digest.size());
  body.set_reason(std::move(reason));
  body.set_at_ms(round.now_ms);
  body.set_bytes(origin.bytes);
  stored::OutboxRow row;
  row.set_channel(kDeadLetters);
  row.set_body(body.SerializeAsString());
  const std::uint64_t sequence = home.outbox_next++;
  storage::PutOutbox(round.batch, home.id, sequence, row);
  home.open_outbox[sequence] = {};
  round.posts.push_back({home.id, sequence, {}, kDeadLetters, row.body()});
}

void Partition::Handle(Round& round, ProgressItem& item) {
  for (const auto& home : shards_) {
    AppliedFeed& applied = FeedOf(*home, item.feed);
    const std::uint64_t next = (*item.next)[home->id.value];
    const bool known = applied.known || applied.next != 0;
    if (known && (item.again ? applied.next == next : applied.next >= next)) continue;
    applied.known = true;
    applied.next = next;
    applied.digest = item.digest;
    Note(round, *home, applied);
  }
  round.answers.push_back([count = std::move(item.count)] {
    if (count->left.fetch_sub(1) == 1 && count->done) count->done(absl::OkStatus());
  });
}

absl::Status Partition::RecoverFeeds(Shard& home) {
  const std::string prefix(storage::Key('f', home.id).view());
  const auto rows = store().Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix));
  for (; rows->Valid(); rows->Next()) {
    const auto row = storage::DecodeFeed(rows->value());
    if (!row.ok()) return row.status();
    AppliedFeed& applied = FeedOf(home, std::make_shared<const FeedId>(FeedId{row->log(), row->partition()}));
    applied.known = true;
    applied.next = row->next();
    std::copy(row->digest().begin(), row->digest().end(), applied.digest.begin());
  }
  return rows->status();
}

absl::StatusOr<FeedPosition> ReadFeed(const storage::Store& store, std::uint16_t shards, const FeedId& feed) {
  FeedPosition position;
  position.known = true;
  position.next.resize(shards);
  for (std::uint16_t s = 0; s < shards; ++s) {
    const auto row = storage::GetFeed(store, ShardId{s}, feed.log, feed.partition);
    if (!row.ok()) return row.status();
    if (!*row) {
      position.known = false;
      continue;
    }
    position.next[s] = (*row)->next();
    if ((*row)->next() < position.highest) continue;
    if ((*row)->next() > position.highest) position.digest = {};
    position.highest = (*row)->next();
    if (!(*row)->digest().empty()) std::copy((*row)->digest().begin(), (*row)->digest().end(), position.digest.begin());
  }
  position.lowest = *std::min_element(position.next.begin(), position.next.end());
  return position;
}

}  // namespace smsflow::engine
