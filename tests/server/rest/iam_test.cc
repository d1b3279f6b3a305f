// /iam of the old contract, exchange by exchange as tests/wire/iam.txt has them, and who may log in at all.
#include "server/rest/iam.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "tests/server/rest/rest_site.h"

namespace smsflow::server::rest {
namespace {

const By kRoot{"root", true, {}};

// Accounts behind the door, each with its own name as password.
class IamSite {
 public:
  IamSite() {
    EXPECT_TRUE(accounts().MakeFirst([](const crypto::Secret&) {}).ok());
    SetPassword("admin");
    Make("gu", {"users"});
    Make("adm", {"admins"});
    Make("nobody", {});
  }

  Accounts& accounts() { return *rest.site.accounts; }
  void Make(const std::string& id, std::vector<std::string> roles) {
    Violations violations;
    AccountFields fields;
    fields.password = crypto::Secret(id);
    fields.roles = std::move(roles);
    EXPECT_TRUE(accounts().Create(kRoot, id, std::move(fields), violations).ok());
  }
  void SetPassword(const std::string& id) {
    Violations violations;
    AccountFields fields;
    fields.password = crypto::Secret(id);
    EXPECT_TRUE(accounts().Update(kRoot, id, std::move(fields), violations).ok());
  }

  Workers workers{1, 100};
  std::unique_ptr<Identity> identity;
  RestSite rest{{}, [this](RestParts& parts) {
                  identity = MakeAccountIdentity(*rest.site.accounts, *parts.identity);
                  parts.identity = identity.get();
                  parts.more = [this](Router& router, Workers&) {
                    AddAccountHandlers(*rest.site.accounts, router, workers);
                    AddGroupHandlers(*rest.site.accounts, router, workers);
                  };
                }};
};

// "> who METHOD path [type]", and further such lines are the body. Without a password it is the name.
std::string Play(IamSite& site, const std::vector<std::string>& asked) {
  std::istringstream words(asked.front());
  std::string who, method, path, type, body;
  words >> who >> method >> path >> type;
  for (std::size_t i = 1; i < asked.size(); ++i) body += (i > 1 ? "\n" : "") + asked[i];
  if (who == "-") {
    who.clear();
  } else if (who.find(':') == std::string::npos) {
    who += ":" + who;
  }
  const HttpAnswer answer = site.rest.Ask(method + " " + path, who, body, type);
  std::string text = "STATUS " + std::to_string(answer.status) + "\n";
  for (const char* name : {"accept", "allow", "content-type", "www-authenticate"})
    if (const auto it = answer.headers.find(name); it != answer.headers.end())
      text += it->first + ": " + it->second + "\n";
  std::string shown =
      std::regex_replace(answer.body, std::regex("\"timestamp\":\"[^\"]*\""), "\"timestamp\":\"<time>\"");
  shown = std::regex_replace(shown, std::regex("\"message\":\"[^\"]*\""), "\"message\":\"<text>\"");
  return text + (shown.empty() ? "" : shown + (shown.back() == '\n' ? "" : "\n"));
}

TEST(IamWire, EveryExchangeIsAsItStandsThere) {
  const std::string path = "tests/wire/iam.txt";
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  IamSite site;
  std::string all, played, line;
  std::vector<std::string> asked;
  const auto end = [&] {
    if (!asked.empty()) played += Play(site, asked) + "\n";
    asked.clear();
  };
  bool within_answer = false;
  while (std::getline(in, line)) {
    all += line + "\n";
    if (line.starts_with("### ") || (asked.empty() && line.starts_with("#"))) {
      end();
      within_answer = false;
      played += line + "\n";
    } else if (line.starts_with("> ")) {
      asked.push_back(line.substr(2));
      played += line + "\n";
    } else if (asked.empty() && !within_answer) {
      played += line + "\n";
    } else {
      within_answer = true;
    }
  }
  end();
  while (played.ends_with("\n\n")) played.pop_back();
  if (std::getenv("SMSFLOW_REWRITE") != nullptr) {
    std::ofstream(path, std::ios::trunc) << played;
  } else {
    EXPECT_EQ(all, played);
  }
}

// A key of the configuration that is named like an account is not that account.
TEST(IamIdentity, ACredentialOfTheConfigurationIsNoAccount) {
  IamSite site;
  site.rest.people.people["gu"] = {"token", {"users"}, {"acme"}};
  site.rest.people.version = 0;
  EXPECT_EQ(site.rest.Ask("GET /iam/accounts/gu", "gu:gu").status, 200);
  EXPECT_EQ(site.rest.Ask("GET /iam/check", "gu:token").status, 200);
  EXPECT_EQ(site.rest.Ask("GET /iam/accounts/gu", "gu:token").status, 403);
  EXPECT_EQ(ByOf({"gu", {"users"}, {}, 0, false}).account, "");
  EXPECT_EQ(ByOf({"gu", {"users"}, {}, 7, false}).account, "gu");
  EXPECT_FALSE(ByOf({"key", {"admins"}, {"acme"}, 0, false}).admin) << "one of some tenants only";
  EXPECT_TRUE(ByOf({"key", {"admins"}, {}, 0, true}).admin);
}

TEST(IamIdentity, AChangeCountsForTheNextRequest) {
  IamSite site;
  EXPECT_EQ(site.rest.Ask("GET /iam/check", "gu:gu").status, 200);
  EXPECT_EQ(site.rest.Ask("GET /iam/accounts", "gu:gu").status, 403);
  EXPECT_TRUE(site.accounts().AddMember(kRoot, "admins", "gu").ok());
  EXPECT_EQ(site.rest.Ask("GET /iam/accounts", "gu:gu").status, 200);
  EXPECT_TRUE(site.accounts().Delete(kRoot, "gu").ok());
  EXPECT_EQ(site.rest.Ask("GET /iam/check", "gu:gu").status, 401);
}

}  // namespace
}  // namespace smsflow::server::rest
