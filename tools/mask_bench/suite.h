// Folders of schemas with texts: MaskBench's files (an object with "schema" and "tests") and those of
// JSON-Schema-Test-Suite (an array of such objects).
#pragma once

#include <string>
#include <vector>

namespace lfm::mask_bench {

struct Text {
  std::string json;
  bool valid = false;
};

struct Case {
  std::string name;
  std::string schema;
  std::vector<Text> texts;
};

std::vector<Case> read_folder(const std::string& path, std::size_t limit);

}  // namespace lfm::mask_bench
