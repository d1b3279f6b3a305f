#include "kafka/json_fields.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>  // the library is its headers here; nothing is linked
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/json_object.h"
#include "kafka/records.h"

namespace smsflow::kafka {
namespace {

using Error = boost::json::error_code;

// What the parser tells, kept where it is a member of the outermost object, or an item of a list there.
struct Handler {
  static constexpr std::size_t max_object_size = kValueBytesMax;
  static constexpr std::size_t max_array_size = kValueBytesMax;
  static constexpr std::size_t max_key_size = kValueBytesMax;
  static constexpr std::size_t max_string_size = kValueBytesMax;

  std::vector<JsonField>* fields = nullptr;
  JsonField* field = nullptr;  // the member that is being read; null: one that nobody asked for
  int depth = 0;
  bool is_object = false;
  std::string text;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }

  bool on_object_begin(Error&) {
    if (depth == 0) is_object = true;
    Open(false);
    return true;
  }
  bool on_object_end(std::size_t, Error&) { return Close(); }
  bool on_array_begin(Error&) {
    Open(true);
    return true;
  }
  bool on_array_end(std::size_t, Error&) { return Close(); }

  bool on_key_part(boost::json::string_view part, std::size_t, Error&) { return Add(part); }
  bool on_key(boost::json::string_view part, std::size_t, Error&) {
    Add(part);
    if (depth == 1 && is_object) {
      const auto found =
          std::find_if(fields->begin(), fields->end(), [this](const JsonField& one) { return one.name == text; });
      field = found == fields->end() ? nullptr : &*found;
      if (field != nullptr) ++field->times;
    }
    text.clear();
    return true;
  }

  bool on_string_part(boost::json::string_view part, std::size_t, Error&) { return Add(part); }
  bool on_string(boost::json::string_view part, std::size_t, Error&) {
    Add(part);
    return Put({JsonScalar::Kind::kText, std::exchange(text, {}), 0, false});
  }
  bool on_number_part(boost::json::string_view, Error&) { return true; }
  bool on_int64(std::int64_t value, boost::json::string_view, Error&) {
    return Put({JsonScalar::Kind::kInteger, {}, value, false});
  }
  bool on_uint64(std::uint64_t, boost::json::string_view, Error&) { return Put({JsonScalar::Kind::kOther, {}, 0, {}}); }
  bool on_double(double, boost::json::string_view, Error&) { return Put({JsonScalar::Kind::kOther, {}, 0, false}); }
  bool on_bool(bool value, Error&) { return Put({JsonScalar::Kind::kFlag, {}, 0, value}); }
  bool on_null(Error&) { return Put({}); }
  bool on_comment_part(boost::json::string_view, Error&) { return true; }
  bool on_comment(boost::json::string_view, Error&) { return true; }

