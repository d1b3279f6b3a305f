// What a person needs to understand a finding: what the client asked and was told, what left, and the journal.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/crash/answers.h"
#include "tests/crash/book.h"
#include "tests/crash/findings.h"

namespace smsflow::crash {

// Every finding, and after it the tale of the SMS that it is about, or that its words name; each SMS's once, of at most
// `tales` of them.
void TellFindings(const std::vector<Finding>& findings, const Book& book, const std::string& truth_file,
                  Answers& answers, std::size_t tales, std::ostream& out);

}  // namespace smsflow::crash
