// What happens where engine and gateway meet on Kafka: the broker dies too, before, after and between them.
#include <signal.h>

#include <algorithm>
#include <array>
#include <thread>

#include "tests/crash/disturber.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

}  // namespace

void Disturber::BrokerDies() {
  options_.kafka->Kill();
  ++kills_;
}

bool Disturber::AwaitBroker() {
  if (!options_.kafka->running() && !options_.kafka->starting()) options_.kafka->Start();
  if (options_.kafka->AwaitUp(milliseconds(60'000))) {
    Pause(1'000, 6'000);  // or nothing would ever be handed over
    return true;
  }
  findings_.Add("the broker does not start again:\n" + Tail(options_.kafka->Log(), 8));
  return false;
}

void Disturber::KillBroker() {
  BrokerDies();
  moments_.Note("broker killed under load", true);
  MaybeAbsence();
  AwaitBroker();
}

// It reads what it had, takes its partitions up again, and dies over it.
void Disturber::KillWhileBrokerStarts() {
  BrokerDies();
  options_.kafka->Start();
  Pause(1'000, 5'000);
  const bool starts = options_.kafka->starting();
  BrokerDies();
  moments_.Note("broker killed while it starts", starts);
  AwaitBroker();
}

void Disturber::KillInAnyOrder() {
  std::array<char, 3> order{'e', 'g', 'b'};
  const auto die = [this](char who) {
    if (who == 'e') EngineDies();
    if (who == 'g') GatewayDies();
    if (who == 'b') BrokerDies();
  };
  const auto rise = [this](char who) {
    if (who == 'e') site_.StartEngine();
    if (who == 'g') site_.StartGateway();
    if (who == 'b') options_.kafka->Start();
  };
  std::shuffle(order.begin(), order.end(), random_);
  for (const char who : order) {
    die(who);
    if (random_() % 2 == 0) Pause(0, 400);
  }
  std::shuffle(order.begin(), order.end(), random_);
  for (const char who : order) {
    rise(who);
    if (random_() % 2 == 0) Pause(0, 1'500);
  }
  moments_.Note(std::string("killed all, and started in the order ") + order[0] + order[1] + order[2], true);
  AwaitBroker();
}

void Disturber::StopBroker() {
  options_.kafka->Signal(SIGSTOP);
  Pause(500, 8'000);
  options_.kafka->Signal(SIGCONT);
  moments_.Note("broker stopped for a while", true);
}

void Disturber::NoBrokerForAMinute() {
  BrokerDies();
  std::this_thread::sleep_for(std::chrono::seconds(60));
  moments_.Note("no broker for a minute", true);
  AwaitBroker();
}

// What is applied, and what is submitted, in the time without a broker is in two data folders and nowhere else.
void Disturber::KillBesideNoBroker() {
  BrokerDies();
  Pause(0, 1'000);
  const bool engine = random_() % 2 == 0;
  if (engine) {
    EngineDies();
    site_.StartEngine();
    if (!AwaitEngine()) return;
  } else {
    GatewayDies();
    site_.StartGateway();
  }
  Pause(0, 2'000);
  if (random_() % 2 == 0) {
    if (engine) EngineDies();
    if (engine) site_.StartEngine();
    if (!engine) GatewayDies();
    if (!engine) site_.StartGateway();
  }
  moments_.Note(std::string(engine ? "engine" : "gateway") + " killed and started while there is no broker", true);
  AwaitBroker();
}

}  // namespace smsflow::crash
