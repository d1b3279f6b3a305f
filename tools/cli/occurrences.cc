#include "tools/cli/occurrences.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"

namespace smsflow::cli {
namespace {

// Of the thing and its number; never 0.
std::uint64_t PrintOf(const std::string& thing, std::uint64_t number) {
  const crypto::Digest digest = crypto::Sha256(thing, "\n", std::to_string(number));
  std::uint64_t print = 0;
  std::memcpy(&print, digest.data(), sizeof print);
  return print == 0 ? 1 : print;
}

}  // namespace

bool Occurrences::Has(std::uint64_t print) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = print & mask; slots_[at] != 0; at = (at + 1) & mask)
    if (slots_[at] == print) return true;
  return false;
}

void Occurrences::Insert(std::uint64_t print) {
  if ((used_ + 1) * 4 > slots_.size() * 3) {
    std::vector<std::uint64_t> old(slots_.size() * 2, 0);
    old.swap(slots_);
    used_ = 0;
    for (const std::uint64_t moved : old)
      if (moved != 0) Insert(moved);
  }
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = print & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = print;
  ++used_;
}

std::optional<std::uint64_t> Occurrences::Count(const std::string& thing) {
  if (used_ == most_) return std::nullopt;
  // The numbers that are there have no gap, so the first free one is found by doubling and halving.
  std::uint64_t taken = 0, step = 1;
  while (Has(PrintOf(thing, taken + step - 1))) {
    taken += step;
    step *= 2;
  }
  for (step /= 2; step > 0; step /= 2)
    if (Has(PrintOf(thing, taken + step - 1))) taken += step;
  Insert(PrintOf(thing, taken));
  return taken;
}

}  // namespace smsflow::cli
