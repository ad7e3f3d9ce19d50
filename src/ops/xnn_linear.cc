#include "ops/xnn_linear.h"

#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace lfm::ops {
namespace {

static_assert(sizeof(XnnRowParams) == sizeof(xnn_quantization_params));
static_assert(offsetof(XnnRowParams, scale) == offsetof(xnn_quantization_params, scale));

constexpr std::size_t kNotFound = std::numeric_limits<std::size_t>::max();

// XNNPACK has a kernel for one token and one for 8 (14, 4, 3, by CPU), which costs the same for fewer. Up to this many
// tokens go one by one over a block of rows in L2, which was faster up to here on AVX-512 VNNI.
constexpr std::size_t kOneByOne = 4;
constexpr std::size_t kL2Bytes = 256 * 1024;

// Tokens of XNNPACK's largest tile, rounded up. A tile that isn't full computes its last token again in place of those
// that are missing, with the parameters that follow in memory, and stores every one of them to the same place: they
// must all be the last token's.
constexpr std::size_t kMaxTile = 16;

// The functions that changed their parameters; the build finds out which ones this XNNPACK has.
xnn_status create_operator(std::size_t k, std::size_t rows, std::size_t out_stride, const std::uint16_t* scales,
                           const void* codes, xnn_weights_cache_provider* provider, xnn_operator_t* out) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return xnn_create_fully_connected_nc_qd8_f32_qb4w(k, rows, k, out_stride, kQ4BlockColumns, 8, scales, codes, nullptr,
                                                    -kInfinity, kInfinity, 0,
#if LFM_XNN_CODE_CACHE
                                                    nullptr,
#endif
                                                    provider, out);
}

xnn_status run_operator(xnn_operator_t op, std::size_t tokens, const std::int8_t* q, const XnnRowParams* params,
                        float* out) noexcept {
  const auto* quantization = reinterpret_cast<const xnn_quantization_params*>(params);
#if LFM_XNN_WORKSPACE
  std::size_t workspace = 0;  // stays 0: find_xnn_layout() refuses an operator that wants one
  xnn_status status = xnn_reshape_fully_connected_nc_qd8_f32_qb4w(op, tokens, &workspace, nullptr);
  if (status == xnn_status_success && workspace != 0) status = xnn_status_unsupported_parameter;
  if (status == xnn_status_success) {
    status = xnn_setup_fully_connected_nc_qd8_f32_qb4w(op, q, out, nullptr, quantization);
  }
#else
  xnn_status status = xnn_reshape_fully_connected_nc_qd8_f32_qb4w(op, tokens, nullptr);
  if (status == xnn_status_success) status = xnn_setup_fully_connected_nc_qd8_f32_qb4w(op, q, out, quantization);
#endif
  return status == xnn_status_success ? xnn_run_operator(op, nullptr) : status;
}

struct DeleteOperator {
  void operator()(xnn_operator_t op) const noexcept { xnn_delete_operator(op); }
};
using Operator = std::unique_ptr<xnn_operator, DeleteOperator>;

Error to_error(xnn_status status, const char* what) {
  if (status == xnn_status_out_of_memory) return {ErrorCode::kNoMemory, "XNNPACK is out of memory"};
  return {ErrorCode::kUnsupported,
          std::string("XNNPACK can't ") + what + " here (status " + std::to_string(static_cast<int>(status)) + ")"};
}

bool always(void*) {
  return true;
}
std::size_t not_found(void*, const xnn_weights_cache_look_up_key*) {
  return kNotFound;
}
std::size_t found(void*, const xnn_weights_cache_look_up_key*) {
  return 0;
}
std::size_t insert(void*, const xnn_weights_cache_look_up_key*, void*, std::size_t) {
  return 0;
}
void* no_space(void*, std::size_t) {
  return nullptr;
}
xnn_status keep(void*) {
  return xnn_status_success;
}

// What XNNPACK's own packer makes of a matrix: a cache that finds nothing and lends its memory.
struct Capture {
  std::vector<std::byte> bytes;
  std::size_t used = 0;

