#include "main_type.h"

#include <algorithm>
#include <map>

#include "lfm/inspect.h"

namespace lfm::cli {

std::string main_type(const std::string& path) {
  const auto file = inspect(path);
  if (!file.ok()) return {};
  std::map<std::string, std::uint64_t> totals;
  for (const TensorDescription& tensor : file->tensors) totals[tensor.type] += tensor.bytes;
  const auto most =
      std::max_element(totals.begin(), totals.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == totals.end() ? std::string() : most->first;
}

}  // namespace lfm::cli
