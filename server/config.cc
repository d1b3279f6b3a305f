#include "server/config.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "server/config_keys.h"

namespace smsflow::server {

namespace {

using workflows::delivery::Policy;

// Puts settings into a Config, one by one, and notes what is wrong with each.
class Loader {
 public:
  void Take(std::vector<Setting> settings) {
    for (Setting& setting : settings) TakeOne(std::move(setting));
  }
  void Environment(const std::vector<std::pair<std::string, std::string>>& variables);
  // One line each, whatever was quoted from a file or a variable.
  void Error(std::string line) {
    for (char& c : line)
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
    loaded_.errors.push_back(std::move(line));
  }
  // Not whole: rules that look at several keys would only mislead.
  LoadedConfig Finish(bool whole);

 private:
  void TakeOne(Setting setting);
  template <class Owner>
  bool Set(const Keys<Owner>& keys, Owner& owner, std::string_view name, const Setting& setting);
  void CheckCredentials();
  void CheckListeners();
  void CheckRest();
  void CheckKafka();
  void CheckDedupe(const std::string& key, const Policy& policy);
  bool SetProperty(const Setting& setting);
  std::string OriginOf(const std::string& key) const;
  void Wrong(const std::string& key, const std::string& rule) {
    Error(absl::StrCat(OriginOf(key), ": ", key, " ", rule));
  }