  static void* reserve(void* context, std::size_t size) {
    auto* self = static_cast<Capture*>(context);
    if (size > self->bytes.size()) return nullptr;
    self->used = size;
    return self->bytes.data();
  }
  static void* address(void* context, std::size_t) { return static_cast<Capture*>(context)->bytes.data(); }
};

// A small Q4_0 matrix with codes of every value; its scales are powers of two, so that no rounding hides a difference.
struct Probe {
  static constexpr std::size_t kRows = 48, kColumns = 128, kBlocks = kColumns / kQ4BlockColumns, kTokens = 17;

  std::vector<std::byte> gguf = std::vector<std::byte>(kRows * kBlocks * kQ4BlockBytes);
  std::vector<std::uint8_t> codes = std::vector<std::uint8_t>(kRows * kColumns);
  std::vector<float> scales = std::vector<float>(kRows * kBlocks);
  std::uint32_t random = 12345;

  std::uint32_t next() { return (random = random * 1664525u + 1013904223u) >> 16; }

  explicit Probe(bool negative) {
    for (std::size_t b = 0; b < scales.size(); ++b) {
      const std::uint32_t exponent = 8 + next() % 10;  // of fp16, biased by 15
      const bool minus = negative && next() % 2 == 0;
      const auto half = static_cast<std::uint16_t>((minus ? 0x8000u : 0u) | (exponent << 10));
      scales[b] = (minus ? -1.0f : 1.0f) * std::ldexp(1.0f, static_cast<int>(exponent) - 15);
      std::byte* const block = gguf.data() + b * kQ4BlockBytes;
      std::memcpy(block, &half, sizeof(half));
      std::uint8_t* const c = codes.data() + b * kQ4BlockColumns;
      for (std::size_t i = 0; i < kQ4BlockColumns; ++i) c[i] = static_cast<std::uint8_t>(next() % 16);
      for (std::size_t i = 0; i < 16; ++i) block[2 + i] = static_cast<std::byte>(c[i] | (c[16 + i] << 4));
    }
  }
};

Result<XnnLayout> layout_of(const Probe& probe) {
  std::vector<std::uint8_t> pairs(probe.codes.size() / 2);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = static_cast<std::uint8_t>(probe.codes[2 * i] | (probe.codes[2 * i + 1] << 4));
  }
  std::vector<std::uint16_t> scales(probe.scales.size());
  for (std::size_t i = 0; i < scales.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &probe.scales[i], sizeof(bits));
    scales[i] = static_cast<std::uint16_t>(bits >> 16);
  }
  Capture capture;
  capture.bytes.resize(4 * probe.codes.size());
  xnn_weights_cache_provider provider{};
  provider.context = &capture;
  provider.look_up = not_found;
  provider.reserve_space = Capture::reserve;
  provider.look_up_or_insert = insert;
  provider.is_finalized = always;
  provider.offset_to_addr = Capture::address;
  provider.delete_cache = keep;
  xnn_operator_t made = nullptr;
  const xnn_status status =
      create_operator(Probe::kColumns, Probe::kRows, Probe::kRows, scales.data(), pairs.data(), &provider, &made);
  if (status != xnn_status_success) return to_error(status, "pack int4 weights");
  const Operator op(made);

  // AVX-512 VNNI and NEON i8mm, AVX2, NEON dot product, NEON. Not {4, 8} of AVX and SSE, whose kernels crash where k is
  // an odd number of blocks.
  constexpr XnnLayout kKnown[] = {{16, 8}, {8, 8}, {16, 4}, {16, 1}};
  std::vector<std::byte> ours;
  for (const XnnLayout& layout : kKnown) {
    ours.resize(layout.matrix_bytes(Probe::kRows, Probe::kColumns));
    if (ours.size() > capture.used) continue;
    xnn_pack_q4_0(layout, probe.gguf.data(), Probe::kRows, Probe::kColumns, ours.data());
    if (std::equal(ours.begin(), ours.end(), capture.bytes.begin())) return layout;
  }
  return Error{ErrorCode::kUnsupported, "XNNPACK's layout of int4 weights isn't known"};
}

