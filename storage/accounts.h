// Who may log in: rows of accounts, of clients (tenants that accounts can be members of), and the chain of all changes
// to them. Readable names stand in values alone: a row is found under a number, the sequence of the change that made
// it.
//
//   key  := kind(1) shard(2)=0 rest
//   'u'   meta   number(8)     AccountRow
//   'g'   meta   number(8)     ClientRow
//   'A'   meta   sequence(8)   AccountChangeRow
//
// Changes count from 1 without a gap and are chained; those below the oldest that still stands were dropped. Plain
// functions; safe from any thread; reading may block for the disk. What cannot be decoded is DATA_LOSS.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/hash.h"
#include "smsflow/stored/v1/accounts.pb.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace smsflow::storage {

namespace stored = ::smsflow::stored::v1;

// Stored numbers; never reused.
enum class AccountRole : std::uint32_t { kUsers = 1, kAdmins = 2 };
enum class AccountChangeKind : std::uint32_t {
  kAccountMade = 1,
  kAccountChanged = 2,
  kPasswordSet = 3,
  kAccountDeleted = 4,
  kMemberAdded = 5,
  kMemberRemoved = 6,
  kClientMade = 7,
  kClientDeleted = 8,
};
inline constexpr std::uint32_t kScryptAlgorithm = 1;  // PasswordHash.algorithm

inline Key AccountKey(std::uint64_t number) { return Key('u', ShardId{0}).Add64(number); }
inline Key ClientKey(std::uint64_t number) { return Key('g', ShardId{0}).Add64(number); }
inline Key AccountChangeKey(std::uint64_t sequence) { return Key('A', ShardId{0}).Add64(sequence); }

void PutAccount(Batch&, std::uint64_t number, const stored::AccountRow&);
void DeleteAccount(Batch&, std::uint64_t number);
absl::StatusOr<stored::AccountRow> DecodeAccount(std::string_view value);
void PutClient(Batch&, std::uint64_t number, const stored::ClientRow&);
void DeleteClient(Batch&, std::uint64_t number);
absl::StatusOr<stored::ClientRow> DecodeClient(std::string_view value);

// How far the chain of changes has come.
struct AccountChain {
  std::uint64_t sequence = 0;  // of the last change
  crypto::Digest hash{};
};
// The next change, which moves `chain` on.
void AppendAccountChange(Batch&, AccountChain& chain, const stored::AccountChange&);
void DeleteAccountChange(Batch&, std::uint64_t sequence);
absl::StatusOr<stored::AccountChangeRow> DecodeAccountChange(std::string_view value);
// DATA_LOSS unless the row is the change after `chain`; then it moves on. A chain of sequence 0 takes the row's own
// word for what was before, for the oldest ones may have been dropped.
absl::StatusOr<stored::AccountChange> FollowAccountChain(AccountChain& chain, std::uint64_t sequence,
                                                         const stored::AccountChangeRow&);

// All that stands, by number.
struct StoredAccounts {
  std::map<std::uint64_t, stored::AccountRow> accounts;
  std::map<std::uint64_t, stored::ClientRow> clients;
  AccountChain chain;
  std::uint64_t oldest = 0;  // change that still stands; 0: there is none
};
absl::StatusOr<StoredAccounts> ReadAccounts(const Store&);

}  // namespace smsflow::storage
