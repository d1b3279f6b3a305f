// Random bytes for keys, ids and nonces, from OpenSSL's generator.
//
// Safe to use from any thread. May block at the first call of a process, until the kernel has entropy. Never returns
// without having filled the bytes: a generator that fails aborts the process.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace smsflow::crypto {

void FillRandom(std::span<std::uint8_t> bytes);
std::string RandomBytes(std::size_t count);
std::uint64_t Random64();
// RFC 9562, version 4, as its 36 characters.
std::string RandomUuid();

}  // namespace smsflow::crypto