// Multiplies a matrix that has negative scales, and checks it: the numbers, and that one token gives the bits of many.
Status check(const XnnLayout& layout) {
  constexpr std::size_t kRows = Probe::kRows, kColumns = Probe::kColumns, kTokens = Probe::kTokens;
  Probe probe(true);
  std::vector<std::byte> storage(layout.matrix_bytes(kRows, kColumns) + 64);
  void* packed = storage.data();
  std::size_t space = storage.size();
  std::align(64, space - 64, packed, space);
  xnn_pack_q4_0(layout, probe.gguf.data(), kRows, kColumns, static_cast<std::byte*>(packed));
  const XnnMatrix matrix{static_cast<const std::byte*>(packed), kRows, kColumns};

  std::vector<std::int8_t> q(kTokens * kColumns + kXnnExtraBytes);
  for (auto& value : q) value = static_cast<std::int8_t>(static_cast<int>(probe.next() % 256) - 128);
  std::vector<XnnRowParams> params(kTokens);
  for (auto& value : params) value = {static_cast<int>(probe.next() % 256) - 128, 1.0f / 300.0f};

  auto worker = XnnWorker::create(layout);
  if (!worker) return worker.error();
  if (auto status = worker->prepare(kColumns, kRows, kRows, kTokens); !status) return status;
  std::vector<float> many(kTokens * kRows), one(kRows);
  if (auto status = worker->run(matrix, 0, kRows, kTokens, q.data(), params.data(), many.data(), kRows); !status) {
    return status;
  }
  for (std::size_t t = 0; t < kTokens; ++t) {
    const std::int8_t* const x = q.data() + t * kColumns;
    if (auto status = worker->run(matrix, 0, kRows, 1, x, params.data() + t, one.data(), kRows); !status) {
      return status;
    }
    if (std::memcmp(one.data(), many.data() + t * kRows, kRows * sizeof(float)) != 0) {
      return Error{ErrorCode::kUnsupported, "XNNPACK gives other bits for one token than for several"};
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      double sum = 0, size = 0;
      for (std::size_t i = 0; i < kColumns; ++i) {
        const double w = probe.scales[(r * kColumns + i) / kQ4BlockColumns] * (probe.codes[r * kColumns + i] - 8);
        sum += w * (x[i] - params[t].zero_point) * params[t].scale;
        size += std::abs(w) * 256 * params[t].scale;
      }
      if (!(std::abs(sum - one[r]) <= 1e-5 * size)) {
        return Error{ErrorCode::kUnsupported, "XNNPACK miscalculates int4 weights with negative scales"};
      }
    }
  }
  return {};
}

}  // namespace

Result<XnnLayout> find_xnn_layout() {
  if (const xnn_status status = xnn_initialize(nullptr); status != xnn_status_success) {
    return to_error(status, "start");
  }
  auto layout = layout_of(Probe(false));
  if (!layout) return layout;
  if (auto status = check(*layout); !status) return status.error();
  return layout;
}

std::size_t xnn_block_rows(std::size_t k) noexcept {
  return std::max<std::size_t>(kL2Bytes / (k * 9 / 16) / 16, 1) * 16;
}

struct XnnWorker::Impl {
  struct Entry {
    std::size_t k, rows, out_stride;
    Operator op;
  };

  XnnLayout layout;
  const std::byte* packed = nullptr;  // of the slice at work: XNNPACK asks for it at each reshape
  xnn_weights_cache_provider provider{};
  std::vector<Entry> entries;
  std::vector<XnnRowParams> params;  // of the tokens at work, and kMaxTile more

  explicit Impl(const XnnLayout& wanted) : layout(wanted) {
    provider.context = this;
    provider.look_up = found;
    provider.reserve_space = no_space;
    provider.look_up_or_insert = insert;
    provider.is_finalized = always;
    provider.offset_to_addr = address;
    provider.delete_cache = keep;
  }

