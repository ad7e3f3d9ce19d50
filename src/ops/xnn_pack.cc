#include <bit>
#include <cstring>

#include "kernels/matmul/planes.h"
#include "ops/xnn_linear.h"

namespace lfm::ops {
namespace {

constexpr std::size_t kMaxRows = 16;

// To nearest, ties to even. XNNPACK's own conversion truncates, which shrinks every product by 0.2 %.
std::uint16_t float_to_bfloat16(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <typename Word>
constexpr Word repeat(unsigned byte) noexcept {
  return static_cast<Word>(static_cast<Word>(~Word{0}) / 0xff * byte);
}

template <typename Word>
Word load(const std::byte* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof(Word));
  return word;
}

// One row's 32 codes into a block of the tile. Word has kr bytes; bytes of a word never mix, so endianness is no
// matter.
template <typename Word>
void store_codes(const std::byte* codes, std::size_t group_stride, std::byte* out) noexcept {
  constexpr std::size_t kr = sizeof(Word);
  constexpr Word low = repeat<Word>(0x0f);
  constexpr Word zero = repeat<Word>(0x88);
  constexpr std::size_t groups = 16 / (2 * kr);
  for (std::size_t g = 0; g < groups; ++g) {
    const Word a = load<Word>(codes + g * 2 * kr);
    const Word b = load<Word>(codes + g * 2 * kr + kr);
    const Word first = static_cast<Word>(((a & low) | ((b & low) << 4)) ^ zero);
    const Word second = static_cast<Word>((((a >> 4) & low) | (b & static_cast<Word>(~low))) ^ zero);
    std::memcpy(out + g * group_stride, &first, kr);
    std::memcpy(out + (groups + g) * group_stride, &second, kr);
  }
}

// Sum of 32 codes, each less 8.
int sum_codes(const std::byte* codes) noexcept {
  constexpr std::uint64_t low = repeat<std::uint64_t>(0x0f);
  const auto a = load<std::uint64_t>(codes);
  const auto b = load<std::uint64_t>(codes + 8);
  const std::uint64_t bytes = (a & low) + ((a >> 4) & low) + (b & low) + ((b >> 4) & low);
  const std::uint64_t pairs = (bytes & 0x00ff00ff00ff00ffu) + ((bytes >> 8) & 0x00ff00ff00ff00ffu);
  return static_cast<int>((pairs * 0x0001000100010001u) >> 48) - 32 * 8;
}

template <typename Word>
std::ptrdiff_t pack_tile(const std::byte* source, std::size_t rows, std::size_t k, std::size_t nr,
                         std::byte* tile) noexcept {
  constexpr std::size_t kr = sizeof(Word);
  const std::size_t blocks = k / kQ4BlockColumns;
  std::ptrdiff_t bad = -1;
  double ksum[kMaxRows] = {};  // in double: XNNPACK adds up in float, and multiplies the error by 128
  std::byte* out = tile + nr * sizeof(float);
  for (std::size_t b = 0; b < blocks; ++b, out += nr * kQ4BlockBytes) {
    std::byte* const scales = out + nr * 16;
    for (std::size_t r = 0; r < rows; ++r) {
      const std::byte* const block = source + (r * blocks + b) * kQ4BlockBytes;
      const auto half = load<std::uint16_t>(block);
      if ((half & 0x7c00u) == 0x7c00u) {
        const auto index = static_cast<std::ptrdiff_t>(r * blocks + b);
        bad = bad < 0 || index < bad ? index : bad;
      }
      const std::uint16_t scale = float_to_bfloat16(kernels::float_from_half(half) * 0.0625f);
      std::memcpy(scales + r * sizeof(scale), &scale, sizeof(scale));
      store_codes<Word>(block + 2, nr * kr, out + r * kr);
      ksum[r] -=
          static_cast<double>(sum_codes(block + 2)) * 16.0 * static_cast<double>(kernels::float_from_bfloat(scale));
    }
    for (std::size_t r = rows; r < nr; ++r) {
      for (std::size_t g = 0; g < 16 / kr; ++g) std::memset(out + (g * nr + r) * kr, 0, kr);
      std::memset(scales + r * sizeof(std::uint16_t), 0, sizeof(std::uint16_t));
    }
  }
  for (std::size_t r = 0; r < nr; ++r) {
    const float sum = static_cast<float>(ksum[r]);
    std::memcpy(tile + r * sizeof(float), &sum, sizeof(float));
  }
  std::memset(out, 0, nr * sizeof(float));
  return bad;
}

}  // namespace

std::ptrdiff_t xnn_pack_q4_0(const XnnLayout& layout, const std::byte* source, std::size_t rows, std::size_t k,
                             std::byte* packed) noexcept {
  const auto pack = layout.kr == 8   ? pack_tile<std::uint64_t>
                    : layout.kr == 4 ? pack_tile<std::uint32_t>
                                     : pack_tile<std::uint8_t>;
  const std::size_t blocks = k / kQ4BlockColumns;
  std::ptrdiff_t bad = -1;
  for (std::size_t row = 0; row < rows; row += layout.nr) {
    const std::size_t count = rows - row < layout.nr ? rows - row : layout.nr;
    const std::ptrdiff_t index =
        pack(source + row * blocks * kQ4BlockBytes, count, k, layout.nr, packed + row * layout.row_bytes(k));
    if (bad < 0 && index >= 0) bad = index + static_cast<std::ptrdiff_t>(row * blocks);
  }
  return bad;
}

}  // namespace lfm::ops
