// A build without XNNPACK: whoever asks for it is told so, and kernels of our own are taken.
#include "ops/xnn_linear.h"

namespace lfm::ops {
namespace {

Error none() {
  return {ErrorCode::kUnsupported, "this build is without XNNPACK"};
}

}  // namespace

struct XnnWorker::Impl {};

Result<XnnLayout> find_xnn_layout() {
  return none();
}

std::size_t xnn_block_rows(std::size_t) noexcept {
  return 16;
}

XnnWorker::XnnWorker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
XnnWorker::XnnWorker(XnnWorker&&) noexcept = default;
XnnWorker& XnnWorker::operator=(XnnWorker&&) noexcept = default;
XnnWorker::~XnnWorker() = default;

Result<XnnWorker> XnnWorker::create(const XnnLayout&) {
  return none();
}

Status XnnWorker::prepare(std::size_t, std::size_t, std::size_t, std::size_t) {
  return none();
}

Status XnnWorker::run(const XnnMatrix&, std::size_t, std::size_t, std::size_t, const std::int8_t*, const XnnRowParams*,
                      float*, std::size_t) noexcept {
  return none();
}

}  // namespace lfm::ops
