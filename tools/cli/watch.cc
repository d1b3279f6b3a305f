#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/live_table.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/states.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"
#include "tools/cli/watch_stream.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

constexpr std::int64_t kTickMs = 100;
constexpr char kListed[] = "listed";

std::string Line(const Session& session, const v1::Transition& transition) {
  const Terminal& terminal = session.terminal;
  const std::string id = IdText(transition.id());
  const std::string attempt = transition.attempt() == 0 ? "-" : std::to_string(transition.attempt());
  if (!session.ForPeople()) {
    Table table({"time", "id", "attempt", "from", "to", "event", "cause", "batch", "key", "target"});
    table.Add({UtcTime(transition.at_ms()), id, attempt, StateName(transition.from()), StateName(transition.to()),
               transition.event(), transition.cause(), transition.batch(), transition.key(), transition.target()});
    return table.ForScripts();
  }
  std::string change;
  if (transition.from() != transition.to()) absl::StrAppend(&change, std::string(StateName(transition.from())), " -> ");
  const std::size_t columns = change.size() + StateName(transition.to()).size();
  change += Painted(terminal, StateColor(transition.to()), StateName(transition.to()));
  change.append(columns < 24 ? 24 - columns : 0, ' ');
  std::string what = Visible(transition.event());
  if (!transition.cause().empty()) absl::StrAppend(&what, " [", Visible(transition.cause()), "]");
  const std::string& name = transition.key().empty() ? transition.target() : transition.key();
  return absl::StrCat(LocalClock(transition.at_ms()), "  ", id, "  ", transition.attempt() == 0 ? " " : attempt, "  ",
                      change, "  ", what, name.empty() ? "" : "  ", Painted(terminal, Color::kDim, Visible(name)),
                      "\n");
}

// What stands already is shown as if it had just been told, so that a table and a script begin with the same truth.
v1::Transition AsTransition(const v1::SmsStatus& sms) {
  v1::Transition transition;
  transition.set_id(sms.id());
  transition.set_from(sms.state());
  transition.set_to(sms.state());
  transition.set_at_ms(sms.changed_ms());
  transition.set_event(kListed);
  transition.set_attempt(sms.attempts());
  transition.set_cause(sms.cause());
  transition.set_batch(sms.batch());
  transition.set_key(sms.key());
  transition.set_target(sms.target());
  transition.set_due_ms(sms.due_ms());
  return transition;
}

class Watcher {
 public:
  explicit Watcher(Session& session) : session_(session), redraws_(session.arguments.live && session.ForPeople()) {}

  // Where to begin: with a token nothing between two watches is missed; a list gives one, and with --live the SMSes.
  absl::Status Begin(v1::WatchRequest& request) {
    const Arguments& arguments = session_.arguments;
    auto filter = MakeFilter(arguments.filter, session_.terminal.now_ms());
    if (!filter.ok()) return filter.status();
    *request.mutable_filter() = *std::move(filter);
    request.set_token(arguments.resume);
    if (!arguments.for_time.empty()) {
      const auto for_s = ParseSeconds(arguments.for_time);
      if (!for_s.ok()) return absl::InvalidArgumentError(absl::StrCat("--for: ", for_s.status().message()));
      end_ms_ = session_.terminal.now_ms() + *for_s * 1000;
    }
    if (arguments.live && !arguments.resume.empty())
      return absl::InvalidArgumentError("--live, --resume: --live begins with what stands now; leave --resume out");
    return arguments.resume.empty() ? List(request) : absl::OkStatus();
  }

  Outcome Watch(v1::WatchRequest request) {
    token_ = request.token();
    const Arguments& arguments = session_.arguments;
    WatchStream stream(session_.connection, std::move(request));
    const auto enough = [&] { return arguments.live && live_.AllEnded() && live_.count() >= arguments.expect; };
    bool was_reconnecting = false;
    int times_mended = 0;
    while (!enough() && !session_.terminal.interrupted() && !(end_ms_ && session_.terminal.now_ms() >= *end_ms_)) {
      const auto response = stream.Next(kTickMs);
      if (stream.times_mended() > times_mended) {
        times_mended = stream.times_mended();
        Say("the link is back; nothing was missed");
      }
      if (response) Take(*response);
      if (const auto over = stream.over()) return Over(*over);
      const bool reconnecting = stream.reconnecting();
      if (reconnecting && !was_reconnecting)
        Say("the link is down; going on from where it ended when the server is back");
      was_reconnecting = reconnecting;
      Redraw(/*now=*/false);
    }
    Redraw(/*now=*/true);
    if (!enough()) Say(absl::StrCat("resume with: smsflow watch --resume ", token_));
    return arguments.live && !enough() ? kExitNegative : kExitOk;
  }

 private:
  absl::Status List(v1::WatchRequest& request) {
    v1::ListRequest list;
    *list.mutable_filter() = request.filter();
    list.set_page_size(session_.arguments.live ? kPageMost : 1);
    for (;;) {
      const auto page = session_.connection.Ask("watch", &SchedulerStub::List, list);
      if (!page.ok()) return page.status();
      request.set_token(page->watch_token());
      if (!session_.arguments.live) return absl::OkStatus();
      for (const v1::SmsStatus& sms : page->items()) {
        live_.Take(sms);
        Print(AsTransition(sms));
      }
      if (page->next_page_token().empty()) return absl::OkStatus();
      list.set_page_token(page->next_page_token());
    }
  }

  void Take(const v1::WatchResponse& response) {
    for (const v1::Transition& transition : response.transitions()) {
      if (session_.arguments.live) live_.Take(transition);
      Print(transition);
    }
    session_.terminal.out.flush();
    token_ = response.token();
  }

  void Print(const v1::Transition& transition) {
    if (redraws_) return;
    const bool changed = transition.from() != transition.to() || transition.event() == kListed;
    if (!changed && !session_.arguments.all) return;
    session_.terminal.out << (session_.arguments.json ? ToJson(transition) + "\n" : Line(session_, transition));
  }

  void Say(std::string_view text) {
    if (redraws_) Erase();
    session_.terminal.err << "smsflow: " << text << std::endl;
  }

  void Redraw(bool now) {
    const Terminal& terminal = session_.terminal;
    const std::int64_t now_ms = terminal.now_ms();
    if (!redraws_ || (!now && now_ms - drawn_ms_ < kTickMs)) return;
    drawn_ms_ = now_ms;
    const std::string drawn = live_.Draw(terminal);
    Erase();
    // Lines that are too long are cut by the terminal, so that each takes one row and Erase() finds the first again.
    terminal.out << "\033[?7l" << drawn << "\033[?7h" << std::flush;
    lines_ = static_cast<std::size_t>(std::count(drawn.begin(), drawn.end(), '\n'));
  }

  // Goes back to where the last table began, and empties the screen from there.
  void Erase() {
    if (lines_ > 0) session_.terminal.out << "\033[" << lines_ << "A\r\033[J";
    lines_ = 0;
  }

  Outcome Over(const absl::Status& status) {
    if (status.ok()) return absl::UnavailableError("watch: the server ended the stream");
    return status;
  }

  Session& session_;
  const bool redraws_;
  LiveTable live_;
  std::string token_;
  std::optional<std::int64_t> end_ms_;
  std::int64_t drawn_ms_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace

Outcome RunWatch(Session& session) {
  Watcher watcher(session);
  v1::WatchRequest request;
  if (absl::Status status = watcher.Begin(request); !status.ok()) return status;
  return watcher.Watch(std::move(request));
}

}  // namespace smsflow::cli
