#include "tools/smsc/script.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tools/smsc/truth.h"

namespace smsflow::smsc {
namespace {

std::string Refused(std::string_view toml) {
  const auto script = ReadScript(toml, "s.toml");
  EXPECT_FALSE(script.ok()) << toml;
  return std::string(script.status().message());
}

TEST(ScriptTest, AnEmptyScriptIsAnSmscThatTakesEverything) {
  const auto script = ReadScript("", "s.toml");
  ASSERT_TRUE(script.ok());
  EXPECT_TRUE(script->faults.empty());
  EXPECT_EQ(script->seed, 1U);
}

TEST(ScriptTest, EveryKeyIsRead) {
  const auto script = ReadScript(R"(
    seed = 5
    system_id = "sim"
    response.delay_ms = [1, 2]
    [ids]
    first = 16
    response = "hex"
    receipt = "decimal"
    tlv = "none"
    pad = 10
    [receipt]
    delay_ms = 7
    parts = "last"
    as_data_sm = true
    format = "{id},{stat}"
    [limits]
    connections = 3
    submits_per_s = 9
    [[account]]
    system_id = "a"
    password = "b"
    [[fault]]
    kind = "refuse"
    rate = 0.25
    every = 2
    from = 3
    to = 9
    destination = "44"
    status = 0x14
    [[fault]]
    kind = "fail"
    stat = "EXPIRED"
    err = "x"
    [[inbound]]
    after_ms = 4
    source = "1"
    destination = "2"
    text = "STOP")",
                                 "s.toml");
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_EQ(script->seed, 5U);
  EXPECT_EQ(script->response.most_ms, 2);
  EXPECT_EQ(script->first_id, 16U);
  EXPECT_EQ(script->response_id, IdStyle::kHex);
  EXPECT_EQ(script->tlv_id, IdStyle::kNone);
  EXPECT_EQ(script->pad, 10U);
  EXPECT_EQ(script->receipt.least_ms, 7);
  EXPECT_EQ(script->parts, ReceiptParts::kLast);
  EXPECT_TRUE(script->as_data_sm);
  EXPECT_EQ(script->format, "{id},{stat}");
  EXPECT_EQ(script->connections, 3U);
  EXPECT_EQ(script->submits_per_s, 9U);
  EXPECT_EQ(script->accounts.at(0).password, "b");
  ASSERT_EQ(script->faults.size(), 2U);
  EXPECT_EQ(script->faults[0].rate, 0.25);
  EXPECT_EQ(script->faults[0].to, 9U);
  EXPECT_EQ(script->faults[0].status, smpp::CommandStatus::kMessageQueueFull);
  EXPECT_EQ(script->faults[1].kind, FaultKind::kFail);
  EXPECT_EQ(script->faults[1].stat, "EXPIRED");
  EXPECT_EQ(script->inbound.at(0).text, "STOP");
}

TEST(ScriptTest, TheExampleOfThePageIsOne) {
  std::ifstream in("docs/smsc.md");
  std::ostringstream page;
  page << in.rdbuf();
  const std::string text = page.str();
  const std::size_t start = text.find("```toml\n");
  ASSERT_NE(start, std::string::npos);
  const auto script =
      ReadScript(std::string_view(text).substr(start + 8, text.find("```\n", start + 8) - start - 8), "page");
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_EQ(script->faults.size(), 5U);
  EXPECT_EQ(script->inbound.size(), 1U);
}

TEST(ScriptTest, AMistakeIsNamedByLineKeyAndRule) {
  EXPECT_EQ(Refused("seed = -1"), "s.toml:1:1: seed must be an integer of 0 to 9223372036854775807");
  EXPECT_EQ(Refused("\nsede = 1"), "s.toml:2:1: sede is not a key that there is");
  EXPECT_EQ(Refused("[ids]\nresponse = \"octal\""), "s.toml:2:1: response must be one of decimal, hex, lower-hex");
  EXPECT_EQ(Refused("[[fault]]\nrate = 2"),
            "s.toml:1:1: kind must be there\ns.toml:2:1: rate must be a number of 0 to 1");
  EXPECT_EQ(Refused("[fault]\nkind = \"reset\""), "s.toml:1:2: fault must be sections, each begun with [[fault]]");
  EXPECT_EQ(Refused("fault = [1]"), "s.toml:1:1: fault must be sections, each begun with [[fault]]");
  EXPECT_EQ(Refused("[receipt]\ndelay_ms = [5, 1]"),
            "s.toml:2:1: delay_ms must be milliseconds of 0 to 86400000, or two of them: [from, to]");
  EXPECT_EQ(Refused("ids = 1"), "s.toml:1:1: ids must be a section");
  EXPECT_EQ(Refused("[[account]]\nsystem_id = \"0123456789abcdef\""),
            "s.toml:2:1: system_id must be a text of at most 15 octets");
  EXPECT_EQ(Refused("[receipt]\nas_data_sm = 1"), "s.toml:2:1: as_data_sm must be true or false");
  for (const char* bytes : {"\xff", "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"})  // not UTF-8
    EXPECT_EQ(Refused("a = \"" + std::string(bytes) + "\""), "s.toml:1:5: not TOML from here on");
  EXPECT_EQ(Refused("#\xff"), "s.toml:1:1: not TOML from here on");
  EXPECT_EQ(Refused("seed = "), "s.toml:1:8: not TOML from here on");
}

TEST(TruthTest, ALineIsJsonWhateverCame) {
  TruthLine line("x", 5);
  line.Number("n", 7).Text("t", "a\"b\\c\n\xff").Hex("h", "\x01\xfe");
  EXPECT_EQ(line.Finish(), "{\"at_ms\":5,\"event\":\"x\",\"n\":7,\"t\":\"a\\\"b\\\\c\\u000aÿ\",\"h\":\"01fe\"}\n");
}

}  // namespace
}  // namespace smsflow::smsc
