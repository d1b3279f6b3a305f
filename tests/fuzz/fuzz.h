// What every fuzzer shares. One parser each, with an oracle: nothing that a stranger sends may crash it, and what it
// took it gives back the same. libFuzzer calls LLVMFuzzerTestOneInput() with bytes of its choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace smsflow::fuzz {

inline std::string_view View(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Says which rule was broken; libFuzzer then keeps the input.
inline void Require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", rule);
  std::abort();
}

}  // namespace smsflow::fuzz
