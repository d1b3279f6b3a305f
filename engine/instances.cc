#include "engine/instances.h"

#include <utility>

namespace smsflow::engine {

absl::StatusOr<Loaded*> Instances::Find(const InstanceId& id) {
  if (const auto it = by_id_.find(id); it != by_id_.end()) {
    ++hits_;
    order_.splice(order_.begin(), order_, it->second);
    Loaded& loaded = it->second->loaded;
    return loaded.erased ? nullptr : &loaded;
  }
  ++misses_;
  auto head = storage::GetHead(store_, id);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return nullptr;

  Loaded loaded;
  loaded.id = id;
  loaded.head = **std::move(head);
  loaded.state.Swap(loaded.head.mutable_state());
  loaded.head.clear_state();
  if (!loaded.head.final()) {
    auto state = storage::GetState(store_, id);
    if (!state.ok()) return state.status();
    if (state->has_value()) loaded.state = **std::move(state);
  }
  return &Insert(std::move(loaded));
}

Loaded& Instances::Create(const InstanceId& id, stored::InstanceHead head) {
  Loaded loaded;
  loaded.id = id;
  loaded.head = std::move(head);
  loaded.created = true;
  return Insert(std::move(loaded));
}

void Instances::Trim() {
  while (!order_.empty() && bytes_ > bytes_max_) {
    bytes_ -= order_.back().bytes;
    by_id_.erase(order_.back().loaded.id);
    order_.pop_back();
  }
}

Loaded& Instances::Insert(Loaded loaded) {
  const std::size_t bytes = SizeOf(loaded);
  order_.push_front(Slot{std::move(loaded), bytes});
  bytes_ += bytes;
  by_id_[order_.front().loaded.id] = order_.begin();
  return order_.front().loaded;
}

// Counted once, when it comes in: what changes later is small beside the payload.
std::size_t Instances::SizeOf(const Loaded& loaded) {
  constexpr std::size_t kBookkeeping = 512;
  return kBookkeeping + loaded.head.payload().size() + loaded.head.ByteSizeLong() + 2 * loaded.state.ByteSizeLong();
}

}  // namespace smsflow::engine
