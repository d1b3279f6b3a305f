// The file of SMSCs: what it says, and what is said of a wrong one.
#include "gateway/smsc_config.h"

#include <gtest/gtest.h>

namespace smsflow::gateway {
namespace {

const crypto::PublicKey& PublicKey() {
  static const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  return key.public_key();
}

absl::StatusOr<std::string> ReadNamed(const std::string& file, bool secret) {
  if (file == "password") return secret ? absl::StatusOr<std::string>("secret\n") : absl::InternalError("not secret");
  if (file == "public") return PublicKey().ToPem();
  if (file == "long") return std::string("ninechars");
  if (file == "open") return absl::FailedPreconditionError("others can read this secret; chmod 600 it");
  return std::string("PEM of ") + file;
}

absl::StatusOr<std::vector<SmscOptions>> Read(std::string_view toml) {
  return ReadSmscConfig(toml, "smsc.toml", ReadNamed);
}

std::string Wrong(std::string_view line) {
  const auto read = Read("[[smsc]]\nname = \"a\"\nhost = \"127.0.0.1\"\nsystem_id = \"s\"\n" + std::string(line));
  return read.ok() ? "it is right" : std::string(read.status().message());
}

TEST(SmscConfig, WhatIsLeftOutHasItsDefault) {
  const auto read = Read("[[smsc]]\nname = \"a\"\nhost = \"127.0.0.1\"\nsystem_id = \"s\"\n");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 1u);
  const SmscOptions& smsc = read->front();
  EXPECT_EQ(smsc.account, "a");
  EXPECT_EQ(smsc.link.port, 2775);
  EXPECT_EQ(smsc.link.session.window, 10u);
  EXPECT_FALSE(smsc.link.tls);
  EXPECT_FALSE(smsc.link.pair);
  EXPECT_TRUE(smsc.receipts);
  EXPECT_TRUE(smsc.forms.empty());
  EXPECT_EQ(smsc.validity, Validity::kRelative);
}

TEST(SmscConfig, Everything) {
  const auto read = Read(R"([[smsc]]
name = "a"
account = "acme"
host = "smsc.example"
port = 3550
bind = "pair"
tls = true
ca_file = "ca"
cert_file = "cert"
key_file = "key"
system_id = "s"
system_type = "smpp"
password_file = "password"
tenants = ["clinic", "lab"]
window = 50
connect_ms = 1
response_ms = 2
enquire_ms = 3
drain_ms = 4
again_least_ms = 5
again_most_ms = 6
throttle_least_ms = 7
throttle_most_ms = 8
away_ms = 9
source = "15001"
source_ton = 3
source_npi = 0
destination_ton = 0
destination_npi = 8
service_type = "CMT"
gsm_coding = 1
segments = "sar"
segments_max = 4
validity = "absolute"
receipts = "any"
text_ids = "from-decimal"
tlv_ids = "same"

[smsc.states]
ACCEPTD = "delivered"
NOCREDI = "failed-for-good"

[smsc.errors]
"034" = "failed-for-good"

[smsc.refusals]
"0x401" = "recipient-for-now"

[[smsc]]
name = "b"
host = "10.0.0.1"
plaintext = true
system_id = "s"
receipts = "none"
)");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  const SmscOptions& smsc = read->front();
  EXPECT_EQ(smsc.account, "acme");
  EXPECT_EQ(smsc.link.host, "smsc.example");
  EXPECT_TRUE(smsc.link.pair);
  EXPECT_EQ(smsc.link.key_pem, "PEM of key");
  EXPECT_EQ(smsc.link.session.password, "secret");
  EXPECT_EQ(smsc.link.session.throttle_most_ms, 8);
  EXPECT_EQ(smsc.away_ms, 9);
  EXPECT_EQ(smsc.tenants, (std::vector<std::string>{"clinic", "lab"}));
  EXPECT_EQ(smsc.segments, Segments::kSar);
  EXPECT_EQ(smsc.parts, workflows::submission::PartsRule::kAny);
  ASSERT_EQ(smsc.forms.size(), 2u);
  EXPECT_EQ(smsc.forms[0].account, "acme");
  EXPECT_EQ(smsc.forms[0].form, smpp::IdForm::kFromDecimal);
  smpp::Receipt receipt{.state = smpp::MessageState::kAccepted};
  EXPECT_EQ(smsc.meanings.MeaningOf(receipt), smpp::ReceiptMeaning::kDelivered);
  receipt = {.word = "NOCREDI"};
  EXPECT_EQ(smsc.meanings.MeaningOf(receipt), smpp::ReceiptMeaning::kFailedPermanent);
  receipt = {.state = smpp::MessageState::kUndeliverable, .error = "34"};
  EXPECT_EQ(smsc.meanings.MeaningOf(receipt), smpp::ReceiptMeaning::kFailedPermanent);
  EXPECT_EQ(smsc.refusals.MeaningOf(static_cast<smpp::CommandStatus>(0x401)),
            (smpp::RefusalMeaning{false, smpp::FaultOf::kRecipient}));
  EXPECT_FALSE((*read)[1].receipts);
}

TEST(SmscConfig, AWrongValueNamesLineKeyAndRule) {
  EXPECT_EQ(Wrong("window = 0"), "smsc.toml:5:1: window must be an integer of 1 to 10000");
  EXPECT_EQ(Wrong("port = \"2775\""), "smsc.toml:5:1: port must be an integer of 1 to 65535");
  EXPECT_EQ(Wrong("tls = 1"), "smsc.toml:5:1: tls must be true or false");
  EXPECT_EQ(Wrong("bind = \"both\""), "smsc.toml:5:1: bind must be one of transceiver, pair");
  EXPECT_EQ(Wrong("windows = 1"), "smsc.toml:5:1: windows is not a key that there is");
  EXPECT_EQ(Wrong("source = \"\\u00e4\""), "smsc.toml:5:1: source must be 1 to 20 characters of ASCII");
  EXPECT_EQ(Wrong("tenants = []"), "smsc.toml:5:1: tenants must be a list of names, each of 1 to 128 bytes");
  EXPECT_EQ(Wrong("account = \"a b\""), "smsc.toml:5:1: account must be 1 to 32 characters of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(Wrong("again_most_ms = 1"), "smsc.toml:5:1: again_most_ms must not be below the least");
  EXPECT_EQ(Wrong("states = 1"), "smsc.toml:5:1: states must be a section");
  EXPECT_EQ(Wrong("[smsc.states]\nA = \"lost\""),
            "smsc.toml:6:1: A must be one of under-way, delivered, failed, failed-for-good, in-doubt");
  EXPECT_EQ(Wrong("[smsc.refusals]\n\"69\" = \"route\""), "smsc.toml:6:1: 69 must be a command_status, such as 0x45");
}

TEST(SmscConfig, WhoseSmsesFromPhonesAre) {
  const auto read = Read(R"([[smsc]]
name = "a"
account = "acme"
host = "127.0.0.1"
system_id = "s"
[[smsc.inbound]]
tenant = "clinic"
numbers = ["15001", "2557*"]
key_file = "public"
[[smsc.inbound]]
tenant = "lab"
numbers = ["CLINIC"]
key_file = "public"
repeat_s = 0
)");
  ASSERT_TRUE(read.ok()) << read.status();
  const auto& inbound = read->front().inbound;
  ASSERT_EQ(inbound.size(), 2u);
  EXPECT_EQ(inbound[0].account, "acme");
  EXPECT_EQ(inbound[0].tenant, "clinic");
  EXPECT_EQ(inbound[0].numbers, (std::vector<std::string>{"15001", "2557*"}));
  EXPECT_EQ(inbound[0].repeat_ms, 600'000);
  EXPECT_EQ(inbound[1].repeat_ms, 0);
  EXPECT_EQ(inbound[1].key.kid(), PublicKey().kid());
}

TEST(SmscConfig, AWrongInboundNamesLineKeyAndRule) {
  EXPECT_EQ(Wrong("[[smsc.inbound]]"),
            "smsc.toml:5:1: tenant must be there\nsmsc.toml:5:1: numbers must be there\n"
            "smsc.toml:5:1: key_file must be there");
  const std::string rest = "\ntenant = \"t\"\nkey_file = \"public\"";
  EXPECT_EQ(Wrong("[[smsc.inbound]]\nnumbers = [\"+255\"]" + rest),
            "smsc.toml:6:1: numbers must be of digits or letters, without a plus sign; a * at the end is for any "
            "more");
  EXPECT_EQ(Wrong("[[smsc.inbound]]\nnumbers = [\"1\"]\nrepeat_s = -1" + rest),
            "smsc.toml:7:1: repeat_s must be an integer of 0 to 604800");
  EXPECT_EQ(Wrong("[[smsc.inbound]]\nnumbers = [\"1\"]\ntenant = \"t\"\nkey_file = \"none\""),
            "smsc.toml:8:1: key_file must hold a public key, P-256 or RSA: PEM, JWK or base64");
  EXPECT_EQ(Wrong("inbound = 1"), "smsc.toml:5:1: inbound must be sections, each begun with [[inbound]]");
}

TEST(SmscConfig, FilesThatItNames) {
  EXPECT_EQ(Wrong("password_file = \"open\""),
            "smsc.toml:5:1: password_file others can read this secret; chmod 600 it");
  EXPECT_EQ(Wrong("password_file = \"long\""),
            "smsc.toml:5:1: password_file must hold at most 8 characters: a bind has no room for more");
}

TEST(SmscConfig, AllThatIsWrongAtOnceAndNoValue) {
  const auto read = Read("[[smsc]]\nhost = \"smsc.example\"\nwindow = 4711000\npassword = \"hidden\"\n");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().message(),
            "smsc.toml:1:1: name must be there\n"
            "smsc.toml:2:1: host is not this machine: tls = true, or plaintext = true where the way there is safe, "
            "must be said\n"
            "smsc.toml:1:1: system_id must be there\n"
            "smsc.toml:3:1: window must be an integer of 1 to 10000\n"
            "smsc.toml:4:1: password is not a key that there is");
}

TEST(SmscConfig, WhatIsNoConfigurationAtAll) {
  EXPECT_EQ(Read("").status().message(), "smsc.toml:1:1: smsc must be there");
  EXPECT_EQ(Read("smsc = 1").status().message(),
            "smsc.toml:1:1: smsc must be 1 to 100 sections, each begun with [[smsc]]");
  EXPECT_EQ(Read("[[smsc]\nhost = \"hidden\"").status().message(), "smsc.toml:1:8: not TOML from here on");
  EXPECT_EQ(Read("\n  \xff").status().message(), "smsc.toml:2:2: not TOML from here on");
  EXPECT_EQ(Read("\n" + std::string(30'000, '.')).status().message(),
            "smsc.toml:2:1: more than 128 dots in one line, outside of texts");
  EXPECT_EQ(Wrong("[[smsc]]\nname = \"a\"\nhost = \"127.0.0.1\"\nsystem_id = \"s\"\n"),
            "smsc.toml:6:1: name must be another for each connection");
}

}  // namespace
}  // namespace smsflow::gateway
