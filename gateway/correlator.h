// Which part of which attempt a receipt is about. Ids of parts stand in the store; receipts that match none of them,
// for they came before the response or are nobody's, are parked there too, and placed once their id comes.
//
// How an SMSC writes ids in its receipts is learnt per account and kept (smpp/message_ids.h). While it is not learnt,
// an id could meet another SMS by chance, as it came or converted: so a receipt counts only for an SMS to the recipient
// that it names, and is parked until the form is known when that cannot be told (the SMS was submitted by a process
// before this one, or the receipt names nobody). Else a phone that was off would count as reached. Where an SMSC counts
// from 1, nearly all fit several: then the digits tell. Of so many ids in hexadecimal one has a letter.
//
// Of the deciding thread. What it changes is committed with the store's next Commit().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store.h"
#include "smpp/message_ids.h"

namespace smsflow::gateway {

// An account whose form is set by configuration, and never learnt.
struct FixedForm {
  std::string account;
  smpp::IdSource source = smpp::IdSource::kTlv;
  smpp::IdForm form = smpp::IdForm::kSame;
};

struct CorrelatorOptions {
  std::vector<FixedForm> forms = {};
  std::int64_t park_ms = 3LL * 24 * 3'600'000;  // how long a receipt waits for its id
  std::size_t parked_max = 100'000;             // beyond it the oldest goes
};

// Since the start, but for `parked`.
struct CorrelatorFigures {
  std::uint64_t receipts = 0;   // placed or parked
  std::uint64_t placed = 0;     // also those that were parked first
  std::uint64_t ambiguous = 0;  // fitted several SMSes when they came
  std::uint64_t given_up = 0;   // parked for too long, or one too many
  std::size_t parked = 0;
};

struct PlacedReceipt {
  NamedPart part;
  SmscReceipt receipt;
};

class Correlator {
 public:
  // Ids without a letter, before they are taken for decimal: one in 12,000 would be wrong.
  static constexpr std::uint32_t kPlainEnough = 20;

  Correlator(CorrelatorOptions options, Store& store);

  // Reads what is parked and what was learnt; before anything else.
  [[nodiscard]] absl::Status Load();
  // Where it belongs; nullopt: it is parked.
  absl::StatusOr<std::optional<NamedPart>> Place(const SmscReceipt& receipt);
  // An SMSC gave a part this id. What was parked for it.
  absl::StatusOr<std::vector<PlacedReceipt>> Named(std::string_view account, std::string_view message_id,
                                                   const NamedPart& part);
  // What can be placed because the form of an account's ids has become known since this was last asked.
  absl::StatusOr<std::vector<PlacedReceipt>> Learnt();
  // Gives up at most `most` receipts that were parked for too long; how many they were.
  std::size_t GiveUp(std::int64_t now_ms, std::size_t most);

  CorrelatorFigures figures() const;

 private:
  struct Parked {
    SmscReceipt receipt;
    std::vector<std::string> names;  // under which it waits
  };
  // What ids are made of: those of an account's responses, and of its receipts by source.
  struct Digits {
    std::uint32_t plain = 0;  // ids of decimal digits alone
    bool hex = false;         // one had A to F
    void Note(std::string_view id);
    bool known() const { return hex || plain >= kPlainEnough; }
  };
  struct Account {
    smpp::IdForms forms;
    Digits responses;
    std::array<Digits, 2> receipts;  // by smpp::IdSource
  };
  struct Fit {
    smpp::IdCandidate candidate;
    NamedPart part;
    bool sure = false;  // not by a guess alone
  };
  struct Found {
    std::optional<NamedPart> part;
    bool ambiguous = false;
  };

  smpp::IdForms& FormsOf(const std::string& account);
  void Keep(const std::string& account);
  void NoteDigits(const SmscReceipt& receipt);
  bool Infer(const std::string& name);
  absl::StatusOr<Found> Resolve(const SmscReceipt& receipt);
  void Learn(const std::string& account, const smpp::IdCandidate& fits, const std::vector<smpp::IdCandidate>& all);
  void Park(const SmscReceipt& receipt);
  void Wait(const ParkedKey& key, Parked parked);
  Parked Release(std::map<ParkedKey, Parked>::iterator it);
  absl::Status TryAgain(const std::set<ParkedKey>& keys, std::vector<PlacedReceipt>& placed);

  const CorrelatorOptions options_;
  Store& store_;
  std::map<std::string, Account, std::less<>> accounts_;
  std::map<ParkedKey, Parked> parked_;
  std::map<std::string, std::set<ParkedKey>, std::less<>> waiting_;  // by account 0 normal id
  std::set<std::string> learnt_;                                     // accounts whose form has just become known
  std::uint64_t count_ = 0;
  CorrelatorFigures figures_;
};

}  // namespace smsflow::gateway
