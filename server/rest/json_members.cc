#include "server/rest/json_members.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/violations.h"

namespace smsflow::server::rest {

namespace {

using Error = boost::json::error_code;
using Text = boost::json::string_view;

constexpr std::size_t kNameBytesMax = 64;

// What the parser tells. Of a value it matters only where it stands.
struct Handler {
  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_object_size = kAny;
  static constexpr std::size_t max_array_size = kAny;
  static constexpr std::size_t max_key_size = kAny;
  static constexpr std::size_t max_string_size = kAny;

  // Of an object or a list that is open.
  struct Level {
    std::string path;  // what stands before a member's name or an item's place
    bool is_list = false;
    std::size_t items = 0;        // of a list, so far
    std::set<std::string> names;  // of an object, so far
  };
  std::vector<Level> open;
  std::string name;  // of the member that comes, so far
  std::string last;  // of the member whose value is being read
  std::size_t most = 0;
  std::vector<std::string> twice;
  std::set<std::string> told;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return Open(false); }
  bool on_object_end(std::size_t, Error&) { return Close(); }
  bool on_array_begin(Error&) { return Open(true); }
  bool on_array_end(std::size_t, Error&) { return Close(); }

  bool on_key_part(Text part, std::size_t, Error&) {
    name.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Error&) {
    name.append(part.data(), part.size());
    Level& level = open.back();
    if (!level.names.insert(name).second && twice.size() < most) {
      std::string path = level.path + ShownMember(name);
      if (told.insert(path).second) twice.push_back(std::move(path));
    }
    last = std::exchange(name, {});
    return true;
  }

  bool on_string_part(Text, std::size_t, Error&) { return true; }
  bool on_string(Text, std::size_t, Error&) { return Value(); }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t, Text, Error&) { return Value(); }
  bool on_uint64(std::uint64_t, Text, Error&) { return Value(); }
  bool on_double(double, Text, Error&) { return Value(); }
  bool on_bool(bool, Error&) { return Value(); }
  bool on_null(Error&) { return Value(); }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }

 private:
  bool Value() {
    if (!open.empty()) ++open.back().items;
    return true;
  }
  bool Open(bool is_list) {
    std::string path;
    if (!open.empty()) {
      const Level& outer = open.back();
      path = outer.path + (outer.is_list ? absl::StrCat("[", outer.items, "]") : ShownMember(last));
    }
    Value();
    if (!is_list && !path.empty()) path += '.';
    open.push_back({std::move(path), is_list, 0, {}});
    return true;
  }
  bool Close() {
    open.pop_back();
    return true;
  }
};

}  // namespace

std::string ShownMember(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && IsPrintable(name) ? std::string(name) : "body";
}

std::vector<std::string> MembersThereTwice(std::string_view text, std::size_t depth_max, std::size_t most) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::basic_parser<Handler> parser(options);
  parser.handler().most = most;
  Error error;
  parser.write_some(false, text.data(), text.size(), error);
  return std::move(parser.handler().twice);
}

}  // namespace smsflow::server::rest