  static void* address(void* context, std::size_t) {
    return const_cast<std::byte*>(static_cast<Impl*>(context)->packed);
  }

  xnn_operator_t find(std::size_t k, std::size_t rows, std::size_t out_stride) const noexcept {
    for (const Entry& entry : entries) {
      if (entry.k == k && entry.rows == rows && entry.out_stride == out_stride) return entry.op.get();
    }
    return nullptr;
  }

  Status add(std::size_t k, std::size_t rows, std::size_t out_stride) {
    if (rows == 0 || find(k, rows, out_stride) != nullptr) return {};
    const std::vector<std::uint16_t> ones(rows * (k / kQ4BlockColumns), 0x3f80);  // only looked at, never kept
    xnn_operator_t made = nullptr;
    const xnn_status status = create_operator(k, rows, out_stride, ones.data(), this, &provider, &made);
    if (status != xnn_status_success) return to_error(status, "multiply int4 weights");
    entries.push_back({k, rows, out_stride, Operator(made)});
    return {};
  }
};

XnnWorker::XnnWorker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
XnnWorker::XnnWorker(XnnWorker&&) noexcept = default;
XnnWorker& XnnWorker::operator=(XnnWorker&&) noexcept = default;
XnnWorker::~XnnWorker() = default;

Result<XnnWorker> XnnWorker::create(const XnnLayout& layout) {
  return XnnWorker(std::make_unique<Impl>(layout));
}

Status XnnWorker::prepare(std::size_t k, std::size_t rows, std::size_t out_stride, std::size_t max_tokens) {
  if (k == 0 || k % kQ4BlockColumns != 0 || rows == 0 || out_stride < rows) {
    return Error{ErrorCode::kArgument, "XNNPACK needs columns in blocks of 32 and an output row for every row"};
  }
  if (impl_->params.size() < max_tokens + kMaxTile) impl_->params.resize(max_tokens + kMaxTile);
  const std::size_t block = std::min(rows, xnn_block_rows(k));
  for (const std::size_t n : {rows, block, rows % block}) {
    if (auto status = impl_->add(k, n, out_stride); !status) return status;
  }
  return {};
}

Status XnnWorker::run(const XnnMatrix& matrix, std::size_t row_begin, std::size_t rows, std::size_t tokens,
                      const std::int8_t* q, const XnnRowParams* params, float* out, std::size_t out_stride) noexcept {
  const std::size_t nr = impl_->layout.nr;
  if (row_begin % nr != 0 || rows == 0 || row_begin > matrix.rows || rows > matrix.rows - row_begin ||
      (rows % nr != 0 && row_begin + rows != matrix.rows)) {
    return Error{ErrorCode::kArgument, "a slice of rows must consist of whole tiles"};
  }
  if (tokens + kMaxTile > impl_->params.size()) {
    return Error{ErrorCode::kState, "more tokens than were prepared for"};
  }
  if (tokens == 0) return {};
  if (tokens > kOneByOne) {
    std::copy_n(params, tokens, impl_->params.data());
    std::fill_n(impl_->params.data() + tokens, kMaxTile, params[tokens - 1]);
    params = impl_->params.data();
  }
  const std::size_t k = matrix.k;
  const std::size_t block = tokens == 1 ? rows : std::min(rows, xnn_block_rows(k));
  const std::size_t step = tokens <= kOneByOne ? 1 : tokens;
  for (std::size_t row = 0; row < rows; row += block) {
    const std::size_t count = std::min(block, rows - row);
    xnn_operator_t op = impl_->find(k, count, out_stride);
    if (op == nullptr) return Error{ErrorCode::kState, "this product was not prepared"};
    impl_->packed = matrix.packed + (row_begin + row) * impl_->layout.row_bytes(k);
    for (std::size_t t = 0; t < tokens; t += step) {
      const xnn_status status = run_operator(op, step, q + t * k, params + t, out + t * out_stride + row);
      if (status != xnn_status_success) return to_error(status, "multiply int4 weights");
    }
  }
  return {};
}

}  // namespace lfm::ops
