// What a process copies is not left on its stacks by the system's loader, when it looks a function up.
//
// As usual a function of a library is looked up at its first call, and the loader then saves all vector registers on
// that thread's stack: what the last copy of a text or a password left in them stays there, which nobody wipes, until
// the stack grows over it. In a quiet process that is for days.
#pragma once

#include <string>

namespace smsflow {

// To be called with main()'s `argv` before there is a second thread. Starts the program anew, in the same process, with
// LD_BIND_NOW=1 in its environment, so that the loader looks everything up before main(), and of libraries that are
// loaded later then; with that set it returns at once. Empty: all is bound. Otherwise why it could not be.
[[nodiscard]] std::string BindAtStart(char** argv);

}  // namespace smsflow
