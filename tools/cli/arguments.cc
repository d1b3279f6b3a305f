#include "tools/cli/arguments.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "tools/cli/arguments_parts.h"
#include "tools/cli/failure.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {
namespace {

constexpr char kFooter[] = R"(
To begin:
  export SMSFLOW_ADDRESS=127.0.0.1:7070 SMSFLOW_TOKEN=…
  smsflow doctor                                    is everything as it should be?
  smsflow schedule --at +0 --target T --payload-file FILE
  smsflow watch                                     every transition as it happens
  smsflow journal ID                                the whole life of one SMS
  smsflow why ID                                    what it is waiting for

On a terminal: tables, colours, local times. Into a pipe: one line an item, tabs between, UTC.
Exit codes: 0 fine · 1 the answer is no (differences, rows that failed) · 2 wrong use · 3 not found ·
            4 refused in this state · 5 server not reached or failed · 6 not allowed)";

void AddGlobals(CLI::App& app, Arguments& arguments) {
  auto& connection = arguments.connection;
  app.add_option("--address", connection.address, "Server, host:port or unix:/path")
      ->envname("SMSFLOW_ADDRESS")
      ->capture_default_str();
  app.add_option("--token", connection.token, "Credential; the environment is the better place for it")
      ->envname("SMSFLOW_TOKEN");
  app.add_option("--tenant", arguments.tenant, "Whose SMSes, where the credential is for several; and to seal for")
      ->envname("SMSFLOW_TENANT");
  app.add_option("--ca", connection.ca, "Certificates to trust, PEM; without it the system's")->envname("SMSFLOW_CA");
  app.add_option("--timeout", connection.timeout, "How long to wait for an answer: 10, 30s, 2m")->capture_default_str();
  app.add_flag("--json", arguments.json, "JSON: one document, or one object a line for streams");
  app.add_flag("--plain", arguments.plain, "Plain lines, also on a terminal");
}

struct Parser {
  Arguments arguments;
  CLI::App app{"smsflow: schedule SMSes, and see what became of each"};

  Parser() {
    app.name("smsflow");
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", "smsflow 0.1.0");
    app.get_formatter()->column_width(26);
    AddGlobals(app, arguments);
    app.footer(
        "Also: --address --token --tenant --ca --timeout --json --plain, as smsflow --help tells.");  // for the verbs
    AddSmsVerbs(app, arguments);
    AddOperatorVerbs(app, arguments);
    AddAccountVerbs(app, arguments);
    AddLocalVerbs(app, arguments);
    app.footer(kFooter);
  }
};

// CLI11 may put its hints on lines of their own; an error is one line here.
std::string OneLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// What was wrong, and where to read on.
// Names flags that do not exist, and never other words that were too many: one may be the text of an SMS.
std::string What(const std::vector<std::string>& words, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return OneLine(error.what());
  const std::string all = std::string(error.what()) + " ";
  std::string flags;
  for (const std::string& word : words)
    if (word.size() > 1 && word[0] == '-' && all.find(" " + word + " ") != std::string::npos)
      flags += " " + Visible(word.substr(0, word.find('=')));
  return flags.empty() ? "more words than the verb takes" : "The following argument was not expected:" + flags;
}

std::string Complaint(const Parser& parser, const std::vector<std::string>& words, const CLI::ParseError& error) {
  const auto verbs = parser.app.get_subcommands([](const CLI::App*) { return true; });
  for (const std::string& word : words)
    for (const CLI::App* verb : verbs)
      if (verb->get_name() == word) return What(words, error) + "; see smsflow " + word + " --help";
  const auto verb = std::find_if(words.begin(), words.end(), [](const std::string& word) { return word[0] != '-'; });
  if (verb == words.end()) return What(words, error) + "; see smsflow --help";
  return "there is no verb '" + Visible(*verb) + "'; see smsflow --help";
}

}  // namespace

CLI::App& AddVerb(CLI::App& app, Arguments& arguments, Verb verb, const char* group, const char* name,
                  const char* help) {
  CLI::App* const added = app.add_subcommand(name, help);
  added->group(group);
  added->fallthrough();
  added->parse_complete_callback([&arguments, verb] { arguments.verb = verb; });
  return *added;
}

ParsedArguments ParseArguments(const std::vector<std::string>& words) {
  const auto parser = std::make_unique<Parser>();
  ParsedArguments parsed;
  if (words.empty()) {
    parsed.exit_code = kExitUsage;
    parsed.text = parser->app.help();
    return parsed;
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    parser->app.parse(std::move(reversed));
    parsed.run = true;
    parsed.arguments = parser->arguments;
  } catch (const CLI::CallForHelp&) {
    parsed.text = parser->app.help();
  } catch (const CLI::CallForVersion& version) {
    parsed.text = OneLine(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = kExitUsage;
    parsed.text = Complaint(*parser, words, error);
  }
  return parsed;
}

std::vector<VerbDescription> DescribeVerbs() {
  const auto parser = std::make_unique<Parser>();
  std::vector<VerbDescription> verbs;
  const auto add_flags = [](const CLI::App& app, std::vector<std::string>& flags) {
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  };
  std::vector<std::string> globals;
  add_flags(parser->app, globals);
  globals.erase(std::remove(globals.begin(), globals.end(), "--version"), globals.end());
  for (const CLI::App* verb : parser->app.get_subcommands([](const CLI::App*) { return true; })) {
    VerbDescription description{verb->get_name(), verb->get_description(), {}};
    add_flags(*verb, description.flags);
    for (const std::string& global : globals)
      if (global != "--help") description.flags.push_back(global);
    verbs.push_back(std::move(description));
  }
  return verbs;
}

}  // namespace smsflow::cli
