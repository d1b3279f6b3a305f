// Tokens of lists and watches, which any client may write by hand, and ids.
#include <string>

#include "engine/tokens.h"
#include "ids/ids.h"
#include "tests/fuzz/fuzz.h"

namespace engine = smsflow::engine;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = smsflow::fuzz::View(data, size);
  if (const auto token = engine::DecodeListToken(text)) {
    const std::string again = engine::EncodeListToken(*token);
    const auto twice = engine::DecodeListToken(again);
    Require(twice && engine::EncodeListToken(*twice) == again, "decode(encode(x)) is x");
  }
  if (const auto token = engine::DecodeWatchToken(text)) {
    const std::string again = engine::EncodeWatchToken(*token);
    const auto twice = engine::DecodeWatchToken(again);
    Require(twice && engine::EncodeWatchToken(*twice) == again, "decode(encode(x)) is x");
  }
  if (const auto token = engine::DecodeMemberToken(text)) {
    const std::string again = engine::EncodeMemberToken(*token);
    const auto twice = engine::DecodeMemberToken(again);
    Require(twice && engine::EncodeMemberToken(*twice) == again, "decode(encode(x)) is x");
  }
  if (const auto attempt = smsflow::AttemptId::Parse(std::string(text)))
    Require(smsflow::AttemptId::Parse(attempt->ToString()) == attempt, "an id reads as it is written");
  if (const auto id = smsflow::InstanceId::Parse(std::string(text)))
    Require(smsflow::InstanceId::Parse(id->ToString()) == id, "an id reads as it is written");
  return 0;
}
