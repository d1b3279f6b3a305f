#include "crypto/secret.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "crypto/hash.h"

namespace smsflow::crypto {

Secret::Secret(std::size_t size) : bytes_(size == 0 ? nullptr : new std::uint8_t[size]()), size_(size) {}

Secret::Secret(std::string_view copy_of) : Secret(copy_of.size()) {
  std::copy(copy_of.begin(), copy_of.end(), bytes_.get());
}

Secret Secret::Take(std::string& text) {
  Secret taken{std::string_view(text)};
  WipeString(text);
  return taken;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, std::size_t{0})) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  Wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, std::size_t{0});
  return *this;
}

bool Secret::Equals(std::string_view other) const { return EqualConstantTime(Reveal(), other); }

void Secret::Wipe() {
  if (bytes_) OPENSSL_cleanse(bytes_.get(), size_);
}

void WipeString(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace smsflow::crypto
