#include "crypto/vault_file.h"

#include <utility>

#include "absl/status/status.h"
#include "crypto/pkcs12.h"

namespace smsflow::crypto {
namespace {

constexpr char kDerSequence = 0x30;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kKeysMax = 1000;

absl::StatusOr<std::vector<VaultKey>> ReadPem(std::string_view rest, const Secret& password) {
  std::vector<VaultKey> keys;
  for (;;) {
    const std::size_t begin = rest.find(kBegin);
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const std::size_t label_end = rest.find(kDashes, kBegin.size());
    const std::size_t end = rest.find(kEnd, kBegin.size());
    if (label_end == std::string_view::npos || end == std::string_view::npos || label_end > end)
      return absl::InvalidArgumentError("a PEM block must have its END line");
    const std::size_t block_end = rest.find(kDashes, end + kEnd.size());
    if (block_end == std::string_view::npos) return absl::InvalidArgumentError("a PEM block must have its END line");
    const std::string_view label = rest.substr(kBegin.size(), label_end - kBegin.size());
    if (label.ends_with("PRIVATE KEY")) {
      auto key = PrivateKey::FromPem(rest.substr(0, block_end + kDashes.size()), password);
      if (!key.ok()) return key.status();
      if (keys.size() == kKeysMax) return absl::InvalidArgumentError("a PEM file must hold at most 1000 private keys");
      keys.push_back({*std::move(key), ""});
    }
    rest.remove_prefix(block_end + kDashes.size());
  }
  if (keys.empty())
    return absl::InvalidArgumentError("not a vault: expected PEM with BEGIN PRIVATE KEY, or a PKCS#12 store");
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<VaultKey>> ReadVaultFile(std::string_view contents, const Secret& password) {
  if (contents.size() > kVaultBytesMax) return absl::InvalidArgumentError("a vault must be at most 1 MB");
  if (!contents.empty() && contents.front() == kDerSequence) return ReadPkcs12(contents, password);
  return ReadPem(contents, password);
}

}  // namespace smsflow::crypto
