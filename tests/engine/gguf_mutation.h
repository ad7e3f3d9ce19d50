// Systematic damage to a GGUF file, down to the network that runs on it. tests/model/mutation.h has more of it, of all
// that comes before the weights.
#pragma once

#include <cstring>

#include "engine/open_cleanly.h"
#include "support/temp_folder.h"

namespace lfm::test {

// Replaces every `stride`-th number in turn. Returns how many files that were.
inline std::size_t mutate_gguf(std::size_t stride) {
  const TempFolder folder;
  std::vector<Field> fields;
  const std::string whole = smallest_that_talks().builder().build(&fields);
  std::size_t files = 0;
  for (std::size_t i = 0; i < fields.size(); i += stride) {
    std::uint64_t value = 0;
    std::memcpy(&value, whole.data() + fields[i].offset, fields[i].width);
    for (const std::uint64_t replacement : replacements(value, fields[i].width)) {
      std::string bytes = whole;
      std::memcpy(bytes.data() + fields[i].offset, &replacement, fields[i].width);
      const std::string path = folder.write("model.gguf", bytes);
      (void)opens_cleanly(path, Load::kAuto, fields[i].name + " = " + std::to_string(replacement));
      ++files;
    }
  }
  return files;
}

}  // namespace lfm::test
