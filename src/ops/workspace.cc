#include <algorithm>
#include <tuple>

#include "ops/context.h"

namespace lfm::ops {
namespace {

using base::Arena;
using kernels::kMaxTokens;
using kernels::kTileRows;

template <typename T>
struct Request {
  Arena::Handle<T> handle;
  std::span<T>* target;
};

// Collects what is wanted, then hands it out: reserve() everything, allocate once, then assign().
class Requests {
 public:
  explicit Requests(Arena& arena) : arena_(arena) {}

  template <typename T>
  void want(std::span<T>& target, std::size_t count) {
    std::get<std::vector<Request<T>>>(wanted_).push_back({arena_.reserve<T>(count), &target});
  }

  void assign() {
    std::apply([&](auto&... lists) { (assign_list(lists), ...); }, wanted_);
  }

 private:
  template <typename T>
  void assign_list(std::vector<Request<T>>& list) {
    for (Request<T>& request : list) *request.target = arena_.get(request.handle);
  }

  Arena& arena_;
  std::tuple<std::vector<Request<float>>, std::vector<Request<std::byte>>, std::vector<Request<std::int8_t>>,
             std::vector<Request<std::uint32_t>>, std::vector<Request<XnnRowParams>>, std::vector<Request<Choice>>,
             std::vector<Request<ExpertTile>>>
      wanted_;
};

struct ActivationSpans {
  std::span<std::byte> blocks;
  std::span<float> floats;
  std::span<std::int8_t> rows;
  std::span<XnnRowParams> params;

  void want(Requests& requests, std::size_t tokens, std::size_t k, Forms forms) {
    if (forms & kBlocks) requests.want(blocks, tokens * kernels::act_row_bytes(k));
    if (forms & kFloats) requests.want(floats, tokens * k);
    if (forms & kRows) {
      requests.want(rows, tokens * k + kXnnExtraBytes);
      requests.want(params, tokens);
    }
  }
  Activations get() const { return {blocks.data(), floats.data(), rows.data(), params.data()}; }
};

}  // namespace

Result<Workspace> Workspace::create(const Dimensions& d) {
  Workspace w;
  w.dimensions_ = d;
  w.members.resize(d.threads);
  const std::size_t tokens = d.max_tokens;
  const std::size_t pairs = tokens * d.experts_used;
  const std::size_t splits = (d.max_positions + kernels::kSplit - 1) / kernels::kSplit;
  const std::size_t padded_hidden = d.hidden + kernels::kTileRows;
  const std::size_t padded_experts = base::round_up(d.experts, kernels::kTileRows);
  constexpr Forms kAll = kBlocks | kFloats | kRows;

  Requests requests(w.arena_);
  requests.want(w.x, tokens * d.hidden);
  requests.want(w.wide, tokens * d.widest_output);
  requests.want(w.mixed, tokens * d.widest_input);
  requests.want(w.narrow, tokens * padded_hidden);
  requests.want(w.choices, pairs);
  requests.want(w.router_logits, padded_experts);
  requests.want(w.cos, tokens * d.head_dim / 2);
  requests.want(w.sin, tokens * d.head_dim / 2);
  requests.want(w.partial_m, d.heads * splits);
  requests.want(w.partial_l, d.heads * splits);
  requests.want(w.partial_o, d.heads * splits * d.head_dim);
  ActivationSpans shared;
  ActivationSpans inner;
  shared.want(requests, tokens, d.widest_input, kAll);
  inner.want(requests, pairs, d.expert_width, kBlocks | kFloats);

  std::vector<ActivationSpans> single(d.threads);
  for (unsigned i = 0; i < d.threads; ++i) {
    Private& p = w.members[i];
    single[i].want(requests, 1, d.widest_input, kAll);
    requests.want(p.row, d.widest_input);
    requests.want(p.panel, std::max(tokens * kMaxColumnTiles * kTileRows, padded_hidden));
    requests.want(p.tile, std::max({kMaxTokens * 2 * kMaxColumnTiles * kTileRows, kStrips * padded_hidden,
                                    kStrips * d.expert_width}));
    requests.want(p.choices, d.experts_used);
    requests.want(p.logits, kMaxTokens * padded_experts);
    requests.want(p.tiles, pairs);  // as many as there can be
    requests.want(p.pair_token, pairs);
    requests.want(p.pair_weight, pairs);
    requests.want(p.expert_begin, d.experts + 1);
    requests.want(p.expert_tile, d.experts + 1);
    requests.want(p.queries, kernels::kMaxQueries * d.head_dim);
    requests.want(p.partial_ml, 2 * splits * kernels::kMaxQueries);
    requests.want(p.partial_o, splits * kernels::kMaxQueries * d.head_dim);
  }
  auto status = w.arena_.allocate();
  if (!status.ok()) return std::move(status).error();
  requests.assign();
  w.shared = shared.get();
  w.inner = inner.get();
  for (unsigned i = 0; i < d.threads; ++i) w.members[i].token = single[i].get();
  return w;
}

}  // namespace lfm::ops
