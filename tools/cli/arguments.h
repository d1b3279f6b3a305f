// The command line as a value. CLI11 is seen in arguments*.cc alone; nothing else knows how flags are spelt.
//
// Pure but for SMSFLOW_ADDRESS, SMSFLOW_TOKEN, SMSFLOW_CA and SMSFLOW_TENANT, which stand in for flags that were not
// given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smsflow::cli {

enum class Verb {
  kNone,
  kSchedule,
  kGet,
  kList,
  kWatch,
  kSummary,
  kCancel,
  kReschedule,
  kBlock,
  kUnblock,
  kBlocked,
  kImport,
  kJournal,
  kWhy,
  kReplay,
  kVerify,
  kStats,
  kGraph,
  kDb,

  kResolve,
  kPause,
  kResume,
  kDrain,
  kKeygen,
  kSeal,
  kUnseal,
  kJwks,
  kDeadLetter,
  kDoctor,
  kCompletion,
  kAccount,
  kClient,
  kRole,
};

struct ConnectionArguments {
  std::string address = "127.0.0.1:7070";  // host:port or unix:/path
  std::string token;                       // a secret
  std::string ca;                          // PEM file; with it, or away from loopback, TLS
  std::string timeout = "10";              // a length of time
};

// What `schedule`, `reschedule`, `seal` and `import` seal a text with.
struct SealArguments {
  std::string to, sender, priority, text, text_file, pubkey;
  std::string kid;  // which key of a JWK Set; empty: the first
  bool any() const {
    for (const std::string* one : {&to, &sender, &priority, &text, &text_file, &pubkey})
      if (!one->empty()) return true;
    return false;
  }
};

struct FilterArguments {
  std::string batch, key, target;
  std::vector<std::string> states;
  std::string since, until;
};

struct Arguments {
  Verb verb = Verb::kNone;
  ConnectionArguments connection;
  bool json = false;
  bool plain = false;  // as if the output were no terminal

  std::string subject;  // the positional: id, batch, target, file, workflow or shell
  std::string tenant;   // whose SMSes; empty: the credential's only tenant

  // schedule, reschedule, import
  std::string batch, key, target, schedule, idempotency_key, key_id, payload_file;
  SealArguments seal;

  // import
  bool dry_run = false;
  std::string import_name, rejects;
  std::string dsn, report;  // import flowable; `dsn` is a secret: a password may stand in it
  bool accounts = false, take_locked = false, although_connected = false;

  // list, watch
  FilterArguments filter;
  bool csv = false;
  bool all = false;  // list: every page; cancel, replay, pause, resume: everything
  std::uint32_t limit = 100;
  std::string page;    // list: where the page before ended
  std::string resume;  // watch: where an earlier list or watch ended
  bool live = false;
  std::uint64_t expect = 0;  // watch --live: so many SMSes belong to it
  std::string for_time;      // watch: end after so long

  bool yes = false;                        // cancel --all
  std::string resolution;                  // resolve: delivered, retry or give-up
  std::string of_tenant, gateway, reason;  // pause, resume
  bool dot = false;                        // graph
  bool rsa = false, p12 = false;           // keygen
  std::string out, private_key;            // keygen, unseal
  std::string alias, key_password_file;    // keygen --p12; unseal and jwks: of what the private key is under
  bool old_format = false;                 // seal, unseal
  std::vector<std::string> key_files;      // jwks
  std::string data, index_key, kind;       // db
  bool names = false;                      // db dump
  std::string kafka, kafka_properties;     // doctor, dead-letter: brokers, and a file
  std::int32_t make_topics = 0;            // doctor: with so many partitions; 0: makes none
  std::string dead_letter_topic = "smsflow-dead-letter";
  std::vector<std::string> records;  // dead-letter requeue
  // account, client, role: what is done (`subject`), to whom, and what it gets
  std::string id, member, password_file;
  std::vector<std::string> full_name, email;  // none: as it is
  std::vector<std::string> roles, clients;
  bool no_roles = false, no_clients = false;
};

struct ParsedArguments {
  bool run = false;  // `arguments` are good; else print `text` and end
  int exit_code = 0;
  std::string text;  // help or version for stdout, or one line that says what is wrong, for stderr
  Arguments arguments;
};

// `words` without the program's name.
ParsedArguments ParseArguments(const std::vector<std::string>& words);

struct VerbDescription {
  std::string name, help;
  std::vector<std::string> flags;  // "--batch"
};
// What there is, in the order of the help: completion is made from it.
std::vector<VerbDescription> DescribeVerbs();

}  // namespace smsflow::cli
