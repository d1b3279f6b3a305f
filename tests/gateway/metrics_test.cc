#include "gateway/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace smsflow::gateway {
namespace {

GatewayFigures SomeFigures() {
  GatewayFigures figures;
  figures.core.attached = true;
  figures.core.submitted = 7;
  figures.core.heard = {1, 2, 3, 4, 5};
  figures.core.receipts.parked = 9;
  figures.core.routes = {{"slow", {1, 2, 3}, -4}, {"fast", {0, 0, 0}, std::nullopt}};
  figures.core.sync = {{0.001, 0.01}, {5, 3, 1}, 0.5};
  figures.sorter = SorterFigures{11, 12, 13};
  figures.audit = AuditFigures{14, 15};
  SmscFigures smsc;
  smsc.name = "carrier-a";
  smsc.bound = true;
  smsc.window = 50;
  smsc.under_way = 17;
  smsc.refused = 18;
  figures.smscs = {smsc};
  return figures;
}

std::string Scrape(int port) {
  const int number = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(number, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(write(number, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string all;
  char bytes[4096];
  for (ssize_t size = 0; (size = read(number, bytes, sizeof bytes)) > 0;) all.append(bytes, size);
  close(number);
  return all;
}

TEST(GatewayMetrics, AreShownWithTheirLabels) {
  const auto metrics = ServeFigures("127.0.0.1:0", SomeFigures);
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  const std::string text = Scrape((*metrics)->port());
  for (const char* line : {
           "smsflow_gateway_attached 1\n",
           "smsflow_gateway_submitted_total 7\n",
           "smsflow_gateway_receipts_total{state=\"delivered\"} 5\n",
           "smsflow_gateway_receipts_parked 9\n",
           "smsflow_gateway_waiting{route=\"slow\",priority=\"bulk\"} 3\n",
           "smsflow_gateway_tokens_segments{route=\"slow\"} -4\n",
           "smsflow_gateway_store_sync_seconds_bucket{le=\"0.01\"} 8\n",
           "smsflow_gateway_store_sync_seconds_count 9\n",
           "smsflow_gateway_unreadable_total 12\n",
           "smsflow_gateway_smsc_bound{smsc=\"carrier-a\"} 1\n",
           "smsflow_gateway_smsc_window_parts{smsc=\"carrier-a\"} 50\n",
           "smsflow_gateway_smsc_under_way_parts{smsc=\"carrier-a\"} 17\n",
           "smsflow_gateway_smsc_answers_total{smsc=\"carrier-a\",answer=\"refused\"} 18\n",
           "smsflow_gateway_audit_lost_lines_total 15\n",
       })
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_EQ(text.find("tokens_segments{route=\"fast\"}"), std::string::npos) << "it has no limit";
}

// Both ways: each has its line, and each line is shown.
TEST(GatewayMetrics, EachHasItsLineOnThePage) {
  const auto metrics = ServeFigures("localhost:0", SomeFigures);
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  const auto names = [](const std::string& text, const char* pattern) {
    std::set<std::string> all;
    const std::regex name(pattern);
    for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) all.insert((*it)[1]);
    return all;
  };
  std::ifstream file(SMSFLOW_SOURCE_DIR "/docs/gateway-metrics.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(names(Scrape((*metrics)->port()), "# TYPE (smsflow_\\w+) "), names(page, "\\| `(smsflow_\\w+)"));
}

TEST(GatewayMetrics, AreForThisMachineAlone) {
  for (const char* address : {"0.0.0.0:0", "", ":0", "example.org:1", "10.0.0.1:80", "127.0.0.1", "127.0.0.1:"})
    EXPECT_EQ(ServeFigures(address, SomeFigures).status().code(), absl::StatusCode::kInvalidArgument) << address;
  const auto first = ServeFigures("127.0.0.1:0", SomeFigures);
  ASSERT_TRUE(first.ok());
  const auto second = ServeFigures("127.0.0.1:" + std::to_string((*first)->port()), SomeFigures);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace smsflow::gateway
