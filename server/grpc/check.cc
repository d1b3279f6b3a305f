// Replay and Verify: long readings of what is stored, beside the work.
#include <atomic>
#include <utility>

#include "engine/inspect.h"
#include "engine/replay.h"
#include "server/grpc/admin_service.h"
#include "server/grpc/blocking_writer.h"
#include "server/grpc/open_streams.h"
#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

constexpr std::uint64_t kInstancesPerMessage = 10'000;
constexpr std::size_t kFindingsMax = 1'000;  // in all; the counts go on

void Fill(engine::Replay& replay, std::size_t& findings, v1::ReplayResponse& response) {
  response.Clear();
  response.set_records(replay.counts().records);
  response.set_differences(replay.counts().differences);
  response.set_other_version(replay.counts().other_version);
  for (std::string& finding : replay.TakeFindings()) {
    if (findings++ < kFindingsMax) response.add_findings(std::move(finding));
  }
}

// The engine's findings speak of no name; those beyond the bound are counted and not told.
absl::Status Inspect(engine::Inspector& inspector, BlockingWriter<v1::VerifyResponse>& writer,
                     const std::atomic<bool>& closing) {
  v1::VerifyResponse response;
  std::size_t findings = 0;
  const auto send = [&](const engine::InspectionSummary& summary, bool done) {
    response.set_records(summary.records);
    response.set_instances(summary.instances);
    response.set_violations(summary.violations);
    response.set_done(done);
    const bool heard = writer.Write(response);
    response.Clear();
    return heard;
  };
  const absl::Status status = inspector.Run(
      [&](const std::string& finding) {
        if (findings++ < kFindingsMax) response.add_findings(finding);
      },
      [&](const engine::InspectionSummary& so_far) { return !closing && send(so_far, false); });
  if (closing && absl::IsCancelled(status)) return OpenStreams::Stopping();
  if (status.ok()) send(inspector.summary(), true);
  return status;
}

}  // namespace

void AdminService::Verify(WriteStream<v1::VerifyResponse>* stream, const v1::VerifyRequest*) {
  auto caller = CallerOf(doors_, *stream, kAdmin);
  if (!caller.ok()) return stream->Finish(ToGrpc(caller.status()));
  if (absl::Status status = NeedsAll(*caller); !status.ok()) return stream->Finish(ToGrpc(status));
  auto* writer = new BlockingWriter<v1::VerifyResponse>(stream);
  const bool taken = doors_.jobs->TryRun([this, writer] {
    engine::Inspector inspector(doors_.reader->store(), doors_.reader->index_keys(), doors_.reader->shards());
    writer->End(ToGrpc(Inspect(inspector, *writer, closing_)));
  });
  if (!taken) writer->End(TooManyReads());
}

void AdminService::Replay(WriteStream<v1::ReplayResponse>* stream, const v1::ReplayRequest* request) {
  AdminAsked asked;
  const bool all = request->id().empty();
  if (all) {
    auto caller = CallerOf(doors_, *stream, kAdmin);
    if (!caller.ok()) return stream->Finish(ToGrpc(caller.status()));
    asked.caller = *std::move(caller);
  } else {
    auto one = AskedOf(doors_, *stream, request->id());
    if (!one.ok()) return stream->Finish(ToGrpc(one.status()));
    asked = *std::move(one);
  }
  auto* writer = new BlockingWriter<v1::ReplayResponse>(stream);
  const bool taken = doors_.jobs->TryRun([this, writer, all, asked = std::move(asked)] {
    engine::Replay replay(*doors_.reader, {doors_.delivery});
    v1::ReplayResponse response;
    absl::Status status;
    std::size_t findings = 0;
    if (all) {
      std::uint64_t instances = 0;
      const absl::Status read = doors_.reader->ForEach([&](const engine::StoredInstance& instance) {
        if (asked.caller.May(instance.head.tenant())) status = replay.Run(instance);
        if (!status.ok() || closing_ || writer->cancelled()) return false;
        if (++instances % kInstancesPerMessage != 0) return true;
        Fill(replay, findings, response);
        return writer->Write(response);
      });
      if (status.ok()) status = read;
      if (status.ok() && closing_) status = absl::UnavailableError("the server is stopping");
    } else {
      const auto instance = ReadFor(doors_, asked);
      status = instance.ok() ? replay.Run(*instance) : instance.status();
    }
    if (status.ok()) {
      Fill(replay, findings, response);
      response.set_done(true);
      writer->Write(response);
    }
    writer->End(ToGrpc(status));
  });
  if (!taken) writer->End(TooManyReads());
}

}  // namespace smsflow::server
