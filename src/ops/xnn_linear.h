// Matrix products with Q4_0 weights through XNNPACK (operator qd8_f32_qb4w); the only user of XNNPACK.
//
//     out[t][n] = scale[t] * sum_k w[n][k] * (q[t][k] - zero_point[t])        w = d * (code - 8), d rounded to bfloat16
//
// Activations are int8 with one scale and zero point a token. XNNPACK refuses Q4_0 as it is, because half of its block
// scales are negative; its kernels only multiply by them. So the weights are packed here, in the layout of XNNPACK's
// own packer, and handed over as already packed. Which layout this machine's XNNPACK wants is found out by comparing.
//
// Bits: a token's result depends neither on how many tokens run with it nor on how the rows are cut into slices.
// Threads: XnnMatrix may be shared; an XnnWorker belongs to one thread at a time and runs on the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "lfm/result.h"

namespace lfm::ops {

// Of Q4_0 as files have it: fp16 d, then 16 bytes of codes; byte j holds columns j and 16 + j.
inline constexpr std::size_t kQ4BlockColumns = 32;
inline constexpr std::size_t kQ4BlockBytes = 18;

// Tiles of nr rows. A tile: float ksum[nr] = -sum_k w | for each 32 columns: nibbles, bfloat16 (d / 16)[nr] | float
// bias[nr] = 0. Nibbles: groups of 2 * kr columns, in each of them kr bytes a row; byte b holds columns b (low) and
// kr + b (high), each xor 8.
struct XnnLayout {
  std::uint32_t nr = 0;
  std::uint32_t kr = 0;

  // Bytes of one row of k columns.  k % 32 == 0.
  std::size_t row_bytes(std::size_t k) const noexcept { return k / 2 + k / 16 + 8; }
  // Bytes of a packed matrix; the rows are padded to a multiple of nr.
  std::size_t matrix_bytes(std::size_t rows, std::size_t k) const noexcept {
    return (rows + nr - 1) / nr * nr * row_bytes(k);
  }
  bool operator==(const XnnLayout&) const = default;
};

// Starts XNNPACK and finds its layout on this machine. Takes a fraction of a millisecond; call it once.
// Errors: kUnsupported when XNNPACK doesn't run here, packs in a way that isn't known, or gives other bits for one
// token than for several; the caller then takes kernels of its own. kNoMemory.
Result<XnnLayout> find_xnn_layout();

// Packs `rows` rows of Q4_0 blocks as a GGUF file holds them (rows x k/32 blocks of 18 bytes) into whole tiles; the
// rows that a tile lacks become zeros. To pack a matrix in parts, begin each at a multiple of nr.
//   packed   layout.matrix_bytes(rows, k), every byte is written
// Returns the number of the first block (row-major) whose scale isn't finite, or -1.
std::ptrdiff_t xnn_pack_q4_0(const XnnLayout& layout, const std::byte* source, std::size_t rows, std::size_t k,
                             std::byte* packed) noexcept;

// A packed matrix, (rows, k). Doesn't own its bytes, which may lie in a mapped file.
struct XnnMatrix {
  const std::byte* packed = nullptr;  // aligned to 64
  std::size_t rows = 0;
  std::size_t k = 0;
};

// x = (q - zero_point) * scale
struct XnnRowParams {
  std::int32_t zero_point = 0;
  float scale = 0.0f;
};

// Bytes of q behind the last token that XNNPACK may read, but doesn't use.
inline constexpr std::size_t kXnnExtraBytes = 16;

// Rows of k columns that stay in a core's L2 cache while all tokens pass over them; a multiple of 16.
std::size_t xnn_block_rows(std::size_t k) noexcept;

class XnnWorker {
 public:
  static Result<XnnWorker> create(const XnnLayout& layout);
  XnnWorker(XnnWorker&&) noexcept;
  XnnWorker& operator=(XnnWorker&&) noexcept;
  ~XnnWorker();

  // Makes ready for run() with these k, rows and out_stride (in floats, >= rows) and up to max_tokens; a second time
  // does nothing.
  // Errors: kArgument for k % 32 != 0, rows == 0 or a small stride, kNoMemory, kUnsupported.
  Status prepare(std::size_t k, std::size_t rows, std::size_t out_stride, std::size_t max_tokens);

  // out[t * out_stride + i] = row (row_begin + i) of the matrix times token t.  Neither allocates nor enters the
  // kernel.
  //   row_begin  multiple of nr;  rows likewise, unless row_begin + rows is the matrix's last row
  //   q          (tokens, k) without gaps, and kXnnExtraBytes readable behind;  params (tokens)
  // A scale that isn't finite gives that token results that aren't (on x86 -infinity in place of NaN).
  // Errors: kArgument for such a slice, kState when it wasn't prepared.
  Status run(const XnnMatrix& matrix, std::size_t row_begin, std::size_t rows, std::size_t tokens, const std::int8_t* q,
             const XnnRowParams* params, float* out, std::size_t out_stride) noexcept;

 private:
  struct Impl;
  explicit XnnWorker(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lfm::ops
