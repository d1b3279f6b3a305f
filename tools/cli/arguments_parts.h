// How the pieces of the command line fit together: internal to arguments*.cc.
#pragma once

#include "tools/cli/arguments.h"

namespace CLI {
class App;
}

namespace smsflow::cli {

// Each adds its verbs to `app` and lets them write into `arguments`, which must outlive `app`.
void AddSmsVerbs(CLI::App& app, Arguments& arguments);
void AddOperatorVerbs(CLI::App& app, Arguments& arguments);
void AddAccountVerbs(CLI::App& app, Arguments& arguments);
void AddLocalVerbs(CLI::App& app, Arguments& arguments);

// A verb under one of the help's headings; choosing it sets Arguments::verb.
CLI::App& AddVerb(CLI::App& app, Arguments& arguments, Verb verb, const char* group, const char* name,
                  const char* help);

inline constexpr char kGroupSms[] = "SMSes";
inline constexpr char kGroupLook[] = "What happened, and why";
inline constexpr char kGroupOperate[] = "Operating";
inline constexpr char kGroupAccounts[] = "Who may log in";
inline constexpr char kGroupLocal[] = "Keys and tools";

}  // namespace smsflow::cli
