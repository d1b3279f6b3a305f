#include "crypto/keys.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/json_text.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {

Outcome RunKeygen(const Arguments& arguments, const Terminal& terminal) {
  const crypto::PrivateKey key =
      crypto::PrivateKey::Generate(arguments.rsa ? crypto::KeyKind::kRsa : crypto::KeyKind::kP256);
  const std::string secret_path = arguments.out + ".key.pem", public_path = arguments.out + ".pub.pem",
                    jwk_path = arguments.out + ".jwk";
  for (const absl::Status& status : {WriteNewFile(secret_path, key.ToPem().Reveal(), Access::kOwner),
                                     WriteNewFile(public_path, key.public_key().ToPem(), Access::kEveryone),
                                     WriteNewFile(jwk_path, key.public_key().ToJwk() + "\n", Access::kEveryone)})
    if (!status.ok()) return status;
  if (arguments.json)
    terminal.out << "{\"kid\":" << JsonText(key.kid()) << ",\"private_key\":" << JsonText(secret_path)
                 << ",\"public_key\":" << JsonText(public_path) << ",\"jwk\":" << JsonText(jwk_path) << "}\n";
  else if (terminal.out_is_terminal && !arguments.plain)
    terminal.out << "kid  " << key.kid() << "\n"
                 << secret_path << "  for the gateway alone: whoever has it reads every number and text\n"
                 << public_path << "  for clients that seal, also as " << jwk_path << "\n";
  else
    terminal.out << key.kid() << '\t' << secret_path << '\t' << public_path << '\t' << jwk_path << "\n";
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
  if (arguments.tenant.empty())
    return absl::InvalidArgumentError("unseal: --tenant (or SMSFLOW_TENANT) is missing: the envelope is bound to it");
  auto pem = ReadWholeFile(arguments.private_key);
  if (!pem.ok()) return pem.status();
  const auto key = crypto::PrivateKey::FromPem(crypto::Secret::Take(*pem).Reveal());
  if (!key.ok()) return absl::InvalidArgumentError(absl::StrCat(arguments.private_key, ": ", key.status().message()));
  const auto envelope = ReadEnvelope(arguments.subject.empty() ? "-" : arguments.subject, terminal.in);
  if (!envelope.ok()) return envelope.status();
  const auto plain = crypto::OpenEnvelope(*key, crypto::EnvelopeSubject(arguments.tenant, arguments.key), *envelope);
  // Not "denied": no credential is missing, and the same text stands for every reason.
  if (plain.status().code() == absl::StatusCode::kPermissionDenied)
    return absl::FailedPreconditionError(absl::StrCat("unseal: ", plain.status().message()));
  if (!plain.ok()) return plain.status();
  if (arguments.json)
    terminal.out << "{\"text\":" << JsonText(plain->Reveal()) << "}\n";
  else
    terminal.out << plain->Reveal() << "\n";
  return kExitOk;
}

}  // namespace smsflow::cli
