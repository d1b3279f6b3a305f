#include "server/config_keys.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "ids/ids.h"

namespace smsflow::server {

using workflows::delivery::OnUnknown;
using workflows::delivery::Policy;

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}
bool IsPlainName(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

namespace {

std::string QuotedList(const std::vector<std::string>& texts) {
  return absl::StrCat(
      "[",
      absl::StrJoin(texts, ", ", [](std::string* out, const std::string& text) { absl::StrAppend(out, Quoted(text)); }),
      "]");
}

const std::string* TextOf(const Setting& setting) { return std::get_if<std::string>(&setting.value); }

std::optional<std::int64_t> IntegerOf(const Setting& setting) {
  if (const auto* number = std::get_if<std::int64_t>(&setting.value)) return *number;
  std::int64_t number = 0;
  if (setting.untyped && absl::SimpleAtoi(*TextOf(setting), &number)) return number;
  return std::nullopt;
}

std::optional<bool> TruthOf(const Setting& setting) {
  if (const auto* truth = std::get_if<bool>(&setting.value)) return *truth;
  if (setting.untyped && *TextOf(setting) == "true") return true;
  if (setting.untyped && *TextOf(setting) == "false") return false;
  return std::nullopt;
}

std::optional<std::vector<std::string>> ListOf(const Setting& setting) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&setting.value)) return *list;
  if (!setting.untyped) return std::nullopt;
  return std::vector<std::string>(absl::StrSplit(*TextOf(setting), ',', absl::SkipEmpty()));
}

template <class Owner, class Get>
Key<Owner> Truth(std::string name, Get get) {
  return {std::move(name), "must be true or false",
          [get](Owner& owner, const Setting& setting) {
            const std::optional<bool> truth = TruthOf(setting);
            if (truth) get(owner) = *truth;
            return truth.has_value();
          },
          [get](const Owner& owner) { return get(const_cast<Owner&>(owner)) ? "true" : "false"; }};
}

template <class Owner, class Get>
Key<Owner> Number(std::string name, std::int64_t least, std::int64_t most, Get get) {
  return {std::move(name), absl::StrCat("must be a whole number from ", least, " to ", most),
          [=](Owner& owner, const Setting& setting) {
            const std::optional<std::int64_t> number = IntegerOf(setting);
            if (!number || *number < least || *number > most) return false;
            auto& place = get(owner);
            place = static_cast<std::remove_reference_t<decltype(place)>>(*number);
            return true;
          },
          [get](const Owner& owner) { return absl::StrCat(get(const_cast<Owner&>(owner))); }};
}

template <class Owner, class Get>
Key<Owner> Duration(std::string name, std::int64_t least_ms, std::int64_t most_ms, Get get) {
  return {std::move(name),
          absl::StrCat("must be a duration like \"10m\" (units ms, s, m, h, d), from ", FormatDuration(least_ms),
                       " to ", FormatDuration(most_ms)),
          [=](Owner& owner, const Setting& setting) {
            const std::string* text = TextOf(setting);
            const auto duration = text == nullptr ? std::nullopt : ParseDuration(*text);
            if (!duration || *duration < least_ms || *duration > most_ms) return false;
            get(owner) = *duration;
            return true;
          },
          [get](const Owner& owner) { return Quoted(FormatDuration(get(const_cast<Owner&>(owner)))); }};
}

template <class Owner, class Get>
Key<Owner> Size(std::string name, std::uint64_t least, std::uint64_t most, Get get) {
  return {std::move(name),
          absl::StrCat("must be a size like \"64MB\" (units B, KB, MB, GB), from ", FormatSize(least), " to ",
                       FormatSize(most)),
          [=](Owner& owner, const Setting& setting) {
            const std::string* text = TextOf(setting);
            const auto size = text == nullptr ? std::nullopt : ParseSize(*text);
            if (!size || *size < least || *size > most) return false;
            get(owner) = *size;
            return true;
          },
          [get](const Owner& owner) { return Quoted(FormatSize(get(const_cast<Owner&>(owner)))); }};
}

