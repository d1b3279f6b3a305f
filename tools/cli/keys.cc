#include "crypto/keys.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/jwks.h"
#include "crypto/old_envelope.h"
#include "crypto/vault.h"
#include "gateway/key_files.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/json_text.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {

namespace {

constexpr char kWhoever[] = "whoever";

struct NewFile {
  std::string name, path;  // `name` in JSON
  crypto::Secret contents;
  Access access;
};

crypto::Secret Text(std::string_view text) { return crypto::Secret(text); }

// What a key pair is written as, the private half first.
absl::StatusOr<std::vector<NewFile>> FilesOf(const crypto::PrivateKey& key, const Arguments& arguments) {
  std::vector<NewFile> files;
  if (arguments.p12) {
    const auto password = gateway::ReadPassword(arguments.key_password_file);
    if (!password.ok()) return password.status();
    auto store = crypto::WritePkcs12(key, arguments.alias, *password);
    if (!store.ok()) return store.status();
    files.push_back({"private_key", arguments.out + ".p12", *std::move(store), Access::kOwner});
  } else {
    files.push_back({"private_key", arguments.out + ".key.pem", key.ToPem(), Access::kOwner});
  }
  const crypto::PublicKey& open = key.public_key();
  files.push_back({"public_key", arguments.out + ".pub.pem", Text(open.ToPem()), Access::kEveryone});
  files.push_back({"jwk", arguments.out + ".jwk", Text(open.ToJwk() + "\n"), Access::kEveryone});
  if (arguments.p12 && arguments.rsa)
    files.push_back({"public_key_base64", arguments.out + ".pub64", Text(open.ToBase64Der()), Access::kEveryone});
  return files;
}

}  // namespace

Outcome RunKeygen(const Arguments& arguments, const Terminal& terminal) {
  const crypto::PrivateKey key =
      crypto::PrivateKey::Generate(arguments.rsa ? crypto::KeyKind::kRsa : crypto::KeyKind::kP256);
  const auto files = FilesOf(key, arguments);
  if (!files.ok()) return files.status();
  for (const NewFile& file : *files)
    if (auto status = WriteNewFile(file.path, file.contents.Reveal(), file.access); !status.ok()) return status;
  if (arguments.json) {
    terminal.out << "{\"kid\":" << JsonText(key.kid());
    for (const NewFile& file : *files) terminal.out << ",\"" << file.name << "\":" << JsonText(file.path);
    terminal.out << "}\n";
  } else if (terminal.out_is_terminal && !arguments.plain) {
    terminal.out << "kid  " << key.kid() << "\n"
                 << files->front().path << "  for the gateway alone: whoever has it reads every number and text\n"
                 << (*files)[1].path << "  for clients that seal, also as " << (*files)[2].path << "\n";
  } else {
    terminal.out << key.kid();
    for (const NewFile& file : *files) terminal.out << '\t' << file.path;
    terminal.out << "\n";
  }
  return kExitOk;
}

Outcome RunSeal(const Arguments& arguments, const Terminal& terminal) {
  const auto envelope = SealFromArguments(arguments, arguments.key, terminal);
  if (!envelope.ok()) return envelope.status();
  if (arguments.json)
    terminal.out << "{\"payload\":" << JsonText(*envelope) << "}\n";
  else
    terminal.out << *envelope << "\n";
  return kExitOk;
}

Outcome RunUnseal(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.tenant.empty() && !arguments.old_format)
    return absl::InvalidArgumentError("unseal: --tenant (or SMSFLOW_TENANT) is missing: the envelope is bound to it");
  auto keys = gateway::LoadKeys({arguments.private_key}, arguments.key_password_file);
  if (!keys.ok()) return keys.status();
  const auto envelope = ReadEnvelope(arguments.subject.empty() ? "-" : arguments.subject, terminal.in);
  if (!envelope.ok()) return envelope.status();
  crypto::Vault vault(arguments.old_format ? crypto::OldEnvelopes::kOpened : crypto::OldEnvelopes::kRefused);
  // Whoever has the file and says --old has decided whose it is.
  if (arguments.old_format)
    for (crypto::VaultKey& key : *keys) key.alias = kWhoever;
  vault.Replace(*std::move(keys));
  const bool old = arguments.old_format && crypto::LooksLikeOldEnvelope(*envelope);
  const auto opened = vault.Open(old ? kWhoever : arguments.tenant, arguments.key, *envelope);
  // Not "denied": no credential is missing, and the same text stands for every reason.
  if (opened.status().code() == absl::StatusCode::kPermissionDenied)
    return absl::FailedPreconditionError(absl::StrCat("unseal: ", opened.status().message()));
  if (!opened.ok()) return opened.status();
  const std::string_view plain = opened->plaintext.Reveal();
  if (arguments.json)
    terminal.out << "{\"text\":" << JsonText(plain) << "}\n";
  else
    terminal.out << plain << "\n";
  return kExitOk;
}

Outcome RunJwks(const Arguments& arguments, const Terminal& terminal) {
  std::vector<crypto::PublicKey> all;
  for (const std::string& file : arguments.key_files) {
    auto contents = ReadWholeFile(file);
    if (!contents.ok()) return contents.status();
    const bool is_private = contents->starts_with('0') || contents->find("PRIVATE KEY-----") != std::string::npos;
    if (is_private) {
      crypto::WipeString(*contents);
      const auto keys = gateway::LoadKeys({file}, arguments.key_password_file);
      if (!keys.ok()) return keys.status();
      for (const crypto::VaultKey& key : *keys) all.push_back(key.key.public_key());
      continue;
    }
    auto keys = crypto::ReadPublicKeys(*contents);
    if (!keys.ok()) return absl::InvalidArgumentError(absl::StrCat(file, ": ", keys.status().message()));
    for (crypto::PublicKey& key : *keys) all.push_back(std::move(key));
  }
  terminal.out << crypto::WriteJwks(all) << "\n";
  return kExitOk;
}

}  // namespace smsflow::cli
