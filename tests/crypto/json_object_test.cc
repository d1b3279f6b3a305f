#include "crypto/json_object.h"

#include <gtest/gtest.h>

namespace smsflow::crypto {
namespace {

TEST(JsonObject, GivesStringsIntegersAndObjects) {
  const auto object = ParseJsonObject(
      " {\"a\" : \"x\\u00fc\\ud83d\\ude00\\n\\/\\\"\" "
      ",\"b\":12,\"c\":{\"d\":\"e\"},\"f\":[1,{\"g\":null}],\"h\":-1.5e3,"
      "\"i\":true}\n");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->String("a"), "xü😀\n/\"");
  EXPECT_EQ(object->Find("b")->kind, JsonMember::Kind::kInteger);
  EXPECT_EQ(object->Find("b")->integer, 12);
  EXPECT_EQ(object->Find("c")->object.String("d"), "e");
  const JsonMember* const array = object->Find("f");
  ASSERT_EQ(array->kind, JsonMember::Kind::kArray);
  ASSERT_EQ(array->object.members.size(), 2u);
  EXPECT_EQ(array->object.members[0].integer, 1);
  EXPECT_EQ(array->object.members[1].kind, JsonMember::Kind::kObject);
  for (const char* other : {"h", "i"}) EXPECT_EQ(object->Find(other)->kind, JsonMember::Kind::kOther) << other;
  EXPECT_EQ(object->String("b"), std::nullopt);
  EXPECT_EQ(object->Find("z"), nullptr);
}

TEST(JsonObject, RefusesWhatIsNoSuchObject) {
  for (const char* text : {"",
                           "{",
                           "}",
                           "[]",
                           "\"a\"",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":1}{",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":+1}",
                           "{\"a\":tru}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"b}",
                           "{\"a\":1,\"a\":2}",
                           "{\"a\":[1,]}",
                           "{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}",
                           "{\"a\":[[[[]]]]}",
                           "{\"a\":1e}"})
    EXPECT_FALSE(ParseJsonObject(text)) << text;
}

TEST(JsonObject, HoldsNoIntegerThatDoesNotFit) {
  EXPECT_EQ(ParseJsonObject("{\"a\":99999999999999999999}")->Find("a")->kind, JsonMember::Kind::kOther);
}

TEST(JsonQuoted, ReadsBackAsItWas) {
  for (const std::string& text : {std::string("plain"), std::string("q\"b\\s/\n\x01ü"), std::string()})
    EXPECT_EQ(ParseJsonObject("{\"a\":" + JsonQuoted(text) + "}")->String("a"), text);
}

}  // namespace
}  // namespace smsflow::crypto
