// One step while it is being decided: what the guards read and the actions write. Private to the machine.
#pragma once

#include <optional>

#include "workflows/delivery/delivery.h"
#include "workflows/delivery/retry.h"

namespace smsflow::workflows::delivery {

struct Moment {
  Moment(const Input& input, const AnyEvent& happened, StepResult& result) : in(input), event(happened), out(result) {}

  const Input& in;
  const AnyEvent& event;
  StepResult& out;  // out.data already holds what a report has raised

  // The slots and lane that hold after this step.
  const Fixed& fixed() const {
    if (const auto* schedule = std::get_if<Schedule>(&event)) return schedule->fixed;
    return out.fixed ? *out.fixed : in.fixed;
  }
  // When the next attempt could leave; worked out once, for guards and action alike.
  const std::optional<Plan>& next() {
    if (!planned_) next_ = NextAttempt(fixed().slots, out.data, in.policy, in.now_ms, in.random);
    planned_ = true;
    return next_;
  }
  void set_next(std::optional<Plan> plan) {
    next_ = plan;
    planned_ = true;
  }

 private:
  bool planned_ = false;
  std::optional<Plan> next_;
};

}  // namespace smsflow::workflows::delivery