 private:
  bool Add(boost::json::string_view part) {
    text.append(part.data(), part.size());
    return true;
  }
  bool Put(JsonScalar scalar) {
    if (!is_object || field == nullptr) return true;
    if (depth == 1)
      field->scalar = std::move(scalar);
    else if (depth == 2 && field->list)
      field->items.push_back(std::move(scalar));
    return true;
  }
  void Open(bool list) {
    // A list or an object where a value is wanted; within a list it is an item that is none.
    if (depth >= 1) Put({JsonScalar::Kind::kOther, {}, 0, false});
    if (depth == 1 && list && field != nullptr) field->list = true;
    ++depth;
  }
  bool Close() {
    --depth;
    if (depth == 1) field = nullptr;
    return true;
  }
};

bool IsWhitespace(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

JsonFields::JsonFields(std::string_view value, std::initializer_list<std::string_view> names, std::string_view whole) {
  fields_.reserve(names.size());
  for (const std::string_view name : names) fields_.push_back({name, 0, false, {}, {}});
  if (value.empty()) {
    Violate(whole, "must not be empty");
    return;
  }
  if (value.size() > kValueBytesMax) {
    Violate(whole, absl::StrCat("must be at most ", kValueBytesMax, " bytes"));
    return;
  }
  boost::json::parse_options options;
  options.max_depth = kDepthMax;
  boost::json::basic_parser<Handler> parser(options);
  parser.handler().fields = &fields_;
  Error error;
  const std::size_t read = parser.write_some(false, value.data(), value.size(), error);
  if (error == boost::json::error::too_deep) {
    Violate(whole, absl::StrCat("must not nest deeper than ", kDepthMax));
  } else if (error || !parser.done() || !parser.handler().is_object || !IsWhitespace(value.substr(read))) {
    Violate(whole, "must be one JSON object");
  }
  if (!ok()) {
    for (JsonField& field : fields_) field = {field.name, 0, false, {}, {}};
    return;
  }
  is_object_ = true;
  for (const JsonField& field : fields_) {
    if (field.times > 1) Violate(field.name, "must not be there twice");
  }
}

JsonField* JsonFields::Find(std::string_view name) {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [&](const JsonField& field) { return field.name == name; });
  if (found == fields_.end() || found->times != 1) return nullptr;
  return !found->list && found->scalar.kind == JsonScalar::Kind::kNull ? nullptr : &*found;
}

std::string JsonFields::Text(std::string_view name) {
  JsonField* field = Find(name);
  if (field == nullptr) return {};
  if (!field->list && field->scalar.kind == JsonScalar::Kind::kText) return std::move(field->scalar.text);
  Violate(name, "must be a string");
  return {};
}

std::string JsonFields::TextOrNumber(std::string_view name) {
  const JsonField* field = Find(name);
  const bool number = field != nullptr && !field->list && field->scalar.kind == JsonScalar::Kind::kInteger;
  return number ? std::to_string(field->scalar.integer) : Text(name);
}

bool JsonFields::Has(std::string_view name) {
  const JsonField* field = Find(name);
  return field != nullptr && field->times > 0 && (field->list || field->scalar.kind != JsonScalar::Kind::kNull);
}

bool JsonFields::Missing(std::string_view name) {
  if (!is_object_) return false;  // that says enough
  // One that is there twice has been noted as such.
  const bool twice = std::any_of(fields_.begin(), fields_.end(),
                                 [&](const JsonField& field) { return field.name == name && field.times > 1; });
  if (twice || Find(name) != nullptr) return false;
  Violate(name, "is missing");
  return true;
}

std::string JsonFields::PresentText(std::string_view name) {
  Missing(name);
  return Text(name);
}

std::string JsonFields::FullText(std::string_view name) {
  JsonField* field = Find(name);
  const bool empty =
      field != nullptr && !field->list && field->scalar.kind == JsonScalar::Kind::kText && field->scalar.text.empty();
  if (empty) Violate(name, "must not be empty");
  return PresentText(name);
}

std::optional<std::int64_t> JsonFields::Integer(std::string_view name, std::int64_t least, std::int64_t most) {
  const JsonField* field = Find(name);
  if (field == nullptr) return std::nullopt;
  if (!field->list && field->scalar.kind == JsonScalar::Kind::kInteger && field->scalar.integer >= least &&
      field->scalar.integer <= most) {
    return field->scalar.integer;
  }
  Violate(name, absl::StrCat("must be an integer from ", least, " to ", most));
  return std::nullopt;
}

std::int64_t JsonFields::RequiredInteger(std::string_view name, std::int64_t least, std::int64_t most) {
  Missing(name);
  return Integer(name, least, most).value_or(least);
}

bool JsonFields::Flag(std::string_view name) {
  const JsonField* field = Find(name);
  if (field == nullptr) return false;
  if (!field->list && field->scalar.kind == JsonScalar::Kind::kFlag) return field->scalar.flag;
  Violate(name, "must be true or false");
  return false;
}

std::vector<std::string> JsonFields::Texts(std::string_view name, std::size_t most) {
  JsonField* field = Find(name);
  std::vector<std::string> texts;
  if (field == nullptr) return texts;
  const auto is_text = [](const JsonScalar& item) {
    return item.kind == JsonScalar::Kind::kText && !item.text.empty();
  };
  if (!field->list || field->items.size() > most || !std::all_of(field->items.begin(), field->items.end(), is_text)) {
    Violate(name, absl::StrCat("must be a list of at most ", most, " strings"));
    return texts;
  }
  for (JsonScalar& item : field->items) texts.push_back(std::move(item.text));
  return texts;
}

std::vector<std::int64_t> JsonFields::Integers(std::string_view name, std::int64_t least, std::int64_t greatest,
                                               std::size_t most) {
  const JsonField* field = Find(name);
  std::vector<std::int64_t> integers;
  if (field == nullptr) return integers;
  const auto fits = [&](const JsonScalar& item) {
    return item.kind == JsonScalar::Kind::kInteger && item.integer >= least && item.integer <= greatest;
  };
  if (!field->list || field->items.size() > most || !std::all_of(field->items.begin(), field->items.end(), fits)) {
    Violate(name, absl::StrCat("must be a list of at most ", most, " integers from ", least, " to ", greatest));
    return integers;
  }
  for (const JsonScalar& item : field->items) integers.push_back(item.integer);
  return integers;
}

void JsonFields::Violate(std::string_view name, std::string_view rule) {
  absl::StrAppend(&violations_, violations_.empty() ? "" : "; ", std::string(name), ": ", std::string(rule));
}

absl::Status JsonFields::status() const { return ok() ? absl::OkStatus() : absl::InvalidArgumentError(violations_); }

void JsonText::Name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  absl::StrAppend(&text_, "\"", std::string(name), "\":");
}

JsonText& JsonText::Text(std::string_view name, std::string_view text) {
  return text.empty() ? *this : FullText(name, text);
}

JsonText& JsonText::FullText(std::string_view name, std::string_view text) {
  Name(name);
  crypto::AppendJsonQuoted(text, text_);
  return *this;
}

JsonText& JsonText::Integer(std::string_view name, std::int64_t value) {
  Name(name);
  absl::StrAppend(&text_, value);
  return *this;
}

JsonText& JsonText::Flag(std::string_view name, bool value) {
  if (!value) return *this;
  Name(name);
  text_ += "true";
  return *this;
}

JsonText& JsonText::Texts(std::string_view name, const std::vector<std::string>& texts) {
  Name(name);
  char between = '[';
  for (const std::string& text : texts) {
    text_ += std::exchange(between, ',');
    crypto::AppendJsonQuoted(text, text_);
  }
  if (texts.empty()) text_ += '[';
  text_ += ']';
  return *this;
}

JsonText& JsonText::Integers(std::string_view name, const std::vector<std::int32_t>& values) {
  Name(name);
  char between = '[';
  for (const std::int32_t value : values) {
    text_ += std::exchange(between, ',');
    absl::StrAppend(&text_, value);
  }
  if (values.empty()) text_ += '[';
  text_ += ']';
  return *this;
}

std::string JsonText::Take() {
  text_ += '}';
  return std::exchange(text_, "{");
}

}  // namespace smsflow::kafka
