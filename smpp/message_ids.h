// Which submit a receipt is about. SMSCs write the id of a response and that of its receipt differently: padded with
// zeros, in the other case, hexadecimal here and decimal there, and in the receipt's TLV differently than in its text.
// So ids are compared in a normal form, and per connection it is learnt which form the receipts have.
//
// Values only. An IdForms is used by one thread; everything else is safe from any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::smpp {

// Upper case, without blanks around it and without leading zeros (one is left of nothing but zeros). The key under
// which the id of a response is kept. At most 64 characters count.
std::string NormalId(std::string_view id);

// How the id of a receipt becomes that of its response.
enum class IdForm : std::uint8_t {
  kSame = 1,         // but for zeros and case
  kFromDecimal = 2,  // the receipt says in decimal what the response said in hexadecimal
  kFromHex = 3,      // the other way round
};

// nullopt when `id` is no number of at most 64 bits in the form's base.
std::optional<std::string> ConvertId(std::string_view id, IdForm form);

enum class IdSource : std::uint8_t { kTlv = 0, kText = 1 };

struct IdCandidate {
  IdSource source = IdSource::kTlv;
  IdForm form = IdForm::kSame;
  std::string key = {};  // a NormalId, to be looked up
};

class IdForms {
 public:
  // So many receipts in a row must fit one form, and no other, before it is taken for granted; so many in a row that
  // match nothing, before what was learnt is forgotten again.
  static constexpr std::uint32_t kToLearn = 3;
  static constexpr std::uint32_t kToForget = 50;

  // What to look up for a receipt, likeliest first, no key twice; TLV before text. Of a form that is learnt or set,
  // only that. Look up all: when more than one is found, they are of different SMSes, and address and age must decide.
  std::vector<IdCandidate> Candidates(std::string_view tlv_id, std::string_view text_id) const;

  // Exactly one of the candidates was found: this. `all` are those of the receipt; an id that reads the same in every
  // form teaches nothing.
  void Matched(const IdCandidate& found, const std::vector<IdCandidate>& all);
  // None was found. An early receipt is no miss: tell of it when it is given up.
  void Missed();

  // By configuration: never learnt nor forgotten.
  void Set(IdSource source, IdForm form);
  // Learnt or set. May be kept over a restart: Set() does not fit then, Restore() does.
  std::optional<IdForm> form(IdSource source) const { return At(source).known; }
  void Restore(IdSource source, IdForm form) { At(source).known = form; }
  std::uint64_t misses() const { return misses_; }

 private:
  struct Learning {
    std::optional<IdForm> known = {};
    bool fixed = false;
    IdForm last = IdForm::kSame;
    std::uint32_t in_a_row = 0;
  };

  const Learning& At(IdSource source) const { return sources_[static_cast<std::size_t>(source)]; }
  Learning& At(IdSource source) { return sources_[static_cast<std::size_t>(source)]; }
  void Add(IdSource source, std::string_view id, std::vector<IdCandidate>& candidates) const;

  std::array<Learning, 2> sources_;
  std::uint32_t missed_in_a_row_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace smsflow::smpp
