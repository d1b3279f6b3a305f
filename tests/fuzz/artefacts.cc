// Where a fuzzer that is run by hand leaves what it broke on: beside its program in the build, and not where somebody
// happens to stand, which is mostly the root of the sources. Linked into every fuzzer.
#include <string>
#include <string_view>
#include <vector>

// libFuzzer calls it before it reads its flags.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static std::string prefix;
  static std::vector<char*> words;
  constexpr std::string_view kFlag = "-artifact_prefix=", kEnding = "_fuzz";
  words.assign(*argv, *argv + *argc);
  for (const char* word : words)
    if (std::string_view(word).substr(0, kFlag.size()) == kFlag) return 0;
  const std::string program = words.front();
  const std::size_t name = program.rfind('/') + 1;  // 0 when there is none
  std::string fuzzer = program.substr(name);
  if (const std::size_t ending = fuzzer.rfind(kEnding); ending != std::string::npos) fuzzer.resize(ending);
  prefix = std::string(kFlag) + program.substr(0, name) + "broken-" + fuzzer + "-";
  words.push_back(prefix.data());
  *argc = static_cast<int>(words.size());
  words.push_back(nullptr);
  *argv = words.data();
  return 0;
}
