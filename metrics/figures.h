// What a program shows of itself: every figure under one name, with its unit and one sentence. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/figures.h"

namespace smsflow::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct NamedFigure {
  std::string name;  // smsflow_…, ending in its unit or _total
  std::string help;
  double value = 0;
  bool counter = false;  // it only rises while the process lives
  Labels labels;
};
struct NamedHistogram {
  std::string name;
  std::string help;
  engine::Histogram histogram;
};

struct Figures {
  std::vector<NamedFigure> figures;
  std::vector<NamedHistogram> histograms;

  void Count(std::string name, std::string help, std::uint64_t value, Labels labels = {}) {
    figures.push_back({std::move(name), std::move(help), static_cast<double>(value), true, std::move(labels)});
  }
  void Gauge(std::string name, std::string help, double value, Labels labels = {}) {
    figures.push_back({std::move(name), std::move(help), value, false, std::move(labels)});
  }
};

}  // namespace smsflow::metrics
