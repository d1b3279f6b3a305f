// A client of a test's on Kafka, told what to do by the lines of its standard input; ends when the broker has all of
// it.
//
//   write_records HOST:PORT
//   topic NAME        makes it, with two partitions
//   NAME VALUE        a record; its value is the rest of the line
#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "tests/kafka/lasting_producer.h"

namespace smsflow::kafka {
namespace {

constexpr std::chrono::seconds kPatience(60);

bool Make(const ClientOptions& options, const std::string& topic) {
  const auto admin = Admin::Open(options);
  const auto made =
      admin.ok() ? (*admin)->Create({{topic, 2, 1, {}}}, kPatience) : absl::StatusOr<std::vector<absl::Status>>();
  const bool done = made.ok() && made->front().ok();
  if (!done) std::cerr << "topic " << topic << " cannot be made\n";
  return done;
}

int Write(const std::string& servers) {
  const ClientOptions options{.name = "test", .servers = servers, .properties = {}};
  LastingProducer producer(options);
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string topic = line.substr(0, line.find(' ')),
                      rest = line.substr(std::min(topic.size() + 1, line.size()));
    if (topic != "topic") {
      producer.Produce(topic, kAnyPartition, "", rest, {});
    } else if (!Make(options, rest)) {
      return 1;
    }
  }
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (producer.pending() > 0 && std::chrono::steady_clock::now() < until)
    producer.Poll(std::chrono::milliseconds(100));
  if (producer.pending() > 0)
    std::cerr << producer.pending() << " records were not taken: " << producer.refusal() << "\n";
  return producer.pending() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace smsflow::kafka

int main(int argc, char** argv) {
  if (argc == 2) return smsflow::kafka::Write(argv[1]);
  std::cerr << "write_records HOST:PORT\n";
  return 2;
}
