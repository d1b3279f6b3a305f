#include "crypto/seal.h"

#include "absl/strings/str_cat.h"

namespace smsflow::crypto {

absl::Status Seal(SealAlgorithm algorithm, std::string_view table, std::string_view /*key*/, std::string_view bytes,
                  std::string& out) {
  switch (algorithm) {
    case SealAlgorithm::kNone:
      out.reserve(out.size() + 1 + bytes.size());
      out += static_cast<char>(algorithm);
      out += bytes;
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("cannot seal a value of table ", std::string(table), ": algorithm ",
                                                 static_cast<int>(algorithm), " is unknown"));
}

absl::StatusOr<std::string_view> Open(std::string_view table, std::string_view /*key*/, std::string_view sealed,
                                      std::string& /*scratch*/) {
  if (sealed.empty())
    return absl::DataLossError(absl::StrCat("cannot open a value of table ", std::string(table), ": it is empty"));
  const auto algorithm = static_cast<std::uint8_t>(sealed.front());
  switch (static_cast<SealAlgorithm>(algorithm)) {
    case SealAlgorithm::kNone:
      return sealed.substr(1);
  }
  return absl::DataLossError(absl::StrCat("cannot open a value of table ", std::string(table), ": it is sealed with ",
                                          "algorithm ", static_cast<int>(algorithm),
                                          ", which this version does not know"));
}

}  // namespace smsflow::crypto
