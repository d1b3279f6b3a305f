#include "tests/crash/book.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "ids/ids.h"

namespace smsflow::crash {

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string ToText(const Slots& slots) {
  std::string text;
  for (const auto& [from_s, till_s] : slots) {
    text += (text.empty() ? "" : ";") + std::to_string(from_s) + "-" + std::to_string(till_s);
  }
  return text;
}

bool Stroke::Covers(const Sms& sms) const {
  const v1::ScheduleRequest& request = sms.request;
  const std::string& its = by == kBatch ? request.batch() : by == kKey ? request.key() : request.target();
  return tenant == sms.tenant && name == its;
}

Book::Book(const std::string& file, Findings& findings)
    : file_(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)), findings_(findings) {}
Book::~Book() { close(file_); }

Sms* Book::Add(Sms sms) {
  const std::lock_guard lock(mutex_);
  all_.push_back(std::move(sms));
  open_.push_back(&all_.back());
  return &all_.back();
}

void Book::Change(const std::function<void()>& change) {
  const std::lock_guard lock(mutex_);
  change();
}

void Book::Acknowledged(Sms* sms, const v1::ScheduleResponse& answer) {
  const auto id = InstanceId::FromBytes(answer.id());
  if (!id.has_value()) return findings_.Add("an acknowledgement without an id");
  const std::lock_guard lock(mutex_);
  if (sms->must_be_blocked && answer.state() != v1::BLOCKED && !answer.duplicate()) {
    findings_.Add(id->ToString() + " was taken although its target is blocked", answer.id());
  }
  // Two clients may ask for it at once, and the answer that calls it known may be read before the one that calls it
  // new.
  if (!answer.duplicate() && sms->taken_as_new++ != 0) {
    findings_.Add(id->ToString() + " was acknowledged twice as new", answer.id());
  }
  if (sms->at_broker && !answer.duplicate()) {
    findings_.Add("the record of " + id->ToString() + " is at the broker, and its SMS was lost", answer.id());
  }
  if (!sms->id.empty()) {
    if (sms->id != answer.id()) {
      findings_.Add(id->ToString() + " is a second instance of the key of " + IdText(sms->id), answer.id());
    }
    return;
  }
  const std::string line = id->ToString() + " " + sms->tenant + " " + sms->request.idempotency_key() + "\n";
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || fdatasync(file_) != 0) {
    std::perror("the client's own record");
    std::exit(2);
  }
  sms->id = answer.id();
  if (sms->orders.front().told_ms == 0) sms->orders.front().told_ms = NowMs();
  open_.erase(std::remove(open_.begin(), open_.end(), sms), open_.end());
  acknowledged_.push_back(sms);
}

Stroke* Book::Begin(Stroke stroke) {
  const std::lock_guard lock(mutex_);
  stroke.asked_ms = NowMs();
  return &strokes_.emplace_back(std::move(stroke));
}

std::vector<Stroke> Book::Strokes() const {
  const std::lock_guard lock(mutex_);
  return {strokes_.begin(), strokes_.end()};
}

Sms* Book::AnyAcknowledged(std::uint64_t random) {
  const std::lock_guard lock(mutex_);
  return acknowledged_.empty() ? nullptr : acknowledged_[random % acknowledged_.size()];
}

Sms* Book::AnyOpen(std::uint64_t random) {
  const std::lock_guard lock(mutex_);
  if (open_.empty()) return nullptr;
  Sms* sms = open_[random % open_.size()];
  return sms->indefinite ? sms : nullptr;
}

std::vector<Sms*> Book::Open() {
  const std::lock_guard lock(mutex_);
  std::vector<Sms*> open;
  std::copy_if(open_.begin(), open_.end(), std::back_inserter(open), [](const Sms* sms) { return !sms->refused; });
  return open;
}

Sms* Book::Find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(acknowledged_.begin(), acknowledged_.end(), [&](const Sms* sms) { return sms->id == id; });
  return found == acknowledged_.end() ? nullptr : *found;
}

void Book::Forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(acknowledged_, [&](const Sms* sms) { return sms->id == id; });
}

std::vector<Sms> Book::Acknowledged() const {
  const std::lock_guard lock(mutex_);
  std::vector<Sms> all;
  for (const Sms* sms : acknowledged_) all.push_back(*sms);
  return all;
}

}  // namespace smsflow::crash
