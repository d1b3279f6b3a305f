#include "gateway/gateway.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "crypto/vault.h"
#include "gateway/open_nothing.h"
#include "gateway/room.h"
#include "gateway/store.h"
#include "gateway/truth_log.h"
#include "storage/folder_lock.h"
#include "storage/rocks_store.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kGatewayIdMax = 64;
constexpr char kNoTenant[] = "tenants: at least one is needed";
// Its rows are small and few, and what RocksDB may need at once, hence must be kept free, grows with this.
constexpr std::uint64_t kMemtableBytes = 4 << 20;

absl::Status CheckKeys(const std::vector<crypto::VaultKey>& keys) {
  if (keys.empty()) return absl::InvalidArgumentError("key: at least one private key is needed");
  return absl::OkStatus();
}

absl::Status CheckOptions(const GatewayOptions& options) {
  const auto good = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  if (options.gateway.empty() || options.gateway.size() > kGatewayIdMax ||
      !std::all_of(options.gateway.begin(), options.gateway.end(), good)) {
    return absl::InvalidArgumentError("gateway: must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
  }
  if (options.tenants.empty()) return absl::InvalidArgumentError(kNoTenant);
  if (options.open_nothing) return absl::OkStatus();
  if (options.store.empty()) return absl::InvalidArgumentError("store: the folder of the gateway's store is needed");
  return CheckKeys(options.keys);
}

struct OpenRows {
  std::unique_ptr<storage::FolderLock> lock;
  storage::DiskRoom room;
  std::unique_ptr<storage::Store> rows;
};

// Refuses to recover where RocksDB would abort for want of space, again at each start.
absl::StatusOr<OpenRows> OpenGuarded(const GatewayOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.store, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make the folder ", options.store));
  // First of all: to make room is to write into what another process has.
  auto lock = storage::FolderLock::Take(options.store, storage::FolderLock::Mode::kWriter);
  if (!lock.ok()) return lock.status();
  storage::DiskRoom room({options.store, options.store, absl::StrCat(options.store, "/ballast"), options.ballast_bytes,
                          kMemtableBytes, nullptr});
  if (const auto status = room.MakeRoomToRecover(); !status.ok()) return status;
  auto rows =
      storage::RocksStore::Open({.path = options.store, .memtable_bytes = kMemtableBytes, .file_system = nullptr});
  if (!rows.ok()) return rows.status();
  if (options.notice && !(*rows)->torn_end().empty()) options.notice(LogLevel::kWarn, (*rows)->torn_end());
  if (const auto status = room.RestoreBallast(); !status.ok() && options.notice)
    options.notice(LogLevel::kWarn, absl::StrCat("the ballast file: ", std::string(status.message())));
  return OpenRows{std::move(*lock), std::move(room), std::move(*rows)};
}

class WholeGateway : public Gateway {
 public:
  WholeGateway(CoreOptions options, std::unique_ptr<AgreedClock> clock, std::unique_ptr<storage::FolderLock> lock,
               std::unique_ptr<storage::Store> rows, std::unique_ptr<Room> room, std::unique_ptr<Store> store,
               std::shared_ptr<InboundSink> sink, std::unique_ptr<Inbound> inbound, std::unique_ptr<Carrier> carrier,
               std::unique_ptr<Sorter> sorter, std::unique_ptr<AuditLog> audit, std::unique_ptr<Link> link,
               std::shared_ptr<crypto::Vault> vault, const FatalHandler& fatal)
      : clock_(std::move(clock)),
        vault_(std::move(vault)),
        lock_(std::move(lock)),
        rows_(std::move(rows)),
        room_(std::move(room)),
        store_(std::move(store)),
        sink_(std::move(sink)),
        inbound_(std::move(inbound)),
        carrier_(std::move(carrier)),
        sorter_(std::move(sorter)),
        audit_(std::move(audit)),
        link_(std::move(link)),
        core_(std::move(options), *store_, *link_, *carrier_, *clock_, fatal, room_.get(), sorter_.get(),
              audit_.get()) {}
  ~WholeGateway() override { WholeGateway::Stop(); }

  absl::Status Load() {
    if (inbound_ != nullptr) {
      if (const auto status = inbound_->Load(); !status.ok()) return status;
    }
    return core_.Load();
  }
  void Start() override {
    if (inbound_ != nullptr) inbound_->Start();
    core_.Start();
  }
  // The carrier first: nothing comes any more.
  void Stop() override {
    core_.Stop();
    if (inbound_ != nullptr) inbound_->Stop();
  }
  CoreFigures figures() const override { return core_.figures(); }
  std::optional<SorterFigures> sorter_figures() const override {
    return sorter_ != nullptr ? std::optional(sorter_->figures()) : std::nullopt;
  }
  std::optional<AuditFigures> audit_figures() const override {
    return audit_ != nullptr ? std::optional(audit_->figures()) : std::nullopt;
  }
  InboundFigures inbound_figures() const override {
    return inbound_ != nullptr ? inbound_->figures() : InboundFigures{};
  }
  absl::Status ReplaceKeys(std::vector<crypto::VaultKey> keys) override {
    if (const auto status = CheckKeys(keys); !status.ok()) return status;
    vault_->Replace(std::move(keys));
    link_->Renew();
    return absl::OkStatus();
  }
  absl::Status ReplaceTenants(std::vector<std::string> tenants) override {
    if (tenants.empty()) return absl::InvalidArgumentError(kNoTenant);
    core_.ReplaceTenants(std::move(tenants));
    link_->Renew();
    return absl::OkStatus();
  }

 private:
  const std::unique_ptr<AgreedClock> clock_;
  const std::shared_ptr<crypto::Vault> vault_;
  const std::unique_ptr<storage::FolderLock> lock_;  // released when the rows are closed
  const std::unique_ptr<storage::Store> rows_;
  const std::unique_ptr<Room> room_;
  const std::unique_ptr<Store> store_;
  const std::shared_ptr<InboundSink> sink_;
  const std::unique_ptr<Inbound> inbound_;
  const std::unique_ptr<Carrier> carrier_;
  const std::unique_ptr<Sorter> sorter_;   // null: there are no routes
  const std::unique_ptr<AuditLog> audit_;  // null: nobody wants one
  const std::unique_ptr<Link> link_;
  Core core_;
};

class BenchGateway : public Gateway {
 public:
  BenchGateway(const GatewayOptions& options, std::unique_ptr<Link> link)
      : link_(std::move(link)), open_nothing_(HelloOf(options), *link_) {}
  ~BenchGateway() override { open_nothing_.Stop(); }

  void Start() override { open_nothing_.Start(); }
  void Stop() override { open_nothing_.Stop(); }
  CoreFigures figures() const override { return {}; }
  absl::Status ReplaceKeys(std::vector<crypto::VaultKey>) override { return absl::OkStatus(); }  // it needs none
  absl::Status ReplaceTenants(std::vector<std::string>) override {
    return absl::UnimplementedError("a gateway for benchmarks serves whom it was made for");
  }

 private:
  // It has no store to lose, so its store is always the same one.
  static engine::PeerHello HelloOf(const GatewayOptions& options) {
    return {{options.gateway, InstanceId{crypto::Cut(crypto::Sha256(options.gateway))}.ToString()},
            options.tenants,
            {},
            {}};
  }

  const std::unique_ptr<Link> link_;
  OpenNothing open_nothing_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Open(GatewayOptions options, std::unique_ptr<Link> link,
                                                       engine::Clock& clock, FatalHandler fatal) {
  if (const auto status = CheckOptions(options); !status.ok()) return status;
  if (options.open_nothing) return std::make_unique<BenchGateway>(options, std::move(link));
  auto opened_rows = OpenGuarded(options);
  if (!opened_rows.ok()) return opened_rows.status();
  auto agreed = std::make_unique<AgreedClock>(clock, options.notice);
  auto store = Store::Open(*opened_rows->rows, options.gateway, agreed->WallMs());
  if (!store.ok()) return store.status();
  std::unique_ptr<TruthLog> truth;
  if (!options.truth.empty()) {
    auto opened = TruthLog::Open(options.truth);
    if (!opened.ok()) return opened.status();
    truth = std::move(*opened);
  }
  auto vault = std::make_shared<crypto::Vault>(options.old_envelopes ? crypto::OldEnvelopes::kOpened
                                                                     : crypto::OldEnvelopes::kRefused);
  auto room = std::make_unique<DiskGuard>(std::move(opened_rows->room), options.notice);
  std::unique_ptr<Inbound> inbound;
  if (!options.inbound.routes.empty()) {
    if (options.inbound_sink == nullptr) return absl::InvalidArgumentError("inbound: nobody takes SMSes from phones");
    inbound = std::make_unique<Inbound>(
        std::move(options.inbound), *opened_rows->rows, *options.inbound_sink, options.keys.front().key, vault, *agreed,
        options.notice, [guard = room.get()] { return guard->low(); }, fatal);
  }
  vault->Replace(std::move(options.keys));
  CoreOptions core{.gateway = options.gateway,
                   .tenants = options.tenants,
                   .key_ids = [vault] { return vault->kids(); },
                   .receipts = options.receipts,
                   .pace = options.pace};
  auto opener = std::make_unique<EnvelopeOpener>(vault);
  std::unique_ptr<Carrier> carrier;
  if (options.carrier) {
    auto made = options.carrier(std::move(opener), *agreed, options.notice, inbound.get());
    if (!made.ok()) return made.status();
    carrier = std::move(*made);
  } else {
    carrier = std::make_unique<Loopback>(options.loopback, std::move(opener), std::move(truth), *agreed, fatal);
  }
  std::unique_ptr<Sorter> sorter;
  if (options.pace) sorter = std::make_unique<Sorter>(options.pace, std::make_unique<EnvelopeOpener>(vault));
  std::unique_ptr<AuditLog> audit;
  if (!options.audit.folder.empty()) {
    auto opened = AuditLog::Open(options.audit, *agreed, options.notice);
    if (!opened.ok()) return opened.status();
    audit = std::move(*opened);
  }
  auto gateway = std::make_unique<WholeGateway>(
      std::move(core), std::move(agreed), std::move(opened_rows->lock), std::move(opened_rows->rows), std::move(room),
      std::move(*store), std::move(options.inbound_sink), std::move(inbound), std::move(carrier), std::move(sorter),
      std::move(audit), std::move(link), std::move(vault), fatal);
  if (const auto status = gateway->Load(); !status.ok()) return status;
  return gateway;
}

absl::Status WithAdvice(const absl::Status& failed, const std::string& store) {
  if (!absl::IsDataLoss(failed)) return failed;
  return absl::DataLossError(absl::StrCat(failed.message(),
                                          "; 'smsflow db repair' does not mend it: what it costs to move ", store,
                                          " away is in docs/operations.md, \"Copies of the data folder\""));
}

}  // namespace smsflow::gateway
