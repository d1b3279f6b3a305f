// Every figure that smsflowd shows of itself, under one name with its unit and one sentence: for Prometheus and for
// `smsflow stats` alike.
//
// Plain functions; safe from any thread; reading the data folder's may touch the disk.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/figures.h"
#include "storage/data_folder.h"

namespace smsflow::server {

struct NamedFigure {
  std::string name;  // smsflow_…, ending in its unit or _total
  std::string help;
  double value = 0;
  bool counter = false;  // it only rises while the process lives
  std::vector<std::pair<std::string, std::string>> labels;
};
struct NamedHistogram {
  std::string name;
  std::string help;
  engine::Histogram histogram;
};

// `folder` may be null: then nothing of the disk is told.
std::vector<NamedFigure> ListFigures(const engine::Figures& figures, const storage::DataFolder* folder);
std::vector<NamedHistogram> ListHistograms(const engine::Figures& figures);

}  // namespace smsflow::server
