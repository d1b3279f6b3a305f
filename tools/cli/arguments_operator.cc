#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include "tools/cli/arguments_parts.h"

namespace smsflow::cli {
namespace {

void AddLooking(CLI::App& app, Arguments& arguments) {
  CLI::App& journal = AddVerb(app, arguments, Verb::kJournal, kGroupLook, "journal",
                              "Every transition of one SMS: when, what, which attempt, why, who");
  journal.add_option("id", arguments.subject, "The SMS")->required();
  journal.add_flag("--all", arguments.all, "Nothing folded: also every question and answer that changed nothing");
  AddVerb(app, arguments, Verb::kWhy, kGroupLook, "why", "What one SMS waits for, and until when")
      .add_option("id", arguments.subject, "The SMS")
      ->required();
  CLI::App& replay = AddVerb(app, arguments, Verb::kReplay, kGroupLook, "replay",
                             "Decide a life anew with today's code; exit code 1 on a difference");
  auto* const id = replay.add_option("id", arguments.subject, "One SMS");
  replay.add_flag("--all", arguments.all, "Every SMS there is")->excludes(id);
  AddVerb(app, arguments, Verb::kVerify, kGroupLook, "verify",
          "Check journal, hash chains and stored state; exit code 1 on a violation");
  AddVerb(app, arguments, Verb::kStats, kGroupLook, "stats", "The engine's figures");
  CLI::App& graph = AddVerb(app, arguments, Verb::kGraph, kGroupLook, "graph", "A workflow's transitions as Mermaid");
  graph.add_option("workflow", arguments.subject, "delivery")->required();
  graph.add_flag("--dot", arguments.dot, "As DOT, for Graphviz");
}

void AddScope(CLI::App& app, Arguments& arguments) {
  app.add_flag("--all", arguments.all, "Everything");
  app.add_option("--tenant", arguments.of_tenant, "Of one tenant");
  app.add_option("--batch", arguments.batch, "Of one batch; with --tenant");
  app.add_option("--gateway", arguments.gateway, "For one gateway");
}

void AddOperating(CLI::App& app, Arguments& arguments) {
  CLI::App& resolve = AddVerb(app, arguments, Verb::kResolve, kGroupOperate, "resolve",
                              "Settle an UNKNOWN by what you know: delivered, retry, give-up");
  resolve.add_option("id", arguments.subject, "The SMS")->required();
  resolve.add_option("how", arguments.resolution, "delivered, retry or give-up")
      ->required()
      ->check(CLI::IsMember({"delivered", "retry", "give-up"}));

  CLI::App& pause =
      AddVerb(app, arguments, Verb::kPause, kGroupOperate, "pause", "Nothing leaves until resume; slots go on passing");
  AddScope(pause, arguments);
  pause.add_option("--reason", arguments.reason, "For the journal, and for whoever asks why");
  AddScope(AddVerb(app, arguments, Verb::kResume, kGroupOperate, "resume", "End a pause"), arguments);
  AddVerb(
      app, arguments, Verb::kDrain, kGroupOperate, "drain",
      "Before a restart: take nothing new, let nothing leave, wait for what is in flight. Only the restart ends it");
}

void AddKeygen(CLI::App& app, Arguments& arguments) {
  CLI::App& keygen = AddVerb(app, arguments, Verb::kKeygen, kGroupLocal, "keygen",
                             "A gateway's key pair: NAME.key.pem or NAME.p12 (keep it secret), NAME.pub.pem, NAME.jwk");
  keygen.add_option("name", arguments.out, "Where to; a path without ending")->required();
  keygen.add_flag("--rsa", arguments.rsa, "RSA of 3,072 bits instead of P-256: 17 times slower to open");
  CLI::Option* const p12 = keygen.add_flag(
      "--p12", arguments.p12, "The private key as a PKCS#12 store; with --rsa also NAME.pub64, for the old clients");
  CLI::Option* const alias =
      keygen.add_option("--alias", arguments.alias, "Its name in the store; for the old format the tenant")->needs(p12);
  CLI::Option* const password =
      keygen.add_option("--password-file", arguments.key_password_file, "The store's password, in its first line")
          ->type_name("FILE")
          ->needs(p12);
  p12->needs(alias, password);
}

void AddDb(CLI::App& app, Arguments& arguments) {
  CLI::App& db =
      AddVerb(app, arguments, Verb::kDb, kGroupLocal, "db",
              "Look into a data folder that nobody has open: verify (exit code 1 on a violation), stats, dump, repair");
  db.add_option("what", arguments.subject, "verify, stats, dump or repair")
      ->required()
      ->check(CLI::IsMember({"verify", "stats", "dump", "repair"}));
  db.add_option("--data", arguments.data, "The data folder")->type_name("DIR")->required();
  db.add_option("--index-key", arguments.index_key, "Its index key, where it is not DIR.key")->type_name("FILE");
  db.add_option("--to", arguments.out, "repair: a new folder for the copy that is mended")->type_name("COPY");
  db.add_option("--kind", arguments.kind, "dump: only rows of this kind, a letter of docs/disk-format.md")
      ->check(CLI::IsMember(
          {"h", "s", "j", "a", "t", "r", "o", "l", "L", "f", "w", "k", "i", "m", "d", "p", "P", "M", "u", "g", "A"}));
  db.add_flag("--names", arguments.names, "dump: also tenants, targets, batches, keys and accounts");
}

void AddDeadLetter(CLI::App& app, Arguments& arguments) {
  CLI::App& dead = AddVerb(app, arguments, Verb::kDeadLetter, kGroupLocal, "dead-letter",
                           "What could not be taken from Kafka: list, with its reason, or requeue it to its topic");
  dead.add_option("what", arguments.subject, "list or requeue")->required()->check(CLI::IsMember({"list", "requeue"}));
  dead.add_option("record", arguments.records, "requeue: TOPIC/PARTITION/OFFSET, as list shows it");
  dead.add_flag("--all", arguments.all, "requeue: every one that stands there");
  dead.add_option("--kafka", arguments.kafka, "The brokers")->type_name("HOST:PORT,…")->required();
  dead.add_option("--topic", arguments.dead_letter_topic, "Of the dead letters")->capture_default_str();
  dead.add_option("--kafka-properties", arguments.kafka_properties,
                  "Properties of librdkafka from a file, NAME=VALUE on a line: TLS, SASL")
      ->type_name("FILE");
}

void AddEnvelopes(CLI::App& app, Arguments& arguments) {
  CLI::App& seal =
      AddVerb(app, arguments, Verb::kSeal, kGroupLocal, "seal", "Seal number and text for a gateway's key");
  seal.add_option("--pubkey", arguments.seal.pubkey, "The gateway's public key: PEM, JWK, JWK Set or DER in base64")
      ->type_name("FILE")
      ->required();
  seal.add_option("--kid", arguments.seal.kid, "Which key of a JWK Set; the first when left out");
  seal.add_flag("--old", arguments.old_format,
                "In the old gateway's format, which binds it to no SMS and nobody can prove");
  seal.add_option("--key", arguments.key, "The key it will be scheduled with; may be none");
  seal.add_option("--to", arguments.seal.to, "The number, +255…")->required();
  seal.add_option("--sender", arguments.seal.sender, "The sender's name or number");
  seal.add_option("--priority", arguments.seal.priority, "code, transactional or bulk; what leaves a gateway first");
  seal.add_option("--text", arguments.seal.text, "The text");
  seal.add_option("--text-file", arguments.seal.text_file, "The text from a file; - for stdin")->type_name("FILE");

  CLI::App& unseal =
      AddVerb(app, arguments, Verb::kUnseal, kGroupLocal, "unseal", "Open an envelope, as its gateway would");
  unseal.add_option("file", arguments.subject, "The envelope; - for stdin")->capture_default_str();
  unseal.add_option("--private-key", arguments.private_key, "The gateway's private keys, PEM or PKCS#12")
      ->type_name("FILE")
      ->required();
  unseal.add_option("--password-file", arguments.key_password_file, "Their password, in its first line")
      ->type_name("FILE");
  unseal.add_flag("--old", arguments.old_format, "Open the old gateway's format too, which anybody can have changed");
  unseal.add_option("--key", arguments.key, "The key it was scheduled with; may be none");
}

void AddJwks(CLI::App& app, Arguments& arguments) {
  CLI::App& jwks = AddVerb(app, arguments, Verb::kJwks, kGroupLocal, "jwks",
                           "The JWK Set to publish: clients seal for its first key; the others may stand in it too");
  jwks.add_option("file", arguments.key_files, "Public or private keys, in the order that they shall have")
      ->type_name("FILE")
      ->required();
  jwks.add_option("--password-file", arguments.key_password_file, "The password of PKCS#12 stores, in its first line")
      ->type_name("FILE");
}

void AddDoctor(CLI::App& app, Arguments& arguments) {
  CLI::App& doctor =
      AddVerb(app, arguments, Verb::kDoctor, kGroupLocal, "doctor", "Is everything set, reachable and allowed?");
  doctor.add_option("--kafka", arguments.kafka, "Look at these brokers and their topics too: host:port,host:port")
      ->envname("SMSFLOW_KAFKA")
      ->type_name("SERVERS");
  doctor
      .add_option("--kafka-properties", arguments.kafka_properties,
                  "Properties of librdkafka from a file, NAME=VALUE on a line: TLS, SASL")
      ->type_name("FILE");
  doctor
      .add_option("--make-topics", arguments.make_topics, "Make the topics that are missing, with so many partitions")
      ->check(CLI::Range(1, 4096))
      ->type_name("PARTITIONS");
}

}  // namespace

void AddOperatorVerbs(CLI::App& app, Arguments& arguments) {
  AddLooking(app, arguments);
  AddOperating(app, arguments);
}

void AddLocalVerbs(CLI::App& app, Arguments& arguments) {
  AddKeygen(app, arguments);
  AddDb(app, arguments);
  AddDeadLetter(app, arguments);
  AddEnvelopes(app, arguments);
  AddJwks(app, arguments);
  AddDoctor(app, arguments);
  AddVerb(app, arguments, Verb::kCompletion, kGroupLocal, "completion", "Completion for your shell: bash or zsh")
      .add_option("shell", arguments.subject, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
}

}  // namespace smsflow::cli
