#include "source/gguf_split.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "format/stranger.h"

namespace lfm::source {
namespace {

using format::Gguf;

constexpr const char* kCount = "split.count";
constexpr const char* kNumber = "split.no";
constexpr const char* kTensors = "split.tensors.count";
constexpr std::uint64_t kMaxParts = 1000;

// Of part `i` of `count`, "-00001-of-00003.gguf" for 0 of 3.
std::string ending(std::uint64_t i, std::uint64_t count) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05llu-of-%05llu.gguf", static_cast<unsigned long long>(i + 1),
                static_cast<unsigned long long>(count));
  return text;
}

Result<std::uint64_t> count_of(const Gguf& gguf) {
  LFM_ASSIGN(const std::optional<std::uint64_t> count, gguf.metadata().find_unsigned(kCount));
  return count.value_or(0);
}

Result<Gguf> read(const base::File& file) {
  LFM_TRY(format::refuse_strangers(file));
  LFM_ASSIGN(Gguf gguf, Gguf::read(file));
  LFM_TRY(file.check_unchanged());
  return gguf;
}

// The same of a file that nobody has named.
Result<Gguf> read_other(const base::File& file) {
  auto gguf = read(file);
  if (gguf.ok()) return gguf;
  Error error = std::move(gguf).error();
  error.message += ", in " + base::printable(file.path());
  return error;
}

Status check_number(const Gguf& part, std::size_t index, std::size_t count, const char* key, std::uint64_t expected) {
  auto found = part.metadata().require_unsigned(key);
  if (found.ok() && *found == expected) return {};
  Error error =
      found.ok() ? part.metadata().error(key, "is " + std::to_string(*found) + ", expected " + std::to_string(expected))
                 : std::move(found).error();
  error.message += ", in part " + std::to_string(index + 1) + " of " + std::to_string(count);
  return error;
}

}  // namespace

Result<std::vector<Gguf>> read_parts(base::File file, std::vector<base::File>& files) {
  std::vector<Gguf> parts;
  LFM_ASSIGN(Gguf named, read(file));
  LFM_ASSIGN(const std::uint64_t count, count_of(named));
  if (count <= 1) {
    files.push_back(std::move(file));
    parts.push_back(std::move(named));
    return parts;
  }
  if (count > kMaxParts) {
    return named.metadata().error(
        kCount, std::to_string(count) + " parts are more than the limit of " + std::to_string(kMaxParts),
        ErrorCode::kLimit);
  }
  LFM_ASSIGN(const std::uint64_t number, named.metadata().require_unsigned(kNumber));
  const std::string& path = file.path();
  const std::string end = ending(number, count);
  if (number >= count || !path.ends_with(end)) {
    return named.metadata().error(kNumber, "the file is part " + std::to_string(number) + " (from 0) of " +
                                               std::to_string(count) +
                                               " of a split model, so that its name would have to end in " + end);
  }
  const std::string prefix = path.substr(0, path.size() - end.size());
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i == number) {
      files.push_back(std::move(file));
      parts.push_back(std::move(named));
      continue;
    }
    LFM_ASSIGN(base::File other, base::File::open_read(prefix + ending(i, count)));
    LFM_ASSIGN(Gguf part, read_other(other));
    files.push_back(std::move(other));
    parts.push_back(std::move(part));
  }
  return parts;
}

Status check_parts(std::span<const Gguf> parts) {
  LFM_ASSIGN(const std::uint64_t count, count_of(parts[0]));
  if (count <= 1 && parts.size() == 1) return {};
  std::uint64_t tensors = 0;
  for (const Gguf& part : parts) tensors += part.tensors().size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    LFM_TRY(check_number(parts[i], i, parts.size(), kCount, parts.size()));
    LFM_TRY(check_number(parts[i], i, parts.size(), kNumber, i));
    LFM_TRY(check_number(parts[i], i, parts.size(), kTensors, tensors));
  }
  return {};
}

}  // namespace lfm::source