template <class Owner, class Get>
Key<Owner> Text(std::string name, std::string rule, std::function<bool(const std::string&)> holds, Get get) {
  return {std::move(name), std::move(rule),
          [get, holds](Owner& owner, const Setting& setting) {
            const std::string* text = TextOf(setting);
            if (text == nullptr || !holds(*text)) return false;
            get(owner) = *text;
            return true;
          },
          [get](const Owner& owner) { return Quoted(get(const_cast<Owner&>(owner))); }};
}

template <class Owner, class Get>
Key<Owner> List(std::string name, std::string rule, std::function<bool(const std::string&)> holds, Get get) {
  return {std::move(name), std::move(rule),
          [get, holds](Owner& owner, const Setting& setting) {
            auto list = ListOf(setting);
            if (!list || !std::all_of(list->begin(), list->end(), holds)) return false;
            get(owner) = *std::move(list);
            return true;
          },
          [get](const Owner& owner) { return QuotedList(get(const_cast<Owner&>(owner))); }};
}

// One of a few words, each standing for a value.
template <class Owner, class Value, class Get>
Key<Owner> Word(std::string name, std::vector<std::pair<std::string, Value>> words, Get get) {
  std::string rule = absl::StrCat("must be one of ", absl::StrJoin(words, ", ", [](std::string* out, const auto& word) {
                                    absl::StrAppend(out, Quoted(word.first));
                                  }));
  return {std::move(name), std::move(rule),
          [get, words](Owner& owner, const Setting& setting) {
            const std::string* text = TextOf(setting);
            for (const auto& [word, value] : words) {
              if (text == nullptr || *text != word) continue;
              get(owner) = value;
              return true;
            }
            return false;
          },
          [get, words](const Owner& owner) {
            for (const auto& [word, value] : words) {
              if (get(const_cast<Owner&>(owner)) == value) return Quoted(word);
            }
            return Quoted("?");
          }};
}

bool IsAddress(const std::string& text) {
  if (absl::StartsWith(text, "unix:")) return text.size() > 6 && text[5] == '/' && text.size() <= 5 + 107;
  const std::size_t colon = text.rfind(':');
  std::uint32_t port = 0;
  return colon != std::string::npos && colon > 0 && absl::SimpleAtoi(text.substr(colon + 1), &port) && port <= 65'535;
}
constexpr char kAddressRule[] = "must be \"HOST:PORT\" or \"unix:/PATH\"";

constexpr char kTopicRule[] = "must be a topic's name, of 1 to 249 characters of A-Z a-z 0-9 . _ -";
bool IsTopic(const std::string& text) {
  return !text.empty() && text.size() <= 249 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}
bool IsTopicPartition(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  std::uint32_t partition = 0;
  return slash != std::string::npos && IsTopic(text.substr(0, slash)) &&
         absl::SimpleAtoi(text.substr(slash + 1), &partition) && partition <= 1'000'000;
}

bool IsAnything(const std::string&) { return true; }
bool IsNotEmpty(const std::string& text) { return !text.empty(); }

constexpr std::int64_t kDay = 86'400'000;

// Minutes from UTC of "Z", or of a sign and hh:mm up to 18 hours.
std::optional<std::int32_t> OffsetOf(const std::string& text) {
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  std::int32_t hours = 0, minutes = 0;
  for (const std::size_t at : {1, 2, 4, 5}) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) return std::nullopt;
    std::int32_t& part = at < 3 ? hours : minutes;
    part = part * 10 + (text[at] - '0');
  }
  if (minutes > 59 || hours * 60 + minutes > 18 * 60) return std::nullopt;
  return (hours * 60 + minutes) * (text[0] == '-' ? -1 : 1);
}
Key<Config> Offset(std::string name) {
  return {std::move(name), "must be \"Z\", or an offset from UTC like \"+03:00\", up to 18 hours",
          [](Config& config, const Setting& setting) {
            const std::string* text = TextOf(setting);
            const auto minutes = text == nullptr ? std::nullopt : OffsetOf(*text);
            if (minutes) config.rest.offset_minutes = *minutes;
            return minutes.has_value();
          },
          [](const Config& config) {
            const std::int32_t minutes = config.rest.offset_minutes;
            const std::int32_t size = minutes < 0 ? -minutes : minutes;
            const auto two = [](std::int32_t value) { return absl::StrCat(value < 10 ? "0" : "", value); };
            return minutes == 0 ? Quoted("Z")
                                : Quoted(absl::StrCat(minutes < 0 ? "-" : "+", two(size / 60), ":", two(size % 60)));
          }};
}

