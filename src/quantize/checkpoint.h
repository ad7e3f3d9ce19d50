// How far a calibration has come, for a run that goes on where another was killed: kept beside the new file after every
// layer, whose matrices lie in the unfinished file. It says what they are, as that may have become another file since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/load/model_parts.h"
#include "lfm/result.h"
#include "quantize/prepare.h"

namespace lfm::quantize {

class CheckpointFile {
 public:
  struct State {
    std::size_t layers = 0;                   // that are done
    std::uint64_t written = 0;                // checksum of their matrices in the unfinished file
    Prepared prepared;
    std::vector<std::vector<float>> streams;  // hidden states behind those layers; none before the first
  };

  // `key` tells the model, its files and all options; empty `out`: nothing is kept.
  CheckpointFile(const std::string& out, std::uint64_t key);

  // Of the same key and undamaged, or nothing; and nothing where what it says can't be of that model.
  std::optional<State> load(const engine::ModelParts& parts) const;
  // The unfinished file has to be synced before.
  Status save(const State& state) const;
  bool kept() const noexcept { return !path_.empty(); }
  void remove() const noexcept;

 private:
  std::string path_;
  std::uint64_t key_;
};

}  // namespace lfm::quantize
