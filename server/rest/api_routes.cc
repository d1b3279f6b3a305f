#include "server/rest/api_routes.h"

namespace smsflow::server::rest {

namespace {

constexpr char kScheduler[] = "smsflow.v1.Scheduler";
constexpr char kAdmin[] = "smsflow.v1.Admin";
constexpr char kIam[] = "smsflow.v1.Iam";

std::vector<ApiParameter> Paging(std::vector<ApiParameter> before = {}) {
  before.push_back({"page_size", "page_size"});
  before.push_back({"page_token", "page_token"});
  return before;
}

std::vector<ApiParameter> Filter() {
  return {{"batch", "filter.batch"},
          {"key", "filter.key"},
          {"target", "filter.target"},
          {"state", "filter.states"},
          {"created_from_ms", "filter.created_from_ms"},
          {"created_till_ms", "filter.created_till_ms"}};
}

}  // namespace

const std::vector<ApiRoute>& ApiRoutes() {
  using enum Method;
  static const auto* const routes = new std::vector<ApiRoute>{
      {kPost, "/api/v1/sms", kScheduler, "Schedule", "Schedule an SMS", true},
      {kPost, "/api/v1/sms/batch", kScheduler, "ScheduleBatch", "Schedule up to 1,000 SMSes, each by itself", true},
      {kGet, "/api/v1/sms", kScheduler, "List", "List SMSes, page by page", false, Paging(Filter())},
      {kGet, "/api/v1/sms/{id}", kScheduler, "Get", "Look at an SMS"},
      {kPost, "/api/v1/sms/{id}/reschedule", kScheduler, "Reschedule", "New slots or a new payload", true},
      {kPost, "/api/v1/sms/{id}/cancel", kScheduler, "Cancel", "Cancel an SMS"},
      {kPost, "/api/v1/sms/cancel", kScheduler, "Cancel", "Cancel by id, key, batch or target, or all", true},
      {kGet, "/api/v1/batches/{batch}", kScheduler, "BatchSummary", "Count a batch's SMSes by state"},
      {kGet, "/api/v1/events", kScheduler, "Watch", "Follow every transition", false, Filter(), true},
      {kGet, "/api/v1/blocked", kScheduler, "ListBlocked", "List blocked targets", false, Paging()},
      {kPut, "/api/v1/blocked/{target}", kScheduler, "Block", "Block a target"},
      {kDelete, "/api/v1/blocked/{target}", kScheduler, "Unblock", "Unblock a target"},

      {kGet, "/api/v1/sms/{id}/journal", kAdmin, "GetJournal", "Every transition of an SMS, and why"},
      {kGet, "/api/v1/sms/{id}/explanation", kAdmin, "Explain", "What an SMS waits for"},
      {kPost, "/api/v1/sms/{id}/resolve", kAdmin, "Resolve", "Settle an UNKNOWN", true},
      {kGet, "/api/v1/stats", kAdmin, "Stats", "The engine's figures"},
      {kPost, "/api/v1/pause", kAdmin, "Pause", "Let nothing leave", true},
      {kPost, "/api/v1/resume", kAdmin, "Resume", "End a pause", true},
      {kPost, "/api/v1/drain", kAdmin, "Drain", "Take nothing new, and wait for what is in flight", true},

      {kGet, "/api/v1/accounts", kIam, "ListAccounts", "List accounts", false, Paging()},
      {kPost, "/api/v1/accounts", kIam, "CreateAccount", "Make an account", true},
      {kGet, "/api/v1/accounts/{account}", kIam, "GetAccount", "Look at an account"},
      {kPatch, "/api/v1/accounts/{account}", kIam, "UpdateAccount", "Change what is given", true},
      {kPut, "/api/v1/accounts/{account}/password", kIam, "SetPassword", "Set a password", true},
      {kDelete, "/api/v1/accounts/{account}", kIam, "DeleteAccount", "Delete an account"},
      {kGet, "/api/v1/roles", kIam, "ListRoles", "Roles and who has them"},
      {kPut, "/api/v1/roles/{role}/members/{account}", kIam, "AddMember", "Give a role"},
      {kDelete, "/api/v1/roles/{role}/members/{account}", kIam, "RemoveMember", "Take a role"},
      {kGet, "/api/v1/clients", kIam, "ListClients", "Clients and who acts for them", false, Paging()},
      {kPost, "/api/v1/clients", kIam, "CreateClient", "Make a client", true},
      {kGet, "/api/v1/clients/{client}", kIam, "GetClient", "Look at a client"},
      {kDelete, "/api/v1/clients/{client}", kIam, "DeleteClient", "Delete a client"},
      {kPut, "/api/v1/clients/{client}/members/{account}", kIam, "AddMember", "Let an account act for a client"},
      {kDelete, "/api/v1/clients/{client}/members/{account}", kIam, "RemoveMember", "Let it no longer"},
      {kGet, "/api/v1/changes", kIam, "ListIamChanges", "Who changed which account", false, Paging()},
  };
  return *routes;
}

}  // namespace smsflow::server::rest