std::vector<std::pair<std::string, std::string>> LogLevels() {
  std::vector<std::pair<std::string, std::string>> words;
  for (const char* level : {"trace", "debug", "info", "warn", "error", "off"}) words.emplace_back(level, level);
  return words;
}

}  // namespace

#define IN(field) ([](auto& owner) -> auto& { return owner.field; })

const Keys<Config>& ConfigKeys() {
  static const auto* const table = new Keys<Config>{
      Text<Config>("data", "must be a folder's path", IsNotEmpty, IN(data)),
      Text<Config>("index_key", "must be a file's path", IsAnything, IN(index_key)),
      Number<Config>("shards", 1, kShardsMax, IN(shards)),
      Truth<Config>("reflection", IN(reflection)),
      Duration<Config>("shutdown", 100, 60'000, IN(shutdown_ms)),
      Text<Config>("listen.grpc", kAddressRule, IsAddress, IN(listen.grpc)),
      Text<Config>(
          "listen.metrics", absl::StrCat(kAddressRule, ", or empty for none"),
          [](const std::string& text) { return text.empty() || IsAddress(text); }, IN(listen.metrics)),
      Truth<Config>("listen.plaintext", IN(listen.plaintext)),
      Text<Config>(
          "listen.rest", absl::StrCat(kAddressRule, ", or empty for none"),
          [](const std::string& text) { return text.empty() || IsAddress(text); }, IN(listen.rest)),
      Truth<Config>("listen.rest_plaintext", IN(listen.rest_plaintext)),
      Offset("rest.time_zone"),
      Number<Config>("rest.threads", 1, 64, IN(rest.threads)),
      Number<Config>("rest.connections", 1, 1'000'000, IN(rest.connections)),
      Number<Config>("rest.connections_per_address", 0, 1'000'000, IN(rest.per_address)),
      Size<Config>("rest.body", 16 << 10, 256 << 10, IN(rest.body_bytes)),
      Duration<Config>("rest.idle", 1'000, kDay, IN(rest.idle_ms)),
      Duration<Config>("rest.patience", 1'000, 3'600'000, IN(rest.patience_ms)),
      Text<Config>("tls.cert", "must be a file's path", IsAnything, IN(tls.cert)),
      Text<Config>("tls.key", "must be a file's path", IsAnything, IN(tls.key)),
      Text<Config>("tls.client_ca", "must be a file's path", IsAnything, IN(tls.client_ca)),
      Duration<Config>("tls.reload", 1'000, kDay, IN(tls.reload_ms)),
      Size<Config>("limits.payload", 1, 1 << 20, IN(limits.payload_bytes)),
      Number<Config>("limits.slots", 1, 1'000, IN(limits.slots)),
      Duration<Config>("limits.horizon", 60'000, 3'660 * kDay, IN(limits.horizon_ms)),
      Number<Config>("limits.batch_items", 1, 10'000, IN(limits.batch_items)),
      Number<Config>("limits.name_bytes", 1, 1'024, IN(limits.name_bytes)),
      Size<Config>("limits.message", 64 << 10, 256 << 20, IN(limits.message_bytes)),
      Number<Config>("limits.streams_per_connection", 1, 100'000, IN(limits.streams_per_connection)),
      Size<Config>("limits.unsent", 64 << 10, 4LL << 30, IN(limits.unsent_bytes)),
      Number<Config>("limits.connections", 1, 1'000'000, IN(limits.connections)),
      Number<Config>("limits.connections_per_address", 0, 1'000'000, IN(limits.per_address)),
      Duration<Config>("limits.idle", 1'000, kDay, IN(limits.idle_ms)),
      Number<Config>("engine.partitions", 1, 64, IN(engine.partitions)),
      Number<Config>("engine.batch_max", 1, 4'096, IN(engine.batch_max)),
      Number<Config>("engine.queue_max", 1, 10'000'000, IN(engine.queue_max)),
      Number<Config>("engine.fire_budget", 1, 1'000'000, IN(engine.fire_budget_per_s)),
      Size<Config>("engine.cache", 1 << 20, 1ULL << 36, IN(engine.cache_bytes)),
      Size<Config>("engine.block_cache", 1 << 20, 1ULL << 36, IN(engine.block_cache_bytes)),
      Size<Config>("engine.memtable", 1 << 20, 1 << 30, IN(engine.memtable_bytes)),
      Size<Config>("engine.ballast", 0, 1ULL << 36, IN(engine.ballast_bytes)),
      Truth<Config>("loopback.enabled", IN(loopback.enabled)),
      Text<Config>("loopback.gateway", absl::StrCat("must be a name ", kPlainNameRule), IsPlainName,
                   IN(loopback.gateway)),
      List<Config>("loopback.keys", "must be a list of files' paths", IsNotEmpty, IN(loopback.keys)),
      List<Config>("loopback.tenants", absl::StrCat("must be a list of names ", kPlainNameRule), IsPlainName,
                   IN(loopback.tenants)),
      Text<Config>("loopback.store", "must be a folder's path", IsAnything, IN(loopback.store)),
      Text<Config>("loopback.truth", "must be a file's path", IsAnything, IN(loopback.truth)),
      Truth<Config>("loopback.open_nothing", IN(loopback.open_nothing)),
      Duration<Config>("loopback.delay", 0, kDay, IN(loopback.delay_ms)),
      Duration<Config>("loopback.long_delay", 0, kDay, IN(loopback.long_delay_ms)),
      Number<Config>("loopback.credit", 1, 1'000'000, IN(loopback.credit)),
      Text<Config>("kafka.servers", "must be \"HOST:PORT,HOST:PORT\", or empty for none", IsAnything,
                   IN(kafka.servers)),
      Text<Config>("kafka.group", "must be a name", IsNotEmpty, IN(kafka.group)),
      Word<Config, KafkaConfig::From>(
          "kafka.from", {{"start", KafkaConfig::From::kStart}, {"end", KafkaConfig::From::kEnd}}, IN(kafka.from)),
      Truth<Config>("kafka.unsigned", IN(kafka.unsigned_records)),
      List<Config>("kafka.tenants", absl::StrCat("must be a list of names ", kPlainNameRule), IsPlainName,
                   IN(kafka.tenants)),
      List<Config>("kafka.gateways", absl::StrCat("must be a list of names ", kPlainNameRule), IsPlainName,
                   IN(kafka.gateways)),
      List<Config>("kafka.accept", "must be a list of \"TOPIC/PARTITION\"", IsTopicPartition, IN(kafka.accept)),
      Text<Config>("kafka.signing_keys", "must be a file's path", IsAnything, IN(kafka.signing_keys)),
      Duration<Config>("kafka.signed_for", 60'000, 400 * kDay, IN(kafka.signed_for_ms)),
      Duration<Config>("kafka.repeat", 100, kDay, IN(kafka.repeat_ms)),
      Duration<Config>("kafka.silence", 10'000, kDay, IN(kafka.silence_ms)),
      Text<Config>("kafka.schedule_topic", kTopicRule, IsTopic, IN(kafka.schedule_topic)),
      Text<Config>("kafka.status_topic", kTopicRule, IsTopic, IN(kafka.status_topic)),
      Text<Config>("kafka.timer_topic", kTopicRule, IsTopic, IN(kafka.timer_topic)),
      Text<Config>("kafka.send_topic", kTopicRule, IsTopic, IN(kafka.send_topic)),
      Truth<Config>("kafka.events", IN(kafka.events)),
      Text<Config>("kafka.events_topic", kTopicRule, IsTopic, IN(kafka.events_topic)),
      Text<Config>("kafka.dead_letter_topic", kTopicRule, IsTopic, IN(kafka.dead_letter_topic)),
      Truth<Config>("gateway.dedupe", IN(gateway.dedupe)),
      Number<Config>("gateway.window", 1, 1'000'000, IN(gateway.window)),
      Word<Config, std::string>("log.level", LogLevels(), IN(log.level)),
      Word<Config, LogFormat>("log.format", {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}, IN(log.format)),
  };
  return *table;
}

const Keys<KafkaTopic>& KafkaTopicKeys() {
  static const auto* const table = new Keys<KafkaTopic>{
      List<KafkaTopic>("tenants", absl::StrCat("must be a list of names ", kPlainNameRule), IsPlainName, IN(tenants))};
  return *table;
}
bool IsTopicName(const std::string& text) { return IsTopic(text); }

const Keys<Policy>& PolicyKeys() {
  static const auto* const table = new Keys<Policy>{
      Duration<Policy>("wait_after_fail", 1, 30 * kDay, IN(wait_after_fail_ms)),
      Number<Policy>("max_attempts", 0, 1'000'000, IN(max_attempts)),
      Duration<Policy>("ack_send_timeout", 1, 30 * kDay, IN(ack_send_timeout_ms)),
      Duration<Policy>("ack_receipt_timeout", 1, 30 * kDay, IN(ack_receipt_timeout_ms)),
      Duration<Policy>("max_jitter", 0, kDay, IN(max_jitter_ms)),
      Duration<Policy>("probe", 1, kDay, IN(probe_ms)),
      Duration<Policy>("retention", 0, 3'660 * kDay, IN(retention_ms)),
      Word<Policy, OnUnknown>("on_unknown", {{"hold", OnUnknown::kHold}, {"retry", OnUnknown::kRetry}}, IN(on_unknown)),
      Truth<Policy>("dedupe", IN(dedupe)),
  };
  return *table;
}

const Keys<KeyConfig>& CredentialKeys() {
  static const auto* const table = new Keys<KeyConfig>{
      Text<KeyConfig>("name", absl::StrCat("must be a name ", kPlainNameRule), IsPlainName, IN(name)),
      {"sha256", "must be the SHA-256 of the token, 64 hexadecimal digits",
       [](KeyConfig& key, const Setting& setting) {
         const std::string* text = TextOf(setting);
         if (text == nullptr || text->size() != 64 ||
             !std::all_of(text->begin(), text->end(), [](char c) { return absl::ascii_isxdigit(c); })) {
           return false;
         }
         const std::string bytes = absl::HexStringToBytes(*text);
         std::copy(bytes.begin(), bytes.end(), key.sha256.begin());
         return true;
       },
       [](const KeyConfig&) { return Quoted("***"); }},
      {"role", R"(must be "client", "gateway" or "admin", or a list of them)",
       [](KeyConfig& key, const Setting& setting) {
         const std::string* text = TextOf(setting);
         const auto* list = std::get_if<std::vector<std::string>>(&setting.value);
         key.roles = 0;
         for (const std::string& role : list != nullptr ? *list : std::vector<std::string>{text ? *text : ""}) {
           if (role != "client" && role != "gateway" && role != "admin") return false;
           key.roles = static_cast<std::uint8_t>(key.roles | (role == "client"    ? kClient
                                                              : role == "gateway" ? kGateway
                                                                                  : kAdmin));
         }
         return key.roles != 0;
       },
       [](const KeyConfig& key) {
         std::vector<std::string> roles;
         if (key.roles & kClient) roles.emplace_back("client");
         if (key.roles & kGateway) roles.emplace_back("gateway");
         if (key.roles & kAdmin) roles.emplace_back("admin");
         return QuotedList(roles);
       }},
      List<KeyConfig>("tenants", absl::StrCat("must be a list of names ", kPlainNameRule), IsPlainName, IN(tenants)),
      List<KeyConfig>("gateways", absl::StrCat("must be a list of names ", kPlainNameRule), IsPlainName, IN(gateways)),
  };
  return *table;
}

#undef IN

}  // namespace smsflow::server
