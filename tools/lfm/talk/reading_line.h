// How far a prompt is read, until the answer begins.
#pragma once

#include <chrono>
#include <optional>

#include "lfm/types.h"
#include "model_options.h"
#include "progress_line.h"

namespace lfm::cli {

// A line on standard error; prompts that are soon read have none.
class ReadingLine {
 public:
  ProgressCallback progress() {
    return [this](std::uint64_t done, std::uint64_t all) {
      if (line_) line_->show(part_of(done, all), "reading");
      return true;
    };
  }
  void end() { line_.reset(); }

 private:
  std::optional<ProgressLine> line_{std::in_place, std::chrono::milliseconds(700)};
};

}  // namespace lfm::cli
