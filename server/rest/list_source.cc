#include "server/rest/list_source.h"

#include <atomic>
#include <utility>

namespace smsflow::server::rest {

namespace {

constexpr std::size_t kPieceBytes = 32 << 10;

struct Reading {
  Reading(Workers& its_workers, NextPage its_next) : workers(its_workers), next(std::move(its_next)) {}
  Workers& workers;
  const NextPage next;
  std::atomic<bool> abandoned{false};

  // One at a time.
  std::string piece;
  bool last = false;
  std::string_view after;  // what is still to follow the last piece
};

using PageRead = absl::AnyInvocable<void(absl::Status)>;

// Reads a page, and comes back for the next until there is a piece worth sending. In turns with others, so that a list
// with little in much does not keep a thread.
void Read(const std::shared_ptr<Reading>& reading, PageRead ready) {
  struct Work {
    std::shared_ptr<Reading> reading;
    PageRead ready;
  };
  auto work = std::make_shared<Work>(Work{reading, std::move(ready)});
  const bool taken = reading->workers.TryRun([work] {
    Reading& mine = *work->reading;
    if (mine.abandoned) return work->ready(absl::CancelledError("its client is gone"));
    const auto more = mine.next(mine.piece);
    if (!more.ok()) return work->ready(more.status());
    mine.last = !*more;
    if (mine.last || mine.piece.size() >= kPieceBytes) return work->ready(absl::OkStatus());
    Read(work->reading, std::move(work->ready));
  });
  if (!taken) work->ready(absl::UnavailableError("the server is stopping, or too many reads wait: try again later"));
}

class ListSource final : public BodySource {
 public:
  explicit ListSource(std::shared_ptr<Reading> reading) : reading_(std::move(reading)) {}
  ~ListSource() override { reading_->abandoned = true; }

  void Next(BodySource::Ready ready) override {
    if (!reading_->piece.empty()) return ready(std::exchange(reading_->piece, {}));  // what the status waited for
    if (reading_->last) return ready(std::string(std::exchange(reading_->after, {})));
    Read(reading_, [reading = reading_, ready = std::move(ready)](absl::Status status) mutable {
      if (!status.ok()) return ready(std::move(status));
      // An empty piece would be the end: the last page may hold nothing.
      ready(reading->piece.empty() ? std::string(std::exchange(reading->after, {}))
                                   : std::exchange(reading->piece, {}));
    });
  }

 private:
  const std::shared_ptr<Reading> reading_;
};

}  // namespace

void ReplyWithList(Workers& workers, const ListForm& form, NextPage next, Reply reply) {
  auto reading = std::make_shared<Reading>(workers, std::move(next));
  reading->piece = form.before;
  reading->after = form.after;
  Read(reading, [reading, form, reply = std::move(reply)](absl::Status status) mutable {
    if (!status.ok()) return reply(Response::Error(status));
    Response response;
    response.type = form.type;
    if (reading->last) {
      response.body = std::move(reading->piece);
      response.body += reading->after;
    } else {
      response.stream = std::make_unique<ListSource>(reading);
    }
    reply(std::move(response));
  });
}

}  // namespace smsflow::server::rest
