// Between the messages of `Gateway.Attach` and plain values, both ways. Pure. What cannot be read (an attempt id that
// is none) is left out: the engine asks again, and nothing is ever submitted under an id that was not understood.
#pragma once

#include <span>
#include <vector>

#include "engine/bus.h"
#include "gateway/link.h"
#include "smsflow/v1/gateway.pb.h"

namespace smsflow::gateway {

v1::Hello HelloOf(const engine::PeerHello& hello);
// The tag of a report is its result, so that the answer says what was answered.
v1::Reports ReportsOf(std::span<const Report> reports);
std::vector<Lease> LeasesOf(const v1::Leases& leases);
std::vector<engine::Probe> ProbesOf(const v1::Probes& probes);
std::vector<Answer> AnswersOf(const v1::ReportAnswers& answers);

}  // namespace smsflow::gateway
