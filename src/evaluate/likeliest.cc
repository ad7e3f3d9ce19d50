#include "evaluate/likeliest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace lfm::evaluate {
namespace {

struct RowHead {
  float text, rest;
};
struct RowToken {
  TokenId id;
  float log_probability;
};
static_assert(sizeof(RowHead) == 8 && sizeof(RowToken) == 8);

RowToken row_token(std::span<const std::uint16_t> row, std::size_t i) noexcept {
  RowToken token;
  std::memcpy(&token, row.data() + likeliest_words(i), sizeof token);
  return token;
}
std::size_t tokens_in(std::span<const std::uint16_t> row) noexcept {
  return (row.size() - likeliest_words(0)) / 4;
}

}  // namespace

Likeliest likeliest(std::span<const float> logits, const Normalized& normalized, std::size_t count) {
  Likeliest found;
  count = std::min(count, logits.size());
  found.ids.resize(logits.size());
  std::iota(found.ids.begin(), found.ids.end(), 0);
  const auto logit = [&](TokenId id) { return logits[static_cast<std::size_t>(id)]; };
  std::partial_sort(found.ids.begin(), found.ids.begin() + static_cast<std::ptrdiff_t>(count), found.ids.end(),
                    [&](TokenId a, TokenId b) { return logit(a) != logit(b) ? logit(a) > logit(b) : a < b; });
  double rest = 0;
  for (std::size_t i = count; i < found.ids.size(); ++i)
    rest += std::exp(normalized.log_probability(logit(found.ids[i])));
  found.ids.resize(count);
  found.ids.shrink_to_fit();
  for (const TokenId id : found.ids)
    found.log_probabilities.push_back(static_cast<float>(normalized.log_probability(logit(id))));
  found.log_rest = static_cast<float>(std::log(rest));
  return found;
}

double divergence(const Likeliest& base, std::span<const float> logits, const Normalized& normalized) noexcept {
  double sum = 0, left = 1;
  for (std::size_t i = 0; i < base.ids.size(); ++i) {
    const double p = static_cast<double>(base.log_probabilities[i]);
    const double q = normalized.log_probability(logits[static_cast<std::size_t>(base.ids[i])]);
    sum += std::exp(p) * (p - q);
    left -= std::exp(q);
  }
  constexpr double kLeast = 1e-12;  // which differences of sums can't tell from nothing
  const double p = static_cast<double>(base.log_rest);
  if (std::exp(p) > kLeast) sum += std::exp(p) * (p - std::log(std::max(left, kLeast)));
  return sum;
}

void encode_likeliest(const Likeliest& likeliest, double log_probability, std::span<std::uint16_t> row) noexcept {
  const RowHead head{static_cast<float>(log_probability), likeliest.log_rest};
  std::memcpy(row.data(), &head, sizeof head);
  for (std::size_t i = 0; i < likeliest.ids.size(); ++i) {
    const RowToken token{likeliest.ids[i], likeliest.log_probabilities[i]};
    std::memcpy(row.data() + likeliest_words(i), &token, sizeof token);
  }
}

bool are_tokens(std::span<const std::uint16_t> row, std::size_t vocabulary) noexcept {
  for (std::size_t i = 0; i < tokens_in(row); ++i) {
    if (static_cast<std::size_t>(row_token(row, i).id) >= vocabulary) return false;
  }
  return true;
}

Compared compare_likeliest(std::span<const float> logits, const Normalized& normalized,
                           std::span<const std::uint16_t> row) {
  RowHead head;
  std::memcpy(&head, row.data(), sizeof head);
  Likeliest base;
  base.log_rest = head.rest;
  for (std::size_t i = 0; i < tokens_in(row); ++i) {
    const RowToken token = row_token(row, i);
    base.ids.push_back(token.id);
    base.log_probabilities.push_back(token.log_probability);
  }
  return {divergence(base, logits, normalized), static_cast<double>(head.text),
          static_cast<std::size_t>(base.ids.front()) == normalized.top};
}

}  // namespace lfm::evaluate
