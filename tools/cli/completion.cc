#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/failure.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

constexpr char kStates[] = "PENDING IN_SLOT SENT DELIVERED EXPIRED CANCELED BLOCKED INVALID UNCONFIRMED UNKNOWN";
constexpr char kFileFlags[] =
    "--payload-file|--text-file|--pubkey|--private-key|--ca|--data|--index-key|--rejects|--report|--password-file";

std::string Bash() {
  std::string names, cases;
  for (const VerbDescription& verb : DescribeVerbs()) {
    absl::StrAppend(&names, names.empty() ? "" : " ", verb.name);
    absl::StrAppend(&cases, "    ", verb.name, ") words=\"", absl::StrJoin(verb.flags, " "), "\" ;;\n");
  }
  return absl::StrCat(R"sh(# smsflow completion for bash; put into your ~/.bashrc:  eval "$(smsflow completion bash)"
_smsflow() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= words= i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case " )sh",
                      names, R"sh( " in *" ${COMP_WORDS[i]} "*) verb=${COMP_WORDS[i]}; break ;; esac
  done
  case $before in
    )sh",
                      kFileFlags, R"sh() mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --state) mapfile -t COMPREPLY < <(compgen -W ")sh",
                      kStates, R"sh(" -- "$word"); return ;;
  esac
  case $verb in
    '') words=")sh",
                      names, R"sh( --help --version" ;;
)sh",
                      cases, R"sh(  esac
  case $verb in
    completion) words="bash zsh" ;;
    graph) words+=" delivery" ;;
    db) words+=" verify stats dump" ;;
    account) words+=" list show create update password delete changes" ;;
    client | tenant) words+=" list show create delete add remove" ;;
    role) words+=" list show add remove" ;;
    resolve) words+=" delivered retry give-up" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  case $verb in import | unseal | keygen) [[ $word == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word") ;; esac
}
complete -o filenames -F _smsflow smsflow
)sh");
}

// zsh takes a verb and its help as 'name:help'.
std::string ZshQuoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') out += "'\\'";
    if (c == ':') out += '\\';
    out += c;
  }
  return out;
}

std::string Zsh() {
  std::string verbs, cases;
  for (const VerbDescription& verb : DescribeVerbs()) {
    absl::StrAppend(&verbs, "    '", verb.name, ":", ZshQuoted(verb.help), "'\n");
    absl::StrAppend(&cases, "    ", verb.name, ") compadd -- ", absl::StrJoin(verb.flags, " "), " ;;\n");
  }
  return absl::StrCat(R"sh(#compdef smsflow
# smsflow completion for zsh; put into your ~/.zshrc, after compinit:  eval "$(smsflow completion zsh)"
_smsflow() {
  local -a verbs
  verbs=(
)sh",
                      verbs, R"sh(  )
  if (( CURRENT == 2 )); then _describe verb verbs; return; fi
  case $words[CURRENT-1] in
    )sh",
                      kFileFlags, R"sh() _files; return ;;
    --state) compadd )sh",
                      kStates, R"sh(; return ;;
  esac
  case $words[2] in
    completion) compadd bash zsh ;;
    graph) compadd delivery ;;
    db) compadd verify stats dump ;;
    account) compadd list show create update password delete changes ;;
    client|tenant) compadd list show create delete add remove ;;
    role) compadd list show add remove ;;
    resolve) compadd delivered retry give-up ;;
    import|unseal|keygen) [[ $words[CURRENT] == -* ]] || _files ;;
  esac
  case $words[2] in
)sh",
                      cases, R"sh(  esac
}
compdef _smsflow smsflow
)sh");
}

}  // namespace

Outcome RunCompletion(const Arguments& arguments, const Terminal& terminal) {
  terminal.out << (arguments.subject == "zsh" ? Zsh() : Bash());
  return kExitOk;
}

}  // namespace smsflow::cli
