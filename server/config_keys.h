// The table of all keys: for config.cc only. A key stands here once, with its rule, and how it is set and shown.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config.h"
#include "server/setting.h"

namespace smsflow::server {

// A key: how it is named, which rule its value keeps, how it is set and shown. `Owner` is what the value lies in.
template <class Owner>
struct Key {
  std::string name;
  std::string rule;
  std::function<bool(Owner&, const Setting&)> set;  // false: the rule is broken
  std::function<std::string(const Owner&)> show;    // as TOML
};
template <class Owner>
using Keys = std::vector<Key<Owner>>;

const Keys<Config>& ConfigKeys();
const Keys<workflows::delivery::Policy>& PolicyKeys();  // of [delivery] and of each [tenant.NAME]
const Keys<KeyConfig>& CredentialKeys();                // of each [[key]]

// Of each line of [kafka.clients].
struct KafkaTopic {
  std::vector<std::string> tenants;
};
const Keys<KafkaTopic>& KafkaTopicKeys();
bool IsTopicName(const std::string& text);

// What tenants, gateways and credentials may be called.
bool IsPlainName(const std::string& text);
inline constexpr char kPlainNameRule[] = "of 1 to 64 characters of A-Z a-z 0-9 . _ -";

std::string Quoted(const std::string& text);  // as a TOML string

}  // namespace smsflow::server
