// What a program says when the system gives it no memory or no thread, and nobody below had an answer to that.
#pragma once

namespace smsflow {

// From now on an exception that nobody catches and that says so, in any thread, is one line on standard error and the
// end of the process with `code`: no destructor runs, nothing is asked of the system but to write the line. Whatever
// else ends in std::terminate aborts as before. `program` is a literal. To be called once, before any thread is
// started.
void EndWhenStarved(const char* program, int code);

}  // namespace smsflow
