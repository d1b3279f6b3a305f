// CRC-32C (Castagnoli), the checksum of the high-water file and of RocksDB's logs. An internal header of storage/.
#pragma once

#include <cstdint>
#include <string_view>

namespace smsflow::storage {

std::uint32_t Crc32c(std::string_view bytes);

}  // namespace smsflow::storage
