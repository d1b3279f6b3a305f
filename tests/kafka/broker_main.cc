// The main() of tests that need the run's broker. Where there is none they are skipped, and say so: that is the one
// case, no Java on the machine, in which starting it did not fail.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

#include "tests/kafka/broker.h"

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  testing::InitGoogleMock(&argc, argv);
  const char* folder = std::getenv("SMSFLOW_TEST_KAFKA");
  if (folder == nullptr || *folder == '\0') {
    std::cout << "SMSFLOW_TEST_KAFKA must name the folder of a broker (tools/dev kafka up --dir)\n";
    return 1;
  }
  if (smsflow::kafka::SharedBroker().empty()) {
    std::cout << "skipped: no broker runs; the test kafka_broker_up says why\n";
    return kSkipped;
  }
  return RUN_ALL_TESTS();
}
