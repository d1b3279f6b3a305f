// Bytes that must not be seen: a private key, a content key, a token.
//
// Move-only, wiped when destroyed or overwritten, never printable: there is no operator<< and no conversion to a
// string; whoever needs the bytes says so with Reveal(). A value is owned by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace smsflow::crypto {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size);          // of zero bytes, to be filled through bytes()
  explicit Secret(std::string_view copy_of);  // the caller's copy stays the caller's to wipe
  // Takes the bytes and wipes `text`: also what it held beyond its length.
  static Secret Take(std::string& text);
  ~Secret() { Wipe(); }
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<std::uint8_t> bytes() { return {bytes_.get(), size_}; }
  // Good as long as this object lives unchanged. Never hand it to a log, an error text or a stream.
  std::string_view Reveal() const { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }

  // In a time that does not depend on where they differ.
  bool Equals(std::string_view other) const;

 private:
  void Wipe();

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
};

// Overwrites in a way that the compiler does not remove, then clears.
void WipeString(std::string& text);

}  // namespace smsflow::crypto
