// The OpenAPI 3.1 document, from the table of routes and the descriptors of the messages: what it says of a field is
// what api_json.cc reads and writes.
#include <google/protobuf/descriptor.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/rest/api_json.h"
#include "server/rest/api_routes.h"

namespace smsflow::server::rest {

namespace {

namespace json = boost::json;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

json::object Reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

// Nested ones get the outer one's name in front.
std::string NameOf(const Descriptor& type) {
  return type.containing_type() == nullptr ? type.name() : NameOf(*type.containing_type()) + type.name();
}

class Document {
 public:
  explicit Document(std::string_view version) : version_(version) {}

  std::string Make() {
    json::object paths;
    paths["/api/v1/openapi.json"] = {
        {"get",
         {{"operationId", "getOpenapi"},
          {"summary", "This document"},
          {"responses",
           {{"200",
             {{"description", "OpenAPI 3.1"}, {"content", {{"application/json", {{"schema", json::object()}}}}}}},
            {"default", Problem()}}}}}};
    for (const ApiRoute& route : ApiRoutes()) {
      json::value& path = paths.emplace(route.path, json::object()).first->value();
      path.as_object()[absl::AsciiStrToLower(std::string(rest::NameOf(route.method)))] = Operation(route);
    }
    AddProblem();
    json::object document{
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "smsflow"},
          {"version", version_},
          {"description",
           "SMSes of a tenant: schedule, look up, cancel, block, follow; and what administrators do. Times are Unix "
           "milliseconds in UTC."}}},
        {"servers", json::array{json::object{{"url", "/"}}}},
        {"security", json::array{json::object{{"basic", json::array()}}, json::object{{"bearer", json::array()}}}},
        {"paths", std::move(paths)},
        {"components",
         {{"schemas", std::move(schemas_)},
          {"securitySchemes",
           {{"basic", {{"type", "http"}, {"scheme", "basic"}}},
            {"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
    return json::serialize(document);
  }

 private:
  json::object Operation(const ApiRoute& route) {
    const auto* method = google::protobuf::DescriptorPool::generated_pool()
                             ->FindServiceByName(route.service)
                             ->FindMethodByName(route.verb);
    const Descriptor& takes = *method->input_type();
    json::array parameters;
    std::set<std::string> in_path;
    std::string id = absl::AsciiStrToLower(std::string(rest::NameOf(route.method)));
    for (const std::string_view part : Split(std::string_view(route.path).substr(8), '/')) {
      std::string word(part);
      if (part.starts_with('{')) {
        word = std::string(part.substr(1, part.size() - 2));
        in_path.insert(word);
        parameters.push_back(Parameter("path", word, *FieldAt(takes, word)));
        id += "By";
      }
      if (word.empty()) continue;
      word[0] = absl::ascii_toupper(static_cast<unsigned char>(word[0]));
      id += word;
    }
    for (const ApiParameter& one : route.query)
      parameters.push_back(Parameter("query", one.name, *FieldAt(takes, one.field)));
    AddHeaders(route, parameters);
    json::object operation{
        {"operationId", id}, {"summary", route.summary}, {"description", absl::StrCat(route.service, "/", route.verb)}};
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (route.has_body) {
      json::object schema = in_path.empty() ? Reference(Add(takes)) : SchemaOf(takes, in_path);
      operation["requestBody"] = {{"required", true},
                                  {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
    }
    json::object good{{"description", route.is_stream ? "Each `transitions` event is one of these; its id is the token"
                                                      : "Done, and durable where it changes something"}};
    good["content"] = {{route.is_stream ? "text/event-stream" : "application/json",
                        {{"schema", Reference(Add(*method->output_type()))}}}};
    operation["responses"] = {{"200", std::move(good)}, {"default", Problem()}};
    return operation;
  }

  static void AddHeaders(const ApiRoute& route, json::array& parameters) {
    const auto add = [&](const char* name, const char* description) {
      parameters.push_back(json::object{
          {"name", name}, {"in", "header"}, {"description", description}, {"schema", {{"type", "string"}}}});
    };
    const std::string_view verb = route.verb;
    if (std::string_view(route.service).ends_with("Scheduler"))
      add("Smsflow-Tenant", "Whose SMSes, where the credential is for several tenants");
    if (verb == "Schedule") add("Idempotency-Key", "The same key and content again: the first answer again");
    if (verb == "Watch") add("Last-Event-ID", "Goes on behind this event; or the watch_token of a list");
  }

  json::object Parameter(const char* in, const std::string& name, const FieldDescriptor& field) {
    json::object parameter{{"name", name}, {"in", in}, {"schema", TypeOf(field)}};
    if (std::string_view(in) == "path") parameter["required"] = true;
    return parameter;
  }

  json::object One(const FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Reference(Add(*field.message_type()));
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto& type = *field.enum_type();
        json::array names;
        for (int i = 0; i < type.value_count(); ++i) names.push_back(json::string(type.value(i)->name()));
        const std::string name =
            type.containing_type() == nullptr ? type.name() : NameOf(*type.containing_type()) + type.name();
        schemas_[name] = {{"type", "string"}, {"enum", std::move(names)}};
        return Reference(name);
      }
      case FieldDescriptor::CPPTYPE_STRING:
        if (IsId(field)) return {{"type", "string"}, {"format", "uuid"}};
        if (field.type() == FieldDescriptor::TYPE_BYTES) return {{"type", "string"}, {"contentEncoding", "base64"}};
        return {{"type", "string"}};
      case FieldDescriptor::CPPTYPE_BOOL:
        return {{"type", "boolean"}};
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        return {{"type", json::array{"number", "null"}}};
      case FieldDescriptor::CPPTYPE_UINT32:
        return {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}, {"maximum", UINT32_MAX}};
      case FieldDescriptor::CPPTYPE_UINT64:
        return {{"type", "integer"}, {"minimum", 0}};
      case FieldDescriptor::CPPTYPE_INT32:
        return {{"type", "integer"}, {"format", "int32"}};
      case FieldDescriptor::CPPTYPE_INT64:
        return {{"type", "integer"}, {"format", "int64"}};
    }
    return {};
  }
  json::object TypeOf(const FieldDescriptor& field) {
    if (!field.is_repeated()) return One(field);
    return {{"type", "array"}, {"items", One(field)}};
  }

  json::object SchemaOf(const Descriptor& type, const std::set<std::string>& without = {}) {
    json::object properties;
    for (int i = 0; i < type.field_count(); ++i)
      if (!without.contains(type.field(i)->name())) properties[type.field(i)->name()] = TypeOf(*type.field(i));
    return {{"type", "object"}, {"properties", std::move(properties)}};
  }
  // Its name.
  std::string Add(const Descriptor& type) {
    const std::string name = NameOf(type);
    if (!schemas_.contains(name)) {
      schemas_[name] = json::object();  // one that holds itself ends here
      schemas_[name] = SchemaOf(type);
    }
    return name;
  }

  void AddProblem() {
    schemas_["Problem"] = {
        {"type", "object"},
        {"description", "RFC 9457"},
        {"required", json::array{"type", "title", "status", "detail", "code"}},
        {"properties",
         {{"type", {{"type", "string"}}},
          {"title", {{"type", "string"}}},
          {"status", {{"type", "integer"}}},
          {"detail", {{"type", "string"}}},
          {"code", {{"type", "string"}, {"description", "The canonical code, as over gRPC"}}},
          {"violations",
           {{"type", "array"},
            {"items",
             {{"type", "object"},
              {"properties", {{"field", {{"type", "string"}}}, {"description", {{"type", "string"}}}}}}}}}}}};
  }
  static json::object Problem() {
    return {{"description", "What is wrong"},
            {"content", {{"application/problem+json", {{"schema", Reference("Problem")}}}}}};
  }

  const std::string version_;
  json::object schemas_;
};

}  // namespace

std::string MakeOpenApi(std::string_view version) { return Document(version).Make(); }

}  // namespace smsflow::server::rest
