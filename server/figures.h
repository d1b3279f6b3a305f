// Every figure that smsflowd shows of itself, under one name with its unit and one sentence: for Prometheus and for
// `smsflow stats` alike.
//
// Plain functions; safe from any thread; reading the data folder's may touch the disk.
#pragma once

#include <vector>

#include "engine/figures.h"
#include "metrics/figures.h"
#include "storage/data_folder.h"

namespace smsflow::server {

using metrics::NamedFigure;
using metrics::NamedHistogram;

// `folder` may be null: then nothing of the disk is told.
std::vector<NamedFigure> ListFigures(const engine::Figures& figures, const storage::DataFolder* folder);
std::vector<NamedHistogram> ListHistograms(const engine::Figures& figures);

}  // namespace smsflow::server
