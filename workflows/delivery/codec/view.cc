// An SMS as every list, watch and explanation shows it: what is stored, and what follows from it.
#include <algorithm>
#include <utility>

#include "workflows/delivery/causes.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/codec/rows.h"

namespace smsflow::workflows::delivery {
namespace {

// Only an operator's word makes it DELIVERED without an attempt that was, as long as all results are kept.
bool WasResolved(const Data& data) {
  return data.attempts <= kResultsKept &&
         std::find(data.results.begin(), data.results.end(), Result::kDelivered) == data.results.end();
}

// While it lives, of its last failure; once it is over, why it ended so.
std::string_view CauseOf(State state, const Data& data) {
  switch (state) {
    case State::kDelivered:
      return WasResolved(data) ? cause::kResolved : std::string_view();
    case State::kCanceled:
      return cause::kCanceled;
    case State::kBlocked:
      return cause::kBlocked;
    case State::kUnconfirmed:
      return cause::kNoReceipt;
    case State::kExpired:
      // Nothing else expires what is unknown.
      return data.Latest() == Result::kUnknown ? cause::kGaveUp : data.cause;
    default:
      return data.cause;
  }
}

// Which attempt, and the end of its slot: of the next attempt; once that is none, of the last that left; and of an SMS
// that is over and never left, the last slot that it had.
void FillTimes(State state, const Data& data, const Slots& slots, SmsView& view) {
  const bool over = IsOverForUser(state);
  view.due_ms = data.due_ms == 0 && over ? data.left_ms : data.due_ms;
  auto end_s = view.due_ms == 0 ? std::nullopt : DeadlineOf(slots, view.due_ms / 1000);
  if (!end_s && over && !slots.empty()) end_s = slots.back().till_s;
  view.deadline_ms = end_s.value_or(0) * 1000;
}

}  // namespace

std::optional<SmsView> ViewOf(std::uint16_t state, std::string_view target, std::string_view fixed_bytes,
                              std::string_view data_bytes) {
  auto fixed = DecodeFixed(fixed_bytes);
  auto data = DecodeData(data_bytes);
  if (!fixed || !data) return std::nullopt;
  SmsView view;
  view.state = static_cast<State>(state);
  FillTimes(view.state, *data, fixed->slots, view);
  view.cause = CauseOf(view.state, *data);
  view.batch = std::move(fixed->batch);
  view.key = std::move(fixed->key);
  view.target = target;
  view.key_id = std::move(fixed->key_id);
  view.slots = std::move(fixed->slots);
  view.attempts = data->attempts;
  view.left_ms = data->left_ms;
  view.results = std::move(data->results);
  view.stop = data->stop;
  return view;
}

}  // namespace smsflow::workflows::delivery
