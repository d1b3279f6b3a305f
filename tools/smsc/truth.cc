#include "tools/smsc/truth.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "smpp/unicode.h"

namespace smsflow::smsc {
namespace {

constexpr int kExitTruth = 75;
constexpr char kHexDigits[] = "0123456789abcdef";

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20) {
      out.append("\\u00");
      out += kHexDigits[octet >> 4];
      out += kHexDigits[octet & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

class TruthFile : public Truth {
 public:
  explicit TruthFile(int file) : file_(file) {}
  ~TruthFile() override {
    if (file_ != STDOUT_FILENO) close(file_);
  }
  TruthFile(const TruthFile&) = delete;
  TruthFile& operator=(const TruthFile&) = delete;

  void Tell(const std::string& line) override {
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = write(file_, rest.data(), rest.size());
      if (written > 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        std::fprintf(stderr, "smsflow-smsc: the truth cannot be written: %s\n", strerrordesc_np(errno));
        std::_Exit(kExitTruth);
      }
    }
  }

 private:
  const int file_;
};

}  // namespace

TruthLine::TruthLine(std::string_view event, std::int64_t at_ms) {
  line_ = "{\"at_ms\":" + std::to_string(at_ms) + ",\"event\":";
  AppendQuoted(line_, event);
}

TruthLine& TruthLine::Number(std::string_view name, std::uint64_t value) {
  line_.append(",\"").append(name).append("\":").append(std::to_string(value));
  return *this;
}

TruthLine& TruthLine::Text(std::string_view name, std::string_view value) {
  line_.append(",\"").append(name).append("\":");
  AppendQuoted(line_, smpp::IsUtf8(value) ? std::string(value) : smpp::Latin1ToUtf8(value));
  return *this;
}

TruthLine& TruthLine::Hex(std::string_view name, std::string_view octets) {
  line_.append(",\"").append(name).append("\":\"");
  for (const char c : octets) {
    line_ += kHexDigits[static_cast<unsigned char>(c) >> 4];
    line_ += kHexDigits[static_cast<unsigned char>(c) & 15];
  }
  line_ += '"';
  return *this;
}

std::string TruthLine::Finish() {
  line_ += "}\n";
  return std::move(line_);
}

absl::StatusOr<std::unique_ptr<Truth>> OpenTruth(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::InvalidArgumentError("cannot open " + path + " for the truth: " + strerrordesc_np(errno));
  }
  return std::unique_ptr<Truth>(std::make_unique<TruthFile>(file));
}

std::unique_ptr<Truth> PrintedTruth() { return std::make_unique<TruthFile>(STDOUT_FILENO); }

}  // namespace smsflow::smsc
