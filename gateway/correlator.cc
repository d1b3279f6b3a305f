#include "gateway/correlator.h"

#include <algorithm>
#include <utility>

namespace smsflow::gateway {
namespace {

using smpp::IdCandidate;
using smpp::IdForm;
using smpp::IdSource;

std::string NameOf(std::string_view account, std::string_view id) {
  return std::string(account).append(1, '\0').append(id);
}

// No id of ours has a zero byte in it, so one that has matches nothing.
std::string_view Sound(std::string_view id) { return id.find('\0') == id.npos ? id : std::string_view(); }

// Whether the receipt names the SMS's recipient. Tags of another process say nothing either way.
bool IsSame(const RecipientTag& recipient, const SmscReceipt& receipt) {
  return recipient.process != 0 && (recipient == receipt.recipient || recipient == receipt.destination);
}
bool IsAnother(const RecipientTag& recipient, const SmscReceipt& receipt) {
  return recipient.process != 0 && recipient.process == receipt.recipient.process && !IsSame(recipient, receipt);
}

// The youngest that has this id; one of the same recipient before the others.
NamedPart Choose(const std::vector<NamedPart>& parts, const SmscReceipt& receipt) {
  const auto same = std::find_if(parts.rbegin(), parts.rend(),
                                 [&](const NamedPart& part) { return IsSame(part.recipient, receipt); });
  return same != parts.rend() ? *same : parts.back();
}

std::uint8_t NumberOf(const std::optional<IdForm>& form) {
  return form.has_value() ? static_cast<std::uint8_t>(*form) : std::uint8_t{0};
}

}  // namespace

Correlator::Correlator(CorrelatorOptions options, Store& store) : options_(std::move(options)), store_(store) {
  for (const FixedForm& fixed : options_.forms) accounts_[fixed.account].forms.Set(fixed.source, fixed.form);
}

absl::Status Correlator::Load() {
  const auto forms = store_.Forms();
  if (!forms.ok()) return forms.status();
  for (const StoredForms& stored : *forms) {
    smpp::IdForms& known = accounts_[stored.account].forms;
    const auto restore = [&known](IdSource source, std::uint8_t form) {
      const bool is_one = form >= 1 && form <= static_cast<std::uint8_t>(IdForm::kFromHex);
      if (is_one && !known.form(source).has_value()) known.Restore(source, static_cast<IdForm>(form));
    };
    restore(IdSource::kTlv, stored.tlv);
    restore(IdSource::kText, stored.text);
    Digits& responses = accounts_[stored.account].responses;
    responses.hex = stored.responses == 2;
    responses.plain = stored.responses == 1 ? kPlainEnough : 0;
  }
  auto parked = store_.Parked();
  if (!parked.ok()) return parked.status();
  for (auto& [key, receipt] : *parked) {
    count_ = std::max(count_, key.count + 1);
    NoteDigits(receipt);
    Wait(key, {std::move(receipt), {}});
  }
  return absl::OkStatus();
}

void Correlator::Digits::Note(std::string_view id) {
  const std::string normal = smpp::NormalId(id);
  const auto decimal = [](char c) { return c >= '0' && c <= '9'; };
  const auto hexadecimal = [&](char c) { return decimal(c) || (c >= 'A' && c <= 'F'); };
  if (normal.empty() || !std::all_of(normal.begin(), normal.end(), hexadecimal)) return;
  if (std::all_of(normal.begin(), normal.end(), decimal)) {
    plain += plain < kPlainEnough ? 1 : 0;
  } else {
    hex = true;
  }
}

smpp::IdForms& Correlator::FormsOf(const std::string& account) { return accounts_[account].forms; }

void Correlator::Keep(const std::string& account) {
  const smpp::IdForms& forms = FormsOf(account);
  const Digits& responses = accounts_[account].responses;
  const std::uint8_t base = !responses.known() ? 0 : responses.hex ? 2 : 1;
  store_.PutForms({account, NumberOf(forms.form(IdSource::kTlv)), NumberOf(forms.form(IdSource::kText)), base});
}

// True when something became known.
bool Correlator::Infer(const std::string& name) {
  Account& account = accounts_[name];
  bool any = false;
  for (const IdSource source : {IdSource::kTlv, IdSource::kText}) {
    const Digits& receipts = account.receipts[static_cast<std::size_t>(source)];
    if (account.forms.form(source).has_value() || !account.responses.known() || !receipts.known()) continue;
    const bool same = account.responses.hex == receipts.hex;
    account.forms.Restore(source, same ? IdForm::kSame : receipts.hex ? IdForm::kFromHex : IdForm::kFromDecimal);
    any = true;
  }
  if (!any) return false;
  Keep(name);
  learnt_.insert(name);
  return true;
}

absl::StatusOr<Correlator::Found> Correlator::Resolve(const SmscReceipt& receipt) {
  smpp::IdForms& forms = FormsOf(receipt.account);
  const auto candidates = forms.Candidates(Sound(receipt.tlv_id), Sound(receipt.text_id));
  const auto is_learnt = [&forms](const IdCandidate& candidate) { return forms.form(candidate.source).has_value(); };
  // Nobody need guess at the id in the text where that of the TLV is understood, or the other way round.
  const bool any_learnt = std::any_of(candidates.begin(), candidates.end(), is_learnt);
  std::vector<Fit> fits, same_recipient;
  for (const IdCandidate& candidate : candidates) {
    const bool learnt = is_learnt(candidate);
    if (any_learnt && !learnt) continue;
    const auto parts = store_.FindId(receipt.account, candidate.key);
    if (!parts.ok()) return parts.status();
    if (parts->empty()) continue;
    const NamedPart part = Choose(*parts, receipt);
    const bool same = IsSame(part.recipient, receipt);
    // An id that means something only if the form is guessed right, of an SMS to somebody else.
    if (!learnt && IsAnother(part.recipient, receipt)) continue;
    // Certain: by its recipient, by its form, as nothing else could be meant, or as no recipients are told of at all.
    const bool sure = same || learnt || candidates.size() == 1 || part.recipient.process == 0;
    fits.push_back({candidate, part, sure});
    if (same) same_recipient.push_back(fits.back());
  }
  if (fits.size() > 1 && same_recipient.size() == 1) fits = std::move(same_recipient);
  const bool sure = fits.size() == 1 && (fits.front().sure || is_learnt(fits.front().candidate));
  if (!fits.empty() && !sure && Infer(receipt.account)) return Resolve(receipt);
  if (fits.size() != 1) return Found{std::nullopt, fits.size() > 1};
  const Fit& fit = fits.front();
  // Who it is about must be certain, or must not be told at all, before it teaches anything.
  if (fit.sure || receipt.recipient.process == 0) Learn(receipt.account, fit.candidate, candidates);
  if (!fit.sure && !forms.form(fit.candidate.source).has_value()) return Found{std::nullopt, true};
  return Found{fit.part, false};
}

void Correlator::Learn(const std::string& account, const IdCandidate& fits, const std::vector<IdCandidate>& all) {
  smpp::IdForms& forms = FormsOf(account);
  const bool known = forms.form(fits.source).has_value();
  forms.Matched(fits, all);
  if (known || !forms.form(fits.source).has_value()) return;
  Keep(account);
  learnt_.insert(account);
}

void Correlator::NoteDigits(const SmscReceipt& receipt) {
  auto& digits = accounts_[receipt.account].receipts;
  digits[static_cast<std::size_t>(IdSource::kTlv)].Note(Sound(receipt.tlv_id));
  digits[static_cast<std::size_t>(IdSource::kText)].Note(Sound(receipt.text_id));
}

absl::StatusOr<std::optional<NamedPart>> Correlator::Place(const SmscReceipt& receipt) {
  ++figures_.receipts;
  NoteDigits(receipt);
  const auto found = Resolve(receipt);
  if (!found.ok()) return found.status();
  if (found->part.has_value()) {
    ++figures_.placed;
  } else {
    figures_.ambiguous += found->ambiguous ? 1 : 0;
    Park(receipt);
  }
  return found->part;
}

absl::StatusOr<std::vector<PlacedReceipt>> Correlator::Named(std::string_view account, std::string_view message_id,
                                                             const NamedPart& part) {
  std::vector<PlacedReceipt> placed;
  const std::string id = smpp::NormalId(Sound(message_id));
  if (id.empty()) return placed;
  store_.PutId(account, id, part);
  Digits& responses = accounts_[std::string(account)].responses;
  if (const bool known = responses.known(); !known || !responses.hex) {
    const bool hex = responses.hex;
    responses.Note(id);
    if (responses.known() != known || responses.hex != hex) Keep(std::string(account));
  }
  if (parked_.empty()) return placed;
  if (const auto waiting = waiting_.find(NameOf(account, id)); waiting != waiting_.end()) {
    const std::set<ParkedKey> keys = waiting->second;
    if (const auto status = TryAgain(keys, placed); !status.ok()) return status;
  }
  return placed;
}

absl::StatusOr<std::vector<PlacedReceipt>> Correlator::Learnt() {
  std::vector<PlacedReceipt> placed;
  if (learnt_.empty()) return placed;
  const auto learnt = std::exchange(learnt_, {});
  std::set<ParkedKey> keys;
  for (const auto& [key, one] : parked_) {
    if (learnt.contains(one.receipt.account)) keys.insert(key);
  }
  if (const auto status = TryAgain(keys, placed); !status.ok()) return status;
  return placed;
}

absl::Status Correlator::TryAgain(const std::set<ParkedKey>& keys, std::vector<PlacedReceipt>& placed) {
  for (const ParkedKey& key : keys) {
    const auto it = parked_.find(key);
    if (it == parked_.end()) continue;
    const auto found = Resolve(it->second.receipt);
    if (!found.ok()) return found.status();
    if (!found->part.has_value()) continue;
    ++figures_.placed;
    placed.push_back({*found->part, Release(it).receipt});
  }
  return absl::OkStatus();
}

void Correlator::Park(const SmscReceipt& receipt) {
  while (!parked_.empty() && parked_.size() >= options_.parked_max) {
    const SmscReceipt oldest = Release(parked_.begin()).receipt;
    FormsOf(oldest.account).Missed();
    ++figures_.given_up;
  }
  const ParkedKey key{receipt.at_ms, count_++};
  Parked parked{receipt, {}};
  store_.Park(key, parked.receipt);
  Wait(key, std::move(parked));
}

// Under every id that it could mean, for what is learnt until its own comes is not known yet.
void Correlator::Wait(const ParkedKey& key, Parked parked) {
  const smpp::IdForms any;
  for (const IdCandidate& one : any.Candidates(Sound(parked.receipt.tlv_id), Sound(parked.receipt.text_id))) {
    parked.names.push_back(NameOf(parked.receipt.account, one.key));
    waiting_[parked.names.back()].insert(key);
  }
  parked_.insert_or_assign(key, std::move(parked));
}

Correlator::Parked Correlator::Release(std::map<ParkedKey, Parked>::iterator it) {
  const ParkedKey key = it->first;
  Parked parked = std::move(it->second);
  parked_.erase(it);
  for (const std::string& name : parked.names) {
    const auto waiting = waiting_.find(name);
    waiting->second.erase(key);
    if (waiting->second.empty()) waiting_.erase(waiting);
  }
  store_.Unpark(key);
  return parked;
}

std::size_t Correlator::GiveUp(std::int64_t now_ms, std::size_t most) {
  std::size_t count = 0;
  for (; count < most && !parked_.empty() && parked_.begin()->first.at_ms + options_.park_ms <= now_ms; ++count) {
    const SmscReceipt receipt = Release(parked_.begin()).receipt;
    FormsOf(receipt.account).Missed();
    ++figures_.given_up;
  }
  return count;
}

CorrelatorFigures Correlator::figures() const {
  CorrelatorFigures figures = figures_;
  figures.parked = parked_.size();
  return figures;
}

}  // namespace smsflow::gateway
