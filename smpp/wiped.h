// Bytes with a number or a text in them leave nothing behind in memory that is given back.
//
// Values only; safe from any thread.
#pragma once

#include <string.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

namespace smsflow::smpp {

template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class Other>
  WipingAllocator(const WipingAllocator<Other>&) {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

// A string whose memory is wiped before it is given back, also when it grows. Up to 15 bytes stand in the string
// itself, where nobody wipes them: what can be so short is made by ToBeWiped().
using WipedBytes = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

// Empty, with room for `bytes`, and never within the object itself, where a short string would stay behind when it is
// moved from: so that all of what is put into it can be wiped.
template <class Text = std::string>
Text ToBeWiped(std::size_t bytes) {
  Text text;
  text.reserve(std::max(bytes, sizeof text));
  return text;
}

// Of a string that has not grown since it was filled; of WipedBytes, for what they keep is not given back.
template <class Allocator>
void Wipe(std::basic_string<char, std::char_traits<char>, Allocator>& text) {
  explicit_bzero(text.data(), text.capacity());
  text.clear();
}

}  // namespace smsflow::smpp
