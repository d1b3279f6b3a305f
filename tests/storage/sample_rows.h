// One row of each kind with every field of it filled, for golden and round-trip tests.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "ids/ids.h"
#include "storage/keys.h"

namespace smsflow::storage {

inline const ShardId kSampleShard{0x0102};
inline const InstanceId kSampleInstance = InstanceId::Make(0x0190'1234'5678, kSampleShard, 0x1122'3344'5566'7788);
inline const Hash16 kSampleHash{0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
                                0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF};
inline const Lane8 kSampleLane{0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7};

// Every field gets a value made from its number, so that one added later is covered without a thought. Of a oneof the
// last one stays.
inline void FillEveryField(google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const auto* reflection = message.GetReflection();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const int number = field->number();
    const bool repeated = field->is_repeated();
    const std::string text =
        field->type() == FieldDescriptor::TYPE_BYTES ? std::string(3, static_cast<char>(number)) : field->name();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT32:
        repeated ? reflection->AddUInt32(&message, field, static_cast<std::uint32_t>(number))
                 : reflection->SetUInt32(&message, field, static_cast<std::uint32_t>(number));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        repeated ? reflection->AddUInt64(&message, field, static_cast<std::uint64_t>(number) << 32)
                 : reflection->SetUInt64(&message, field, static_cast<std::uint64_t>(number) << 32);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, 1'700'000'000'000 + number);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        repeated ? reflection->AddString(&message, field, text) : reflection->SetString(&message, field, text);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        FillEveryField(repeated ? *reflection->AddMessage(&message, field)
                                : *reflection->MutableMessage(&message, field));
        break;
      default:
        std::abort();  // a type that no stored record has: give it a value here
    }
  }
}

template <class Row>
Row Filled() {
  Row row;
  FillEveryField(row);
  return row;
}

}  // namespace smsflow::storage
