// Which of a process's calls fails next: each call with each error at each number, once before any comes again. They
// come well mixed, so that a part of them is a fair part. Used from one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <utility>

namespace smsflow::crash {

struct CallOrder {
  std::string call, error;
  unsigned number = 1;

  std::string text() const { return call + ":" + error + ":" + std::to_string(number); }
  std::string what() const { return "n-th " + call + " with " + error; }
};

class CallOrders {
 public:
  static constexpr unsigned kMost = 200;
  static constexpr std::array<std::pair<const char*, const char*>, 9> kPairs{{{"fdatasync", "EIO"},
                                                                              {"fdatasync", "ENOSPC"},
                                                                              {"write", "EIO"},
                                                                              {"write", "ENOSPC"},
                                                                              {"write", "short"},
                                                                              {"open", "EIO"},
                                                                              {"open", "ENOSPC"},
                                                                              {"rename", "EIO"},
                                                                              {"rename", "ENOSPC"}}};
  static constexpr std::uint64_t kAll = kPairs.size() * kMost;

  // `record`: a file with a line for each order that was given, to which more are added: a run with the same file goes
  // on where the last one ended. Empty: none, and they begin at `from`.
  CallOrders(std::string record, std::uint64_t from);

  // Syncs and writes are made at any number in any life that is long enough; a life has a few renames, and some opens.
  // Of these what is beyond the lowest number that did not come in this run is passed over, and so noted.
  CallOrder Next();
  void Note(const CallOrder& order, bool came);
  // Whether so few of the syncs and writes of this run came true that they cannot have been ordered at all.
  bool TooFewCame() const { return often_ >= 6 && often_came_ * 3 < often_; }
  // Of each call and error: how many numbers came true, did not, and were passed over; with the record's.
  void Print(std::ostream& out) const;

 private:
  enum class Fate { kCame, kDidNot, kPassedOver };
  static CallOrder At(std::uint64_t place);
  void Keep(const CallOrder& order, Fate fate);
  void Count(const std::string& order, Fate fate);

  const std::string record_;
  std::uint64_t place_;
  std::map<std::string, Fate> fates_;       // by order; that it came is never forgotten
  std::map<std::string, unsigned> beyond_;  // by call, the lowest number that did not come
  int often_ = 0, often_came_ = 0;
};

}  // namespace smsflow::crash
