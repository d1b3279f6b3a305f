// Any message of the contracts as JSON, for `--json`.
//
// Field names as in the .proto files; ids as UUID text, other bytes in hexadecimal, 64-bit numbers as numbers, enums by
// name. Every field is there, also when it is empty; of a oneof and of `optional` only what is set. A pure function.
#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace smsflow::cli {

std::string ToJson(const google::protobuf::Message& message);  // one line, without a line break

std::string JsonText(std::string_view text);  // quoted
std::string NumberText(double value);         // as short as it is exact enough: 3, 0.25; not finite: null

}  // namespace smsflow::cli
