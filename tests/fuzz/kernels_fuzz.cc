// Every instruction set against the scalar kernels, on shapes and numbers that the fuzzer chooses: the same bits, from
// buffers that are exactly as large as the kernels are told.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "kernels/matmul/pack.h"
#include "kernels/table.h"

namespace {

using lfm::kernels::Isa;
using lfm::kernels::Table;

// The input, and when that is used up pseudo-random bytes that depend on it.
class Source {
 public:
  explicit Source(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    const std::uint8_t next = bytes_.empty() ? 0 : bytes_.front();
    state_ = (state_ + next) * 6364136223846793005u + 1442695040888963407u;
    if (bytes_.empty()) return static_cast<std::uint8_t>(state_ >> 56);
    bytes_ = bytes_.subspan(1);
    return next;
  }
  std::size_t between(std::size_t from, std::size_t to) { return from + byte() % (to - from + 1); }

  template <typename T>
  T bits() {
    std::uint8_t raw[sizeof(T)];
    for (std::uint8_t& b : raw) b = byte();
    return std::bit_cast<T>(raw);
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::uint64_t state_ = 1;
};

// Exactly `count` elements on the heap, 64-byte aligned.
template <typename T>
class Buffer {
 public:
  explicit Buffer(std::size_t count)
      : data_(static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64}))), count_(count) {
    std::memset(data_.get(), 0, count * sizeof(T));
  }
  T* data() noexcept { return data_.get(); }
  std::span<T> span() noexcept { return {data_.get(), count_}; }

 private:
  struct Free {
    void operator()(T* data) const noexcept { ::operator delete (data, std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t count_;
};

// Numbers as a network has them, with any bits among them, or of any bits altogether.
Buffer<float> floats(Source& source, std::size_t count) {
  Buffer<float> out(count);
  const std::uint8_t wild = source.byte();
  for (float& x : out.span()) {
    const auto small = static_cast<float>(source.bits<std::int16_t>()) * 0x1p-12f;
    x = wild < 64 || (wild < 160 && source.byte() < 4) ? source.bits<float>() : small;
  }
  return out;
}

// Results as bits; which NaN it is is left open.
class Output {
 public:
  void add(std::span<const float> values) {
    for (const float x : values) bits_.push_back(std::isnan(x) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(x));
  }
  template <typename T>
  void add_codes(std::span<const T> codes) {
    for (const T code : codes) bits_.push_back(static_cast<std::uint32_t>(code));
  }
  void add_halves(std::span<const std::uint16_t> halves) {
    for (const std::uint16_t h : halves) bits_.push_back((h & 0x7fff) > 0x7c00 ? 0x7e00u : h);
  }
  bool operator==(const Output&) const = default;

 private:
  std::vector<std::uint32_t> bits_;
};

void add_activations(Output& out, std::span<const std::byte> rows) {
  for (; !rows.empty(); rows = rows.subspan(lfm::kernels::kActBlockBytes)) {
    out.add_codes(rows.first(32));
    float words[4];
    std::memcpy(words, rows.data() + 32, 16);
    out.add(words);
  }
}

Output multiply_blocks(const Table& table, Source source) {
  const auto format = static_cast<lfm::kernels::BlockFormat>(source.between(0, lfm::kernels::kBlockFormatCount - 1));
  const std::size_t unit = lfm::kernels::info(format).file_columns;
  const std::size_t k = unit * source.between(1, unit == 256 ? 2 : 12), tiles = source.between(1, 2);
  const std::size_t tokens = source.between(1, 40);
  Output out;

  const std::size_t act_bytes = lfm::kernels::act_row_bytes(k);
  Buffer<std::byte> act(act_bytes * tokens);
  std::vector<const std::byte*> act_rows;
  for (std::size_t t = 0; t < tokens; ++t) {
    Buffer<float> x = floats(source, k);
    table.vector.quantize_act(x.data(), k, act.data() + t * act_bytes);
    act_rows.push_back(act.data() + t * act_bytes);
  }
  add_activations(out, act.span());

  const std::size_t row_bytes = lfm::kernels::gguf_row_bytes(format, k);
  const std::size_t tile_bytes = lfm::kernels::tile_bytes(format, k);
  Buffer<std::byte> weights(tiles * tile_bytes);
  for (std::size_t i = 0; i < tiles; ++i) {
    const std::size_t rows = source.between(1, lfm::kernels::kTileRows);
    Buffer<std::byte> file(rows * row_bytes);
    for (std::byte& b : file.span()) b = static_cast<std::byte>(source.byte());
    lfm::kernels::pack_tile(format, file.data(), rows, k, weights.data() + i * tile_bytes);
  }
  Buffer<float> product(tokens * tiles * lfm::kernels::kTileRows);
  const std::size_t width = tiles * lfm::kernels::kTileRows;
  for (std::size_t first = 0, count; first < tokens; first += count) {
    count = std::min(table.matmul.most_tokens, tokens - first);
    table.matmul.blocks[static_cast<std::size_t>(format)]->tiles(
        weights.data(), tiles, k, std::span(act_rows).subspan(first, count), product.data() + first * width,
        static_cast<std::ptrdiff_t>(width));
  }
  out.add(product.span());

  // The same as strips, all of the same weights.
  std::vector<lfm::kernels::Strip> strips;
  for (std::size_t t = 0; t < tokens; ++t) {
    strips.push_back({weights.data(), act_rows[t], product.data() + t * tiles * lfm::kernels::kTileRows});
  }
  table.matmul.blocks[static_cast<std::size_t>(format)]->strips(strips, tiles, k);
  out.add(product.span());
  return out;
}

Output multiply_floats(const Table& table, Source source) {
  const auto format = static_cast<lfm::kernels::FloatFormat>(source.between(0, lfm::kernels::kFloatFormatCount - 1));
  const std::size_t k = 4 * source.between(1, 20), tiles = source.between(1, 2), tokens = source.between(1, 14);
  Buffer<std::byte> weights(tiles * lfm::kernels::tile_bytes(format, k));
  for (std::byte& b : weights.span()) b = static_cast<std::byte>(source.byte());
  Buffer<float> act = floats(source, tokens * k), product(tokens * tiles * lfm::kernels::kTileRows);
  std::vector<const float*> act_rows;
  for (std::size_t t = 0; t < tokens; ++t) act_rows.push_back(act.data() + t * k);
  table.matmul.floats[static_cast<std::size_t>(format)](weights.data(), tiles, k, act_rows, product.data(),
                                                        static_cast<std::ptrdiff_t>(tiles * lfm::kernels::kTileRows));
  Output out;
  out.add(product.span());
  return out;
}

Output rows(const Table& table, Source source) {
  const std::size_t n = 16 * source.between(1, 20);
  const float weight = source.bits<float>();
  Buffer<float> x = floats(source, n), y = floats(source, n), z(n);
  Output out;
  table.vector.rms_norm(x.data(), y.data(), n, 1e-5f, z.data());
  out.add(z.span());
  table.vector.swiglu(x.data(), y.data(), n, z.data());
  out.add(z.span());
  Buffer<std::int8_t> codes(n);
  float scale = 0;
  std::int32_t zero_point = 0;
  table.vector.quantize_row(x.data(), n, codes.data(), &scale, &zero_point);
  out.add({&scale, 1});
  out.add_codes(std::span<const std::int32_t>(&zero_point, 1));
  out.add_codes<std::int8_t>(codes.span());
  table.vector.add_scaled(x.data(), weight, n, y.data());
  out.add(y.span());
  table.vector.add(x.data(), n, y.data());
  out.add(y.span());
  const std::size_t head_dim = n / 32 * 32;
  if (head_dim > 0) table.vector.rope(x.data(), y.data(), y.data() + head_dim / 2, head_dim);
  out.add(x.span());
  return out;
}

Output convolution(const Table& table, Source source) {
  const std::size_t tokens = source.between(1, 20), taps = source.between(2, lfm::kernels::kMaxTaps);
  Buffer<float> b = floats(source, tokens * 16), c = floats(source, tokens * 16), x = floats(source, tokens * 16);
  Buffer<float> weights = floats(source, taps * 16), state = floats(source, (taps - 1) * 16), y(tokens * 16);
  table.vector.short_conv(b.data(), c.data(), x.data(), 16, tokens, weights.data(), taps, state.data(), y.data(), 16);
  Output out;
  out.add(y.span());
  out.add(state.span());
  return out;
}

Output attention(const Table& table, Source source) {
  namespace k = lfm::kernels;
  constexpr k::KvType kTypes[] = {k::KvType::kF16, k::KvType::kQ8_0};
  const k::KvFormat format{kTypes[source.between(0, 1)], kTypes[source.between(0, 1)]};
  const std::size_t head_dim = 32 * source.between(1, 4), positions = source.between(1, 70);
  const std::size_t queries = source.between(1, k::kMaxQueries);
  const std::size_t block_halves = k::kv_block_bytes(format, head_dim) / sizeof(std::uint16_t);
  const std::size_t blocks = (positions + k::kKvBlock - 1) / k::kKvBlock;
  Buffer<std::uint16_t> cache(blocks * block_halves);
  std::vector<std::byte*> pages;
  for (std::size_t i = 0; i < blocks; ++i) {
    pages.push_back(reinterpret_cast<std::byte*>(cache.data() + i * block_halves));
  }
  for (std::size_t p = 0; p < positions; ++p) {
    Buffer<float> key = floats(source, head_dim), value = floats(source, head_dim);
    table.attention.of(format).append(key.data(), value.data(), p % k::kKvBlock, head_dim, pages[p / k::kKvBlock]);
  }
  Output out;
  out.add_halves(cache.span());

  Buffer<float> q = floats(source, queries * head_dim);
  Buffer<std::uint32_t> limits(queries);
  for (std::uint32_t& limit : limits.span()) limit = static_cast<std::uint32_t>(source.between(0, positions));
  limits.span()[source.between(0, queries - 1)] = static_cast<std::uint32_t>(positions);
  Buffer<float> m(queries), l(queries), o(queries * head_dim), merged(head_dim);
  table.attention.of(format).partial(q.data(), static_cast<std::ptrdiff_t>(head_dim), limits.data(), queries, 1,
                                     pages.data(), 0, 0, head_dim, m.data(), l.data(), o.data());
  for (Buffer<float>* part : {&m, &l, &o}) out.add(part->span());
  table.attention.merge(m.data(), l.data(), 1, o.data(), static_cast<std::ptrdiff_t>(head_dim), queries, head_dim,
                        merged.data());
  out.add(merged.span());
  return out;
}

constexpr Output (*kOperations[])(const Table&, Source) = {multiply_blocks, multiply_floats, rows, convolution,
                                                           attention};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto run = kOperations[data[0] % std::size(kOperations)];
  const Source source({data + 1, size - 1});
  const Output expected = run(lfm::kernels::table(Isa::kScalar), source);
  for (const lfm::kernels::IsaInfo& row : lfm::kernels::kIsas) {
    if (!lfm::base::cpu_has(row.isa) || run(lfm::kernels::table(row.isa), source) == expected) continue;
    std::fprintf(stderr, "%s isn't scalar\n", row.name);
    std::abort();
  }
  return 0;
}
