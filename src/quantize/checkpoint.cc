#include "quantize/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include "base/atomic_file.h"
#include "base/checksum.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/try.h"
#include "quantize/blocks/grid.h"
#include "quantize/model_writer.h"

namespace lfm::quantize {
namespace {

constexpr std::uint64_t kMagic = 0x33'6b'63'71'6d'66'6c;  // "lfmqck3"
constexpr unsigned kOwnersOnly = 0600;

// Takes numbers from bytes; none where there are too few.
class Taker {
 public:
  explicit Taker(std::span<const std::byte> bytes) : rest_(bytes) {}

  std::optional<std::uint64_t> number() {
    if (rest_.size() < sizeof(std::uint64_t)) return std::nullopt;
    std::uint64_t value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  template <typename T>
  std::optional<std::vector<std::vector<T>>> lists() {
    const auto count = number();
    if (!count || *count > rest_.size() / sizeof(std::uint64_t)) return std::nullopt;
    std::vector<std::vector<T>> all(*count);
    for (std::vector<T>& list : all) {
      const auto size = number();
      if (!size || *size > rest_.size() / sizeof(T)) return std::nullopt;
      list.resize(*size);
      if (!list.empty()) std::memcpy(list.data(), rest_.data(), *size * sizeof(T));
      rest_ = rest_.subspan(*size * sizeof(T));
    }
    return all;
  }
  bool empty() const noexcept { return rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
};

void put(std::string& bytes, std::uint64_t value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <typename T>
void put(std::string& bytes, const std::vector<std::vector<T>>& lists) {
  put(bytes, lists.size());
  for (const std::vector<T>& list : lists) {
    put(bytes, list.size());
    bytes.append(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T));
  }
}

// As lists of numbers: of every row one, and one of what all have in common.
using Numbers = std::vector<std::vector<std::uint64_t>>;
Numbers numbers_of(const MixPlan& mix) {
  Numbers all = {{std::bit_cast<std::uint64_t>(mix.divergence)}};
  for (const MixRow& row : mix.rows) {
    all.push_back({row.tensor, static_cast<std::uint64_t>(row.type), row.more_bytes,
                   std::bit_cast<std::uint64_t>(row.divergence), std::bit_cast<std::uint64_t>(row.gain)});
  }
  return all;
}
std::optional<MixPlan> mix_of(const Numbers& all) {
  constexpr std::size_t kOfARow = 5;
  if (all.empty() || all[0].size() != 1) return std::nullopt;
  MixPlan mix{{}, std::bit_cast<double>(all[0][0])};
  for (const auto& row : std::span(all).subspan(1)) {
    if (row.size() != kOfARow) return std::nullopt;
    mix.rows.push_back({row[0], static_cast<format::TensorType>(row[1]), row[2], std::bit_cast<double>(row[3]),
                        std::bit_cast<double>(row[4])});
  }
  return mix;
}

// A checksum says that bytes are undamaged, and not who wrote them.
bool are_texts(const Texts& texts, const engine::ModelParts& parts) {
  return std::ranges::all_of(texts, [&](const std::vector<TokenId>& text) {
    return text.size() <= parts.config.max_positions() && std::ranges::all_of(text, [&](TokenId token) {
             return token >= 0 && static_cast<std::size_t>(token) < parts.config.vocab;
           });
  });
}
bool is_mix(const MixPlan& mix, const engine::ModelParts& parts) {
  return std::ranges::all_of(mix.rows, [&](const MixRow& row) {
    if (row.tensor >= parts.table.tensors.size()) return false;
    const model::Tensor& tensor = parts.table.tensors[row.tensor];
    return is_layer_matrix(tensor) && (grid_of(row.type) != nullptr || row.type == format::TensorType::kQ8_0) &&
           tensor.columns % format::block_columns(row.type) == 0;
  });
}

std::uint64_t sum_of(std::string_view bytes) {
  return lfm::base::checksum(std::as_bytes(std::span(bytes)));
}

}  // namespace

CheckpointFile::CheckpointFile(const std::string& out, std::uint64_t key) : key_(key) {
  if (out.empty()) return;
  path_ = lfm::base::folder_of(out) + "." + std::string(lfm::base::name_of(out)) + ".state";
}

std::optional<CheckpointFile::State> CheckpointFile::load(const engine::ModelParts& parts) const {
  if (path_.empty()) return std::nullopt;
  const auto file = lfm::base::File::open_read(path_, lfm::base::File::Links::kRefuse);
  if (!file.ok() || !file->guarded() || file->size() < sizeof(std::uint64_t)) return std::nullopt;
  std::string bytes(file->size(), '\0');
  if (!file->read_at(0, std::as_writable_bytes(std::span(bytes))).ok()) return std::nullopt;
  std::uint64_t sum;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof sum, sizeof sum);
  bytes.resize(bytes.size() - sizeof sum);
  if (sum != sum_of(bytes)) return std::nullopt;
  Taker taker(std::as_bytes(std::span(bytes)));
  if (taker.number() != kMagic || taker.number() != key_) return std::nullopt;
  const auto layers = taker.number();
  const auto written = taker.number();
  auto texts = taker.lists<TokenId>();
  const auto numbers = taker.lists<std::uint64_t>();
  auto streams = taker.lists<float>();
  if (!layers || !written || !texts || !numbers || !streams || !taker.empty()) return std::nullopt;
  auto mix = mix_of(*numbers);
  if (!mix || *layers > parts.config.layers.size() || !are_texts(*texts, parts) || !is_mix(*mix, parts))
    return std::nullopt;
  return State{*layers, *written, {*std::move(texts), *std::move(mix)}, *std::move(streams)};
}

Status CheckpointFile::save(const State& state) const {
  if (path_.empty()) return {};
  std::string bytes;
  put(bytes, kMagic);
  put(bytes, key_);
  put(bytes, state.layers);
  put(bytes, state.written);
  put(bytes, state.prepared.texts);
  put(bytes, numbers_of(state.prepared.mix));
  put(bytes, state.streams);
  put(bytes, sum_of(bytes));
  LFM_ASSIGN(lfm::base::AtomicFile file, lfm::base::AtomicFile::create(path_, bytes.size()));
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(bytes))));
  return file.commit(kOwnersOnly, lfm::base::AtomicFile::Existing::kReplace);
}

void CheckpointFile::remove() const noexcept {
  if (!path_.empty()) lfm::base::remove_file(path_);
}

}  // namespace lfm::quantize
