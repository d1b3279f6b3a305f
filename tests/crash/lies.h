// Lies told at the end of a run in which all held, each about another SMS: a run that finds nothing proves something
// only if it would have found these.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/book.h"
#include "tests/crash/findings.h"

namespace smsflow::crash {

struct ToldLie {
  std::string name;
  std::string id;       // whom it is about, 16 bytes; each finding must be about one of these
  std::string finding;  // a part of what must be said
};

// Changes the book, and adds lines to `truth_file`, a copy of the gateway's. Too few SMSes that fit: fewer lies.
std::vector<ToldLie> TellLies(Book& book, const std::string& truth_file);

// True when each was found by its own words, and nothing else was; says on standard output what was not.
bool AllFound(const std::vector<ToldLie>& lies, const std::vector<Finding>& findings);

}  // namespace smsflow::crash
