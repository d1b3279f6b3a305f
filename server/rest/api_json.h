// Messages of the contracts as JSON and back, by their descriptors: fields are named as in the .proto files, ids are
// UUID text, other bytes base64, 64-bit numbers are numbers, enums go by name. What is written has every field, also
// when it is empty; of a oneof and of `optional` only what is set. null is absent.
//
// Pure functions; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "server/violations.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace smsflow::server::rest {

std::string ToJson(const google::protobuf::Message& message);

// Everything that is wrong is added, with the path of its field ("items[3].schedule") and never a value. What is in
// `message` after violations is of no use.
void FromJson(std::string_view json, google::protobuf::Message& message, Violations& violations);

// A field by its path ("filter.batch"), from text as it stands in a path or a query. A list takes one item more.
// REQUIRES that the path is one of the message, and ends in a scalar.
void SetFromText(std::string_view path, const std::string& text, std::string_view shown_as,
                 google::protobuf::Message& message, Violations& violations);

// The field at the end of such a path; null: there is none.
const google::protobuf::FieldDescriptor* FieldAt(const google::protobuf::Descriptor& type, std::string_view path);

// Bytes that are an SMS's id.
bool IsId(const google::protobuf::FieldDescriptor& field);

}  // namespace smsflow::server::rest
