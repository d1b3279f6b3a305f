// The journal of an SMS, for a person to read.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ids/ids.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/store.h"
#include "workflows/workflow.h"

namespace smsflow::sim {

// A line a record, in their order; empty: there is none.
std::string JournalOf(const storage::Store& store, const workflows::Workflow& workflow, const InstanceId& id);

// One of them. `fixed` is what the first said for good.
std::string Readable(const workflows::Workflow& workflow, const ::smsflow::stored::v1::JournalBody& body,
                     const std::string& fixed);

// The SMSes that these sentences name by their ids.
std::set<InstanceId> NamedIn(const std::vector<std::string>& sentences);

}  // namespace smsflow::sim
