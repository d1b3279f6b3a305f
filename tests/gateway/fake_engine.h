// The engine's side of `Gateway.Attach`, played by a test: it sees what the gateway says and says what it is told to.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "smsflow/v1/gateway.grpc.pb.h"

namespace smsflow::gateway {

inline constexpr std::chrono::seconds kPatience{20};  // until a test gives up waiting for what must come

class FakeEngine : public v1::Gateway::Service {
 public:
  explicit FakeEngine(std::string address) : address_(std::move(address)) { Start(); }
  ~FakeEngine() override { Stop(); }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  void Stop() {
    Cut();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    server_.reset();
  }

  // The next message of the gateway on any stream; keep-alives are left out.
  std::optional<v1::GatewayMessage> Next() {
    std::unique_lock lock(mutex_);
    if (!heard_.wait_for(lock, kPatience, [this] { return !messages_.empty(); })) return std::nullopt;
    auto message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }
  // The results of the next `count` reports, joined.
  std::string Reports(int count) {
    std::string all;
    while (count > 0) {
      const auto message = Next();
      if (!message.has_value()) return all + " and nothing more";
      if (!message->has_reports()) return all + " and something else";
      for (const auto& report : message->reports().reports()) {
        all += (all.empty() ? "" : ", ") + v1::AttemptResult_Name(report.result());
        --count;
      }
    }
    return all;
  }
  // The gateway's greeting, also when reports of a stream before it are still to be read; then Welcome.
  bool Greeted() {
    auto hello = Next();
    while (hello.has_value() && hello->has_reports()) hello = Next();
    if (!hello.has_value() || !hello->has_hello()) return false;
    last_hello = hello->hello();
    auto credit = Next();
    if (!credit.has_value() || !credit->has_credit()) return false;
    last_credit = credit->credit().more();
    v1::EngineMessage welcome;
    welcome.mutable_welcome()->set_shards(4);
    return Say(welcome);
  }
  bool Say(const v1::EngineMessage& message) {
    const std::lock_guard lock(mutex_);
    return stream_ != nullptr && stream_->Write(message);
  }
  // Ends the stream there is, as a broken connection would.
  void Cut() {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }
  std::string token() const {
    const std::lock_guard lock(mutex_);
    return token_;
  }

  v1::Hello last_hello;
  std::uint32_t last_credit = 0;

 private:
  using Stream = grpc::ServerReaderWriter<v1::EngineMessage, v1::GatewayMessage>;

  grpc::Status Attach(grpc::ServerContext* context, Stream* stream) override {
    {
      const std::lock_guard lock(mutex_);
      context_ = context;
      stream_ = stream;
      const auto found = context->client_metadata().find("authorization");
      token_ = found == context->client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
    }
    v1::GatewayMessage message;
    while (stream->Read(&message)) {
      if (message.has_keep_alive()) continue;
      const std::lock_guard lock(mutex_);
      messages_.push_back(message);
      heard_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    if (stream_ == stream) stream_ = nullptr;
    if (context_ == context) context_ = nullptr;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
  }

  const std::string address_;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mutex_;
  std::condition_variable heard_;
  std::deque<v1::GatewayMessage> messages_;
  grpc::ServerContext* context_ = nullptr;
  Stream* stream_ = nullptr;
  std::string token_;
};

}  // namespace smsflow::gateway
