#include "storage/accounts.h"

#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/sealing.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kAccounts = "accounts", kClients = "clients", kChanges = "account changes";

template <class Row>
void PutRow(Batch& batch, std::string_view key, const Row& row) {
  std::string& value = BeginValue();
  row.AppendToString(&value);
  batch.Put(Family::kMeta, key, value);
}

crypto::Digest LinkOf(std::string_view previous, std::uint64_t sequence, std::string_view body) {
  std::array<char, 8> number;
  for (std::size_t i = 0; i < number.size(); ++i) number[i] = static_cast<char>(sequence >> (56 - 8 * i));
  return crypto::Sha256(previous, std::string_view(number.data(), number.size()), crypto::AsView(crypto::Sha256(body)));
}

// Calls `row` with the number and the value of each row of a kind, in order.
absl::Status EachRow(const Store& store, char kind, std::string_view table,
                     const std::function<absl::Status(std::uint64_t, std::string_view)>& row) {
  const std::string prefix(Key(kind, ShardId{0}).view());
  const auto rows = store.Scan(Family::kMeta, prefix, PrefixEnd(prefix));
  for (; rows->Valid(); rows->Next()) {
    if (rows->key().size() != prefix.size() + 8) return CannotDecode(table, rows->key(), "its key is none");
    if (absl::Status status = row(SequenceOfKey(rows->key()), rows->value()); !status.ok()) return status;
  }
  return rows->status();
}

}  // namespace

void PutAccount(Batch& batch, std::uint64_t number, const stored::AccountRow& row) {
  PutRow(batch, AccountKey(number), row);
}
void DeleteAccount(Batch& batch, std::uint64_t number) { batch.Delete(Family::kMeta, AccountKey(number)); }
absl::StatusOr<stored::AccountRow> DecodeAccount(std::string_view value) {
  return DecodeRow<stored::AccountRow>(kAccounts, {}, value);
}
void PutClient(Batch& batch, std::uint64_t number, const stored::ClientRow& row) {
  PutRow(batch, ClientKey(number), row);
}
void DeleteClient(Batch& batch, std::uint64_t number) { batch.Delete(Family::kMeta, ClientKey(number)); }
absl::StatusOr<stored::ClientRow> DecodeClient(std::string_view value) {
  return DecodeRow<stored::ClientRow>(kClients, {}, value);
}

void AppendAccountChange(Batch& batch, AccountChain& chain, const stored::AccountChange& change) {
  stored::AccountChangeRow row;
  row.set_previous(std::string(crypto::AsView(chain.hash)));
  row.set_body(change.SerializeAsString());
  ++chain.sequence;
  chain.hash = LinkOf(row.previous(), chain.sequence, row.body());
  row.set_chain(std::string(crypto::AsView(chain.hash)));
  PutRow(batch, AccountChangeKey(chain.sequence), row);
}
void DeleteAccountChange(Batch& batch, std::uint64_t sequence) {
  batch.Delete(Family::kMeta, AccountChangeKey(sequence));
}
absl::StatusOr<stored::AccountChangeRow> DecodeAccountChange(std::string_view value) {
  return DecodeRow<stored::AccountChangeRow>(kChanges, {}, value);
}

absl::StatusOr<stored::AccountChange> FollowAccountChain(AccountChain& chain, std::uint64_t sequence,
                                                         const stored::AccountChangeRow& row) {
  const auto broken = [sequence](std::string_view why) {
    return absl::DataLossError(absl::StrCat("account change ", sequence, ": ", std::string(why)));
  };
  const bool first = chain.sequence == 0;
  if (sequence == 0 || (!first && sequence != chain.sequence + 1)) return broken("one before it is missing");
  if (first && sequence == 1 && row.previous() != crypto::AsView(crypto::Digest{}))
    return broken("it is the first, but something was before");
  if (!first && row.previous() != crypto::AsView(chain.hash)) return broken("the chain breaks before it");
  const crypto::Digest link = LinkOf(row.previous(), sequence, row.body());
  if (row.chain() != crypto::AsView(link)) return broken("it was altered: its hash is another");
  stored::AccountChange change;
  if (!change.ParseFromString(row.body())) return broken("its bytes are no such record");
  chain = {sequence, link};
  return change;
}

absl::StatusOr<StoredAccounts> ReadAccounts(const Store& store) {
  StoredAccounts all;
  absl::Status status = EachRow(store, 'u', kAccounts, [&all](std::uint64_t number, std::string_view value) {
    auto row = DecodeAccount(value);
    if (!row.ok()) return row.status();
    all.accounts.emplace(number, *std::move(row));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  status = EachRow(store, 'g', kClients, [&all](std::uint64_t number, std::string_view value) {
    auto row = DecodeClient(value);
    if (!row.ok()) return row.status();
    all.clients.emplace(number, *std::move(row));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  status = EachRow(store, 'A', kChanges, [&all](std::uint64_t sequence, std::string_view value) {
    const auto row = DecodeAccountChange(value);
    if (!row.ok()) return row.status();
    if (all.oldest == 0) all.oldest = sequence;
    return FollowAccountChain(all.chain, sequence, *row).status();
  });
  if (!status.ok()) return status;
  return all;
}

}  // namespace smsflow::storage
