#include "quantize/moments.h"

namespace lfm::quantize {
namespace {

constexpr std::size_t kPanel = 512;  // rows and columns of a part

std::size_t panels_across(std::size_t k) noexcept {
  return (k + kPanel - 1) / kPanel;
}

}  // namespace

void Moments::add_squares(const float* x, std::size_t tokens) noexcept {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t i = 0; i < k; ++i) h[i] += x[t * k + i] * x[t * k + i];
  }
  count += static_cast<double>(tokens);
}

std::size_t Moments::panels() const noexcept {
  return panels_across(k) * panels_across(k);
}

void Moments::add_panel(const Dense& dense, const float* x, const float* y, std::size_t tokens,
                        std::size_t panel) noexcept {
  const std::size_t row = panel / panels_across(k) * kPanel, column = panel % panels_across(k) * kPanel;
  const std::size_t rows = std::min(kPanel, k - row), columns = std::min(kPanel, k - column);
  if (column <= row) dense.cross(x, x, tokens, k, row, rows, column, columns, h.data());
  if (!c.empty()) dense.cross(y, x, tokens, k, row, rows, column, columns, c.data());
}

void Moments::mirror() noexcept {
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = i + 1; j < k; ++j) h[i * k + j] = h[j * k + i];
  }
}

void Moments::add(const Dense& dense, const float* x, const float* y, std::size_t tokens) noexcept {
  if (step() == 1) return add_squares(x, tokens);
  for (std::size_t panel = 0; panel < panels(); ++panel) add_panel(dense, x, y, tokens, panel);
  mirror();
  count += static_cast<double>(tokens);
}

void Moments::add(const Dense& dense, const float* x, const float* y, std::size_t tokens, lfm::base::Team& team) {
  if (step() == 1) return add_squares(x, tokens);
  team.run([&](lfm::base::Worker& worker) {
    worker.for_each_task(panels(), [&](std::size_t panel) { add_panel(dense, x, y, tokens, panel); });
  });
  mirror();
  count += static_cast<double>(tokens);
}

void Moments::shrink(const Moments& other, double weight) noexcept {
  const double own = count > 0 ? trace() / count : 0, others = other.trace() / other.count;
  const auto scale = static_cast<float>((own > 0 && others > 0 ? own / others : 1) * weight / other.count);
  for (std::size_t i = 0; i < h.size(); ++i) h[i] += scale * other.h[i];
  for (std::size_t i = 0; i < c.size(); ++i) c[i] += scale * other.c[i];
  count += weight;
}

void Moments::shrink(double weight) noexcept {
  const double own = count > 0 ? trace() / count / static_cast<double>(k) : 0;
  const auto each = static_cast<float>((own > 0 ? own : 1) * weight);
  for (std::size_t i = 0; i < k; ++i) {
    h[i * step()] += each;
    if (!c.empty()) c[i * (k + 1)] += each;
  }
  count += weight;
}

void Moments::to_means() noexcept {
  const auto scale = static_cast<float>(1 / count);
  for (float& value : h) value *= scale;
  for (float& value : c) value *= scale;
  count = 1;
}

}  // namespace lfm::quantize
