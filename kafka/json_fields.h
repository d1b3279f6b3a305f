// The members of one JSON object, read strictly and once: those that are asked for are kept, all others skipped, and
// whatever is wrong with one is noted under its name, so that a caller hears of everything at once.
//
// RFC 8259 and UTF-8; bounded by kValueBytesMax and kDepthMax of records.h. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace smsflow::kafka {

struct JsonScalar {
  enum class Kind { kNull, kText, kInteger, kFlag, kOther };
  Kind kind = Kind::kNull;
  std::string text;
  std::int64_t integer = 0;
  bool flag = false;
};

struct JsonField {
  std::string_view name;
  int times = 0;  // that it stands there
  bool list = false;
  JsonScalar scalar;
  std::vector<JsonScalar> items;  // of a list; what is no scalar is kOther
};

// Of a member that is absent, null, or not as asked, the getters answer nothing; absent and null are the same. The
// names must outlive the object.
class JsonFields {
 public:
  // `whole` is what violations call the value itself; of one that is no object they tell nothing else.
  JsonFields(std::string_view value, std::initializer_list<std::string_view> names, std::string_view whole = "value");

  std::string Text(std::string_view name);          // empty where it is absent
  std::string TextOrNumber(std::string_view name);  // the same; a whole number stands for its digits
  std::string PresentText(std::string_view name);   // required; may be empty
  std::string FullText(std::string_view name);      // required, and not empty
  std::optional<std::int64_t> Integer(std::string_view name, std::int64_t least, std::int64_t most);
  std::int64_t RequiredInteger(std::string_view name, std::int64_t least, std::int64_t most);
  bool Flag(std::string_view name);
  bool Has(std::string_view name);  // it is there, and not null
  std::vector<std::string> Texts(std::string_view name, std::size_t most);
  std::vector<std::int64_t> Integers(std::string_view name, std::int64_t least, std::int64_t greatest,
                                     std::size_t most);

  // `rule` follows the name: "must be …".
  void Violate(std::string_view name, std::string_view rule);
  bool ok() const { return violations_.empty(); }
  // INVALID_ARGUMENT with all that was found.
  absl::Status status() const;

 private:
  JsonField* Find(std::string_view name);
  bool Missing(std::string_view name);  // and notes it

  std::vector<JsonField> fields_;
  bool is_object_ = false;
  std::string violations_;
};

// `{"name":value,…}`: a member that is empty is left out.
class JsonText {
 public:
  JsonText& Text(std::string_view name, std::string_view text);      // left out when empty
  JsonText& FullText(std::string_view name, std::string_view text);  // also when empty
  JsonText& Integer(std::string_view name, std::int64_t value);
  JsonText& Flag(std::string_view name, bool value);  // left out when false
  JsonText& Texts(std::string_view name, const std::vector<std::string>& texts);
  JsonText& Integers(std::string_view name, const std::vector<std::int32_t>& values);
  std::string Take();

 private:
  void Name(std::string_view name);
  std::string text_ = "{";
};

}  // namespace smsflow::kafka
