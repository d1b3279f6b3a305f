#include "smpp/message_ids.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "smpp/ascii.h"

namespace smsflow::smpp {
namespace {

constexpr std::size_t kIdCharacters = 64;
constexpr std::array kForms = {IdForm::kSame, IdForm::kFromDecimal, IdForm::kFromHex};

}  // namespace

std::string NormalId(std::string_view id) {
  id = WithoutBlanks(id);
  while (id.size() > 1 && (id.front() == '0' || IsBlank(id.front()))) id.remove_prefix(1);
  return Upper(WithoutBlanks(id.substr(0, kIdCharacters)));
}

std::optional<std::string> ConvertId(std::string_view id, IdForm form) {
  const std::string normal = NormalId(id);
  if (form == IdForm::kSame) return normal;
  const int from = form == IdForm::kFromDecimal ? 10 : 16;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(normal.data(), normal.data() + normal.size(), number, from);
  if (normal.empty() || error != std::errc() || end != normal.data() + normal.size()) return std::nullopt;
  std::array<char, 24> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number, from == 10 ? 16 : 10);
  return NormalId({text.data(), static_cast<std::size_t>(written.ptr - text.data())});
}

void IdForms::Add(IdSource source, std::string_view id, std::vector<IdCandidate>& candidates) const {
  if (WithoutBlanks(id).empty()) return;
  for (const IdForm form : kForms) {
    if (At(source).known && *At(source).known != form) continue;
    auto key = ConvertId(id, form);
    if (!key) continue;
    const bool there = std::any_of(candidates.begin(), candidates.end(),
                                   [&key](const IdCandidate& other) { return other.key == *key; });
    if (!there) candidates.push_back({.source = source, .form = form, .key = std::move(*key)});
  }
}

std::vector<IdCandidate> IdForms::Candidates(std::string_view tlv_id, std::string_view text_id) const {
  std::vector<IdCandidate> candidates;
  Add(IdSource::kTlv, tlv_id, candidates);
  Add(IdSource::kText, text_id, candidates);
  return candidates;
}

void IdForms::Matched(const IdCandidate& found, const std::vector<IdCandidate>& all) {
  missed_in_a_row_ = 0;
  Learning& learning = At(found.source);
  if (learning.known) return;
  const auto of_source =
      std::count_if(all.begin(), all.end(), [&found](const IdCandidate& one) { return one.source == found.source; });
  if (of_source < 2) return;
  learning.in_a_row = learning.last == found.form ? learning.in_a_row + 1 : 1;
  learning.last = found.form;
  if (learning.in_a_row >= kToLearn) learning.known = found.form;
}

void IdForms::Missed() {
  ++misses_;
  if (++missed_in_a_row_ < kToForget) return;
  missed_in_a_row_ = 0;
  for (Learning& learning : sources_) {
    if (!learning.fixed) learning = {};
  }
}

void IdForms::Set(IdSource source, IdForm form) { At(source) = {.known = form, .fixed = true}; }

}  // namespace smsflow::smpp
