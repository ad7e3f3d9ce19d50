#include "quantize/imatrix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/try.h"
#include "format/gguf.h"
#include "format/gguf_writer.h"

namespace lfm::quantize {
namespace {

constexpr std::string_view kSums = ".in_sum2", kCounts = ".counts";
constexpr unsigned kForAll = 0644;

Error no_imatrix(std::string_view field, std::string message) {
  return Error{ErrorCode::kFormat, std::move(message), std::string(field)};
}

Result<std::vector<float>> read_floats(const base::File& file, const format::TensorInfo& tensor) {
  if (tensor.type != format::TensorType::kF32) return no_imatrix(tensor.name, "expected float32");
  std::vector<float> values(tensor.elements());
  LFM_TRY(file.read_at(tensor.offset, std::as_writable_bytes(std::span(values))));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || values[i] < 0) {
      Error error = no_imatrix(tensor.name, "a sum of squares or a count is negative or no number");
      error.index = i;
      return error;
    }
  }
  return values;
}

}  // namespace

Result<Imatrix> Imatrix::read(const std::string& path) {
  LFM_ASSIGN(const base::File file, base::File::open_read(path));
  auto imatrix = read(file);
  if (imatrix.ok()) return imatrix;
  Error error = std::move(imatrix).error();
  const std::string name = base::printable(path);
  if (!error.field.starts_with(name)) error.field = error.field.empty() ? name : name + ": " + error.field;
  return error;
}

Result<Imatrix> Imatrix::read(const base::File& file) {
  LFM_ASSIGN(const format::Gguf gguf, format::Gguf::read(file));
  LFM_ASSIGN(const auto type, gguf.metadata().find_string("general.type"));
  if (type != "imatrix") return gguf.metadata().error("general.type", "not an importance matrix of llama.cpp");
  Imatrix imatrix;
  for (const format::TensorInfo& tensor : gguf.tensors()) {
    if (!tensor.name.ends_with(kSums)) continue;
    const std::string name(tensor.name.substr(0, tensor.name.size() - kSums.size()));
    const format::TensorInfo* counts = gguf.find(name + std::string(kCounts));
    if (counts == nullptr) return no_imatrix(tensor.name, "there are no counts to it");
    Entry entry;
    entry.columns = tensor.dims[0];
    LFM_ASSIGN(entry.sums, read_floats(file, tensor));
    LFM_ASSIGN(entry.counts, read_floats(file, *counts));
    if (entry.columns == 0 || entry.sums.size() != entry.counts.size() * entry.columns)
      return no_imatrix(tensor.name, "sums and counts don't belong together");
    imatrix.entries_.emplace(name, std::move(entry));
  }
  if (imatrix.entries_.empty()) return no_imatrix({}, "holds no sums");
  return imatrix;
}

Status Imatrix::write(const std::string& path, const std::string& dataset, std::size_t chunks, std::size_t chunk,
                      base::AtomicFile::Existing existing) const {
  format::GgufWriter writer;
  writer.set_string("general.type", "imatrix");
  const std::string datasets[] = {dataset};
  writer.set_strings("imatrix.datasets", datasets);
  writer.set_u32("imatrix.chunk_count", static_cast<std::uint32_t>(chunks));
  writer.set_u32("imatrix.chunk_size", static_cast<std::uint32_t>(chunk));
  for (const auto& [name, entry] : entries_) {
    const std::uint64_t sums[] = {entry.columns, entry.counts.size()}, counts[] = {1, entry.counts.size()};
    writer.add_tensor(name + std::string(kSums), format::TensorType::kF32, sums);
    writer.add_tensor(name + std::string(kCounts), format::TensorType::kF32, counts);
  }
  const format::GgufWriter::Layout layout = writer.layout();
  LFM_ASSIGN(base::AtomicFile file, base::AtomicFile::create(path, layout.file_bytes));
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(layout.header))));
  std::size_t tensor = 0;
  for (const auto& [name, entry] : entries_) {
    LFM_TRY(file.write_at(layout.offsets[tensor++], std::as_bytes(std::span(entry.sums))));
    LFM_TRY(file.write_at(layout.offsets[tensor++], std::as_bytes(std::span(entry.counts))));
  }
  return file.commit(kForAll, existing);
}

std::vector<float> Imatrix::find(std::string_view tensor, std::size_t number, std::size_t columns) const {
  const auto at = entries_.find(tensor);
  if (at == entries_.end() || at->second.columns != columns || number >= at->second.counts.size() ||
      at->second.counts[number] == 0) {
    return {};
  }
  const std::span<const float> sums = std::span(at->second.sums).subspan(number * columns, columns);
  std::vector<float> means(sums.begin(), sums.end());
  for (float& mean : means) mean /= at->second.counts[number];
  return means;
}

void Imatrix::add(const std::string& tensor, std::size_t count, std::size_t number, std::span<const float> sums,
                  double tokens) {
  Entry& entry = entries_[tensor];
  entry.columns = sums.size();
  entry.sums.resize(count * sums.size());
  entry.counts.resize(count);
  for (std::size_t i = 0; i < sums.size(); ++i) entry.sums[number * sums.size() + i] += sums[i];
  entry.counts[number] += static_cast<float>(tokens);
}

}  // namespace lfm::quantize
