#include "crypto/json_object.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace smsflow::crypto {
namespace {

constexpr int kDepthMax = 4;

void AppendUtf8(std::uint32_t point, std::string& out) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6);
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<JsonObject> Whole() {
    JsonObject object;
    SkipSpace();
    if (!Object(object, 1)) return std::nullopt;
    SkipSpace();
    if (!rest_.empty()) return std::nullopt;
    return object;
  }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeWord(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  void SkipSpace() {
    const auto end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  bool Object(JsonObject& object, int depth) {
    if (depth > kDepthMax || !Take('{')) return false;
    SkipSpace();
    if (Take('}')) return true;
    do {
      JsonMember member;
      SkipSpace();
      if (!String(member.name) || object.Find(member.name) != nullptr) return false;
      SkipSpace();
      if (!Take(':')) return false;
      SkipSpace();
      if (!Value(member, depth)) return false;
      object.members.push_back(std::move(member));
      SkipSpace();
    } while (Take(','));
    return Take('}');
  }

  bool Value(JsonMember& member, int depth) {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '"':
        member.kind = JsonMember::Kind::kString;
        return String(member.text);
      case '{':
        member.kind = JsonMember::Kind::kObject;
        return Object(member.object, depth + 1);
      case '[':
        member.kind = JsonMember::Kind::kArray;
        return Array(member.object, depth + 1);
      case 't':
        return TakeWord("true");
      case 'f':
        return TakeWord("false");
      case 'n':
        return TakeWord("null");
      default:
        return Number(member);
    }
  }

  bool Array(JsonObject& elements, int depth) {
    if (depth > kDepthMax || !Take('[')) return false;
    SkipSpace();
    if (Take(']')) return true;
    do {
      JsonMember element;
      SkipSpace();
      if (!Value(element, depth)) return false;
      elements.members.push_back(std::move(element));
      SkipSpace();
    } while (Take(','));
    return Take(']');
  }

  bool Digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
    return rest_.size() < before;
  }

  bool Number(JsonMember& member) {
    const std::string_view start = rest_;
    const bool negative = Take('-');
    const bool zero = Take('0');
    if (!zero && !Digits()) return false;
    const std::string_view whole = start.substr(0, start.size() - rest_.size());
    bool integral = !negative;
    if (Take('.')) {
      integral = false;
      if (!Digits()) return false;
    }
    if (Take('e') || Take('E')) {
      integral = false;
      if (!Take('+')) Take('-');
      if (!Digits()) return false;
    }
    if (!integral) return true;
    const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), member.integer);
    if (error == std::errc{} && end == whole.data() + whole.size()) member.kind = JsonMember::Kind::kInteger;
    return true;
  }

  bool Hex4(std::uint32_t& value) {
    if (rest_.size() < 4) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, value, 16);
    if (error != std::errc{} || end != rest_.data() + 4) return false;
    rest_.remove_prefix(4);
    return true;
  }

  bool UnicodeEscape(std::string& out) {
    std::uint32_t point = 0;
    if (!Hex4(point)) return false;
    if (point >= 0xDC00 && point <= 0xDFFF) return false;
    if (point >= 0xD800 && point <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!TakeWord("\\u") || !Hex4(low) || low < 0xDC00 || low > 0xDFFF) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(point, out);
    return true;
  }

  bool Escape(std::string& out) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == 'u') return UnicodeEscape(out);
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const auto at = kFrom.find(c);
    if (at == std::string_view::npos) return false;
    out += kTo[at];
    return true;
  }

  bool String(std::string& out) {
    if (!Take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\')
        out += c;
      else if (!Escape(out))
        return false;
    }
    return false;
  }

  std::string_view rest_;
};

}  // namespace

const JsonMember* JsonObject::Find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const JsonMember& m) { return m.name == name; });
  return found == members.end() ? nullptr : &*found;
}

std::optional<std::string_view> JsonObject::String(std::string_view name) const {
  const JsonMember* const member = Find(name);
  if (member == nullptr || member->kind != JsonMember::Kind::kString) return std::nullopt;
  return member->text;
}

std::optional<JsonObject> ParseJsonObject(std::string_view text) { return Parser(text).Whole(); }

void AppendJsonQuoted(std::string_view text, std::string& out) {
  const auto needs_escape = [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
  out += '"';
  while (true) {
    const auto plain = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), needs_escape) - text.begin());
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    const char c = text[plain];
    out += '\\';
    if (c == '"' || c == '\\') {
      out += c;
    } else {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 15];
    }
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

std::string JsonQuoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  AppendJsonQuoted(text, out);
  return out;
}

}  // namespace smsflow::crypto
