// A file of TOML, read table by table: each value within its bounds, a key that nobody asked for is an error, and all
// that is wrong is told at once, a line each: `FILE:LINE:COLUMN: key rule`. No value is repeated, for it may be a
// secret. What the gateway's file of SMSCs and the script of smsflow-smsc have in common.
//
// Used by one thread; blocks for nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace smsflow::gateway {

// A word of a file, and what it means.
template <typename T>
struct Word {
  std::string_view word;
  T value;
};

// One table. What is not there leaves `out` as it is; what is wrong is noted and leaves it too.
class TomlTable {
 public:
  struct State;
  explicit TomlTable(std::unique_ptr<State> state);
  ~TomlTable();  // refuses what nobody asked for
  TomlTable(const TomlTable&) = delete;
  TomlTable& operator=(const TomlTable&) = delete;

  template <typename Number>
  void Integer(std::string_view key, Number& out, std::int64_t least, std::int64_t most) {
    if (const auto value = IntegerOf(key, least, most)) out = static_cast<Number>(*value);
  }
  void Share(std::string_view key, double& out);  // 0 to 1
  void Flag(std::string_view key, bool& out);
  void Text(std::string_view key, std::string& out, std::size_t most);   // at most so many octets, none of them zero
  void Ascii(std::string_view key, std::string& out, std::size_t most);  // 1 to `most` characters that can be seen
  void Names(std::string_view key, std::vector<std::string>& out);       // a list, each of 1 to 128 bytes
  // One number of milliseconds, or two: from and to; 0 to a day.
  void Milliseconds(std::string_view key, std::int64_t& least, std::int64_t& most);
  template <typename Words, typename T>
  void OneOf(std::string_view key, const Words& words, T& out) {
    if (!Has(key)) return;
    if (const auto* found = Find(words, TextOf(key))) {
      out = found->value;
    } else {
      Refuse(key, "must be one of " + All(words));
    }
  }
  // A section whose keys are free, and whose values are words. `each` says what is wrong with a key, or nothing.
  template <typename Words, typename Each>
  void Map(std::string_view key, const Words& words, Each each) {
    for (const Entry& entry : Entries(key)) {
      const auto* found = Find(words, entry.value);
      if (found == nullptr) {
        RefuseAt(entry.place, entry.key, "must be one of " + All(words));
      } else if (const std::string_view wrong = each(entry.key, found->value); !wrong.empty()) {
        RefuseAt(entry.place, entry.key, wrong);
      }
    }
  }

  // A section whose keys are free, and whose values are integers.
  using Named = std::map<std::string, std::int64_t, std::less<>>;
  void Integers(std::string_view key, Named& out, std::int64_t least, std::int64_t most);

  using ReadTable = std::function<void(TomlTable&)>;
  void Section(std::string_view key, const ReadTable& read);
  // Each begun with [[key]]; none at all is `least` 0.
  void Sections(std::string_view key, const ReadTable& read, std::size_t least = 0,
                std::size_t most = std::numeric_limits<std::size_t>::max());

  void Need(std::string_view key);  // it is required
  void Refuse(std::string_view key, std::string_view rule);

 private:
  struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };
  struct Entry {
    std::string key;
    std::optional<std::string> value;  // nullopt: no text
    Place place;
  };

  bool Has(std::string_view key);
  std::optional<std::int64_t> IntegerOf(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::string> TextOf(std::string_view key);
  std::vector<Entry> Entries(std::string_view key);
  template <typename Region>
  static Place PlaceOf(const Region& region) {
    return {region.begin.line, region.begin.column};
  }
  void RefuseAt(Place place, std::string_view key, std::string_view rule);

  template <typename Words>
  static auto Find(const Words& words, const std::optional<std::string>& value) -> decltype(words.data()) {
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) { return value == word.word; });
    return found == words.end() ? nullptr : &*found;
  }
  template <typename Words>
  static std::string All(const Words& words) {
    std::string all;
    for (const auto& word : words) all.append(all.empty() ? "" : ", ").append(word.word);
    return all;
  }

  const std::unique_ptr<State> state_;
};

// Gives the file's outermost table to `read`. `name` is the file's, for errors; InvalidArgument has them all.
[[nodiscard]] absl::Status ReadToml(std::string_view toml, std::string_view name, const TomlTable::ReadTable& read);

}  // namespace smsflow::gateway
