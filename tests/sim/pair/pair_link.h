// The way between a real engine and a real gateway, without sockets: the messages of `Gateway.Attach` as the product
// encodes and decodes them, in queues that a step moves, holds, cuts or loses. Either end may learn late that the other
// is gone. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "gateway/link.h"
#include "smsflow/v1/gateway.pb.h"
#include "storage/index_keys.h"

namespace smsflow::sim {

struct PairLinkOptions {
  std::uint32_t credit = 4;
  std::size_t unsent_max = 1'000;  // messages to the gateway; with so many the engine is told that the link is full
  bool stray = false;              // single messages get lost, come twice or overtake others, as no stream does it
};

// What a run wants to know, and where a seeded bug takes hold. Any may be empty.
struct PairLinkEvents {
  std::function<void(const PeerId&, const engine::Lease&)> handed;  // as the engine hands it over
  std::function<void(const gateway::Report&)> told;                 // as the gateway says it
  std::function<void(const std::string&)> violated;
  std::function<void(smsflow::v1::EngineMessage&)> down;
  std::function<void(smsflow::v1::GatewayMessage&)> up;
};

class PairLink : public gateway::Link {
 public:
  PairLink(PairLinkOptions options, std::mt19937_64& random, const storage::IndexKeys& keys, PairLinkEvents events);
  ~PairLink() override;

  // An engine that can be attached to, until it is Gone.
  void EngineStarted(engine::Engine& engine) { engine_ = &engine; }
  // Before it is destroyed. What it had sent may still arrive.
  void EngineGone();
  void GatewayGone();
  // Connections break; what is on its way is lost, and each end learns of it in its own time.
  void Cut();
  void Mend() { options_.stray = false; }

  // Moves some of what is on its way, and attaches if nothing is; false: there was nothing. What the engine does of it
  // may throw engine::Fatal.
  bool Step();
  bool attached() const { return attached_; }
  std::uint64_t attachments() const { return attachments_; }
  std::uint64_t strays() const { return strays_; }

  void Start(gateway::LinkEvents& events) override { gateway_ = &events; }
  void Report(std::vector<gateway::Report> reports) override;
  void Stop() override {}

 private:
  struct Stream;
  class EngineEnd;
  using Message = std::pair<std::string, std::size_t>;  // encoded, and how many reports or leases it holds

  void Connect();
  bool Move(const std::shared_ptr<Stream>& stream);
  void MoveUp(const std::shared_ptr<Stream>& stream);
  void MoveDown(const std::shared_ptr<Stream>& stream);
  bool Learn(Stream& stream);
  void Hear(const std::shared_ptr<Stream>& stream, const std::string& bytes);
  [[nodiscard]] bool Attach(const std::shared_ptr<Stream>& stream, const smsflow::v1::Hello& hello);
  void HearReports(const std::shared_ptr<Stream>& stream, const smsflow::v1::Reports& reports);
  void Take(const std::string& bytes);
  void Answer(Stream& stream);
  void SendDown(Stream& stream, smsflow::v1::EngineMessage message, std::size_t holds);
  void SendUp(Stream& stream, smsflow::v1::GatewayMessage message, std::size_t holds);
  // Of a queue's first: to be delivered now, as often as it says. In a stray link it may be another one.
  int Copies(std::deque<Message>& queue);
  void Detach();
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  PairLinkOptions options_;
  std::mt19937_64& random_;
  const storage::IndexKeys& keys_;
  const PairLinkEvents events_;
  engine::Engine* engine_ = nullptr;
  gateway::LinkEvents* gateway_ = nullptr;
  std::vector<std::shared_ptr<Stream>> streams_;  // those that an end still holds
  std::shared_ptr<Stream> current_;               // the gateway's; null: none
  bool attached_ = false;                         // as the gateway knows
  std::uint64_t attachments_ = 0, strays_ = 0;
};

}  // namespace smsflow::sim