  LoadedConfig loaded_;
  std::vector<Setting> overrides_;  // of tenants: applied last, upon what [delivery] says
  std::map<std::string, std::size_t> credentials_;
};

std::string EnvironmentName(const std::string& key) {
  return absl::StrCat("SMSFLOW_", absl::AsciiStrToUpper(absl::StrReplaceAll(key, {{".", "_"}})));
}

void Loader::Environment(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::map<std::string, std::vector<std::string>> known;
  for (const auto& key : ConfigKeys()) known[EnvironmentName(key.name)] = absl::StrSplit(key.name, '.');
  for (const auto& key : PolicyKeys()) {
    known[EnvironmentName(absl::StrCat("delivery.", key.name))] = {"delivery", key.name};
  }
  for (const auto& [name, value] : variables) {
    // The first four are the command line client's; the last names the file.
    if (!absl::StartsWith(name, "SMSFLOW_") || name == "SMSFLOW_ADDRESS" || name == "SMSFLOW_TOKEN" ||
        name == "SMSFLOW_TENANT" || name == "SMSFLOW_CA" || name == "SMSFLOW_CONFIG") {
      continue;
    }
    const auto found = known.find(name);
    if (found == known.end()) {
      Error(absl::StrCat("environment ", name, ": stands for no key"));
      continue;
    }
    TakeOne({found->second, value, true, absl::StrCat("environment ", name)});
  }
}

template <class Owner>
bool Loader::Set(const Keys<Owner>& keys, Owner& owner, std::string_view name, const Setting& setting) {
  for (const Key<Owner>& key : keys) {
    if (key.name != name) continue;
    loaded_.origins[setting.Name()] = setting.origin;
    if (!key.set(owner, setting)) Error(absl::StrCat(setting.origin, ": ", setting.Name(), " ", key.rule));
    return true;
  }
  return false;
}

bool IsSection(const Setting& setting) {
  static constexpr std::string_view kSections[] = {"listen", "tls",      "limits", "engine",  "loopback",
                                                   "log",    "delivery", "kafka",  "gateway", "rest"};
  if (!std::holds_alternative<Setting::Other>(setting.value)) return false;
  return setting.path.size() == 1
             ? std::find(std::begin(kSections), std::end(kSections), setting.path[0]) != std::end(kSections)
             : setting.path.size() == 2 &&
                   (setting.path[0] == "tenant" ||
                    (setting.path[0] == "kafka" && (setting.path[1] == "properties" || setting.path[1] == "clients" ||
                                                    setting.path[1] == "signers")));
}

void Loader::TakeOne(Setting setting) {
  const std::vector<std::string>& path = setting.path;
  if (path[0] == "tenant" && path.size() == 3) {
    overrides_.push_back(std::move(setting));
    return;
  }
  bool known = IsSection(setting);
  if (path[0] == "delivery" && path.size() == 2) {
    known = Set(PolicyKeys(), loaded_.config.delivery, path[1], setting);
  } else if (path[0] == "kafka" && path.size() >= 3 && path[1] == "properties") {
    known = SetProperty(setting);
  } else if (path[0] == "kafka" && path.size() == 3 && path[1] == "clients") {
    KafkaTopic topic;
    loaded_.origins[setting.Name()] = setting.origin;
    if (!IsTopicName(path[2]) || !KafkaTopicKeys()[0].set(topic, setting))
      Error(absl::StrCat(setting.origin, ": kafka.clients must be TOPIC = [\"TENANT\", …]"));
    loaded_.config.kafka.clients[path[2]] = std::move(topic.tenants);
    known = true;
  } else if (path[0] == "kafka" && path.size() == 3 && path[1] == "signers") {
    KafkaTopic signer;
    loaded_.origins[setting.Name()] = setting.origin;
    if (!IsPlainName(path[2]) || !KafkaTopicKeys()[0].set(signer, setting))
      Error(absl::StrCat(setting.origin, ": kafka.signers must be NAME = [\"TENANT\", …]"));
    loaded_.config.kafka.signers[path[2]] = std::move(signer.tenants);
    known = true;
  } else if (path[0] == "key" && path.size() == 3) {
    const auto [place, fresh] = credentials_.try_emplace(path[1], loaded_.config.keys.size());
    if (fresh) loaded_.config.keys.emplace_back();
    known = Set(CredentialKeys(), loaded_.config.keys[place->second], path[2], setting);
  } else if (!known) {
    known = Set(ConfigKeys(), loaded_.config, setting.Name(), setting);
  }
  if (!known) Error(absl::StrCat(setting.origin, ": unknown key ", setting.Name()));
}

// Named as librdkafka does, with its dots, in quotes or without. Its value is text whatever it means there.
bool Loader::SetProperty(const Setting& setting) {
  std::string name;
  for (std::size_t i = 2; i < setting.path.size(); ++i) absl::StrAppend(&name, i == 2 ? "" : ".", setting.path[i]);
  loaded_.origins[setting.Name()] = setting.origin;
  std::string& value = loaded_.config.kafka.properties[name];
  if (const auto* text = std::get_if<std::string>(&setting.value)) {
    value = *text;
  } else if (const auto* number = std::get_if<std::int64_t>(&setting.value)) {
    value = std::to_string(*number);
  } else if (const auto* truth = std::get_if<bool>(&setting.value)) {
    value = *truth ? "true" : "false";
  } else {
    Error(absl::StrCat(setting.origin, ": ", setting.Name(), " must be text, a number, true or false"));
  }
  return true;
}

std::string Loader::OriginOf(const std::string& key) const {
  const auto found = loaded_.origins.find(key);
  return found == loaded_.origins.end() ? "default" : found->second;
}

// Which rule the gateways of a key break; null: none. Any name will do only for a gateway that is alone: one key more,
// or the gateway inside smsflowd, and a name must belong to somebody.
const char* GatewaysRule(const Config& config, const KeyConfig& key, bool given) {
  if ((key.roles & kGateway) == 0) return given ? ".gateways is for the role gateway alone" : nullptr;
  if (given && key.gateways.empty()) return ".gateways must name at least one";
  const auto is_gateway = [](const KeyConfig& some) { return (some.roles & kGateway) != 0; };
  const bool alone = !config.loopback.enabled && std::count_if(config.keys.begin(), config.keys.end(), is_gateway) == 1;
  if (!given && !alone) return ".gateways is missing: there is another gateway, so each must say as whom it attaches";
  if (config.loopback.enabled &&
      std::find(key.gateways.begin(), key.gateways.end(), config.loopback.gateway) != key.gateways.end()) {
    return ".gateways holds loopback.gateway, the name of the gateway inside smsflowd";
  }
  return nullptr;
}

void Loader::CheckCredentials() {
  const Config& config = loaded_.config;
  std::set<std::array<std::uint8_t, 32>> digests;
  std::set<std::string> names;
  for (const auto& [index, place] : credentials_) {
    const KeyConfig& key = config.keys[place];
    const std::string path = absl::StrCat("key.", index);
    // The place of whichever of its keys is there: the table has none of its own here.
    std::string origin = "key";
    for (const auto& field : CredentialKeys()) {
      const auto found = loaded_.origins.find(absl::StrCat(path, ".", field.name));
      if (found != loaded_.origins.end()) origin = found->second;
    }
    const auto wrong = [&](const char* text) { Error(absl::StrCat(origin, ": ", path, text)); };
    const auto given = [&](const char* field) { return loaded_.origins.contains(absl::StrCat(path, ".", field)); };
    if (!given("name")) wrong(".name is missing");
    if (!given("sha256")) wrong(".sha256 is missing");
    if (!given("role")) wrong(".role is missing");
    if ((key.roles & (kClient | kGateway)) != 0 && key.tenants.empty()) {
      wrong(".tenants is missing: a client or gateway acts for at least one");
    }
    if (given("sha256") && !digests.insert(key.sha256).second) wrong(".sha256 stands in two keys");
    if (given("name") && !names.insert(key.name).second) wrong(".name stands in two keys");
    if (const char* rule = GatewaysRule(config, key, given("gateways"))) wrong(rule);
  }
}

void Loader::CheckListeners() {
  const Config& config = loaded_.config;
  const bool local = IsLocalAddress(config.listen.grpc);
  if (config.tls.cert.empty() != config.tls.key.empty()) {
    const std::string missing = config.tls.cert.empty() ? "tls.cert" : "tls.key";
    Error(absl::StrCat(OriginOf(missing == "tls.cert" ? "tls.key" : "tls.cert"), ": ", missing,
                       " is missing: certificate and key come together"));
  }
  if (!config.tls.on() && !config.tls.client_ca.empty()) Wrong("tls.client_ca", "needs tls.cert and tls.key");
  if (config.listen.plaintext && config.tls.on()) Wrong("listen.plaintext", "cannot be true together with tls.cert");
  if (config.listen.plaintext && !local) {
    Wrong("listen.plaintext", "is only for a loopback address or a unix socket in listen.grpc");
  }
  if (!config.listen.plaintext && !config.tls.on()) {
    Wrong("listen.grpc", local ? "needs tls.cert and tls.key, or listen.plaintext = true"
                               : "is neither loopback nor a unix socket: it needs tls.cert and tls.key");
  }
  if (!config.listen.metrics.empty() && !IsLocalAddress(config.listen.metrics)) {
    Wrong("listen.metrics", "must be a loopback address: it has no TLS");
  }
  if (absl::StartsWith(config.listen.metrics, "unix:")) Wrong("listen.metrics", "must be a TCP address");
}

void Loader::CheckRest() {
  const Config& config = loaded_.config;
  if (config.listen.rest.empty()) {
    if (config.listen.rest_plaintext) Wrong("listen.rest_plaintext", "needs listen.rest");
    return;
  }
  const bool local = IsLocalAddress(config.listen.rest);
  if (config.listen.rest_plaintext && !local) {
    Wrong("listen.rest_plaintext", "is only for a loopback address or a unix socket in listen.rest");
  } else if (!config.listen.rest_plaintext && !config.tls.on() && !(config.listen.plaintext && local)) {
    Wrong("listen.rest", local ? "needs tls.cert and tls.key, or listen.rest_plaintext = true"
                               : "is neither loopback nor a unix socket: it needs tls.cert and tls.key");
  }
}

// One topic of two kinds would be read as neither; and what one door takes must fit through the other.
void Loader::CheckKafka() {
  const KafkaConfig& kafka = loaded_.config.kafka;
  if (kafka.servers.empty()) return;
  std::map<std::string, std::string> keys;
  const auto is_for = [&](const std::string& topic, const std::string& key) {
    const auto [first, fresh] = keys.try_emplace(topic, key);
    if (!fresh) Wrong(key, absl::StrCat("is the topic of ", first->second, " too"));
  };
  is_for(kafka.schedule_topic, "kafka.schedule_topic");
  is_for(kafka.status_topic, "kafka.status_topic");
  is_for(kafka.timer_topic, "kafka.timer_topic");
  is_for(kafka.send_topic, "kafka.send_topic");
  is_for(kafka.events_topic, "kafka.events_topic");
  is_for(kafka.dead_letter_topic, "kafka.dead_letter_topic");
  for (const auto& [topic, tenants] : kafka.clients) is_for(topic, absl::StrCat("kafka.clients.", topic));
  constexpr std::uint64_t kPayloadMax = 96 << 10;
  if (loaded_.config.limits.payload_bytes > kPayloadMax)
    Wrong("limits.payload", "must be at most 96KB where kafka.servers is set: a record has room for no more");
  if (!kafka.signers.empty() && kafka.signing_keys.empty())
    Wrong("kafka.signing_keys", "is missing: kafka.signers need their keys");
}

// What asks for more than a gateway that cannot tell that an attempt came twice; nobody would answer its probes.
void Loader::CheckDedupe(const std::string& key, const Policy& policy) {
  if (!loaded_.config.gateway.dedupe && policy.dedupe && loaded_.origins.contains(key))
    Wrong(key, "cannot be true together with gateway.dedupe = false");
}

LoadedConfig Loader::Finish(bool whole) {
  Config& config = loaded_.config;
  CheckDedupe("delivery.dedupe", config.delivery);
  if (!config.gateway.dedupe) config.delivery.dedupe = false;
  for (const Setting& setting : overrides_) {
    const std::string& tenant = setting.path[1];
    if (!IsPlainName(tenant)) {
      Error(absl::StrCat(setting.origin, ": tenant must be a name ", kPlainNameRule));
      continue;
    }
    Policy& policy = config.tenants.try_emplace(tenant, config.delivery).first->second;
    if (!Set(PolicyKeys(), policy, setting.path[2], setting)) {
      Error(absl::StrCat(setting.origin, ": unknown key ", setting.Name()));
    }
  }
  for (const auto& [tenant, policy] : config.tenants) CheckDedupe(absl::StrCat("tenant.", tenant, ".dedupe"), policy);
  if (whole) {
    CheckCredentials();
    CheckListeners();
    CheckRest();
    CheckKafka();
  }
  return std::move(loaded_);
}

template <class Owner>
void Print(std::string& out, const std::string& prefix, const Keys<Owner>& keys, const Owner& owner,
           const LoadedConfig& loaded, bool only_given) {
  std::string section;
  for (const Key<Owner>& key : keys) {
    const std::string name = absl::StrCat(prefix, key.name);
    const auto origin = loaded.origins.find(name);
    if (only_given && origin == loaded.origins.end()) continue;
    const std::size_t dot = key.name.find('.');
    if (dot != std::string::npos && key.name.substr(0, dot) != section) {
      section = key.name.substr(0, dot);
      absl::StrAppend(&out, "\n[", section, "]\n");
    }
    absl::StrAppend(&out, dot == std::string::npos ? key.name : key.name.substr(dot + 1), " = ", key.show(owner),
                    "  # ", origin == loaded.origins.end() ? "default" : origin->second, "\n");
  }
}

}  // namespace

bool IsLocalAddress(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const std::string_view host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  if (!host.starts_with("127.")) return false;
  return std::all_of(host.begin(), host.end(), [](char c) { return absl::ascii_isdigit(c) || c == '.'; });
}

std::vector<std::string> Config::TenantNames() const {
  std::set<std::string> names;
  for (const KeyConfig& key : keys) names.insert(key.tenants.begin(), key.tenants.end());
  for (const auto& [name, policy] : tenants) names.insert(name);
  return {names.begin(), names.end()};
}

LoadedConfig LoadConfig(const ConfigSources& sources) {
  Loader loader;
  if (!sources.file.empty()) {
    absl::StatusOr<std::vector<Setting>> settings = ReadTomlFile(sources.file);
    if (settings.ok()) {
      loader.Take(*std::move(settings));
    } else {
      loader.Error(std::string(settings.status().message()));
      return loader.Finish(/*whole=*/false);
    }
  }
  loader.Environment(sources.environment);
  loader.Take(sources.flags);
  return loader.Finish(/*whole=*/true);
}

std::string PrintConfig(const LoadedConfig& loaded) {
  std::string out;
  const Config& config = loaded.config;
  Print(out, "", ConfigKeys(), config, loaded, false);
  const auto origin = [&](const std::string& name) {
    const auto found = loaded.origins.find(name);
    return found == loaded.origins.end() ? std::string("default") : found->second;
  };
  if (!config.kafka.clients.empty()) absl::StrAppend(&out, "\n[kafka.clients]\n");
  for (const auto& [topic, tenants] : config.kafka.clients) {
    absl::StrAppend(&out, Quoted(topic), " = ", KafkaTopicKeys()[0].show({tenants}), "  # ",
                    origin(absl::StrCat("kafka.clients.", topic)), "\n");
  }
  if (!config.kafka.signers.empty()) absl::StrAppend(&out, "\n[kafka.signers]\n");
  for (const auto& [name, tenants] : config.kafka.signers) {
    absl::StrAppend(&out, Quoted(name), " = ", KafkaTopicKeys()[0].show({tenants}), "  # ",
                    origin(absl::StrCat("kafka.signers.", name)), "\n");
  }
  if (!config.kafka.properties.empty()) absl::StrAppend(&out, "\n[kafka.properties]\n");
  // Any of them may be a secret.
  for (const auto& [name, value] : config.kafka.properties) {
    absl::StrAppend(&out, Quoted(name), " = \"***\"  # ", origin(absl::StrCat("kafka.properties.", name)), "\n");
  }
  absl::StrAppend(&out, "\n[delivery]\n");
  Print(out, "delivery.", PolicyKeys(), config.delivery, loaded, false);
  for (const auto& [name, policy] : config.tenants) {
    absl::StrAppend(&out, "\n[tenant.", Quoted(name), "]\n");
    Print(out, absl::StrCat("tenant.", name, "."), PolicyKeys(), policy, loaded, true);
  }
  for (std::size_t i = 0; i < config.keys.size(); ++i) {
    absl::StrAppend(&out, "\n[[key]]\n");
    Print(out, absl::StrCat("key.", i, "."), CredentialKeys(), config.keys[i], loaded, true);
  }
  return out;
}

}  // namespace smsflow::server
