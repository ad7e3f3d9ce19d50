#include "quantize/calibrated.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.h"
#include "ops/experts.h"
#include "quantize/blocks/encode.h"
#include "quantize/float_layer.h"
#include "quantize/gptq.h"
#include "quantize/matrices.h"
#include "quantize/moments.h"

namespace lfm::quantize {
namespace {

constexpr std::size_t kExpertsAtOnce = 8;  // whose outputs wait to be added in order
constexpr double kShrinkage = 1.0 / 8;     // of a matrix's columns: tokens of the layer that count with an expert's
constexpr double kShrinkageOfSquares = 32;  // which are known sooner than directions are

using Rowed = std::vector<float>;  // (tokens, columns)

// A token's place in an expert: in both streams, or in one of them.
struct Routed {
  std::size_t token;
  std::array<float, 2> weight;  // 0 where that stream doesn't choose the expert
};

class Quantiser {
 public:
  Quantiser(const engine::ModelParts& parts, const ModelWriter& writer, const Calibration& calibration,
            const kernels::Table& kernels, lfm::base::Team& team, const std::function<bool(double)>& progress,
            Imatrix& seen)
      : parts_(parts),
        calibration_(calibration),
        config_(parts.config),
        writer_(writer),
        texts_(calibration.done.prepared.texts),
        streams_(calibration.method == QuantizeMethod::kTwoStreams ? 2 : 1),
        arithmetic_{dense(kernels.isa), kernels.vector},
        team_(team),
        progress_(progress),
        seen_(seen) {}

  Status run() {
    LFM_TRY(embed());
    const CheckpointFile::State& done = calibration_.done;
    const bool goes_on = done.layers > 0 && done.streams.size() == streams_ && done.streams[0].size() == x_[0].size() &&
                         done.streams.back().size() == x_[0].size();
    if (goes_on) {
      x_ = done.streams;
      written_ = done.written;
    }
    for (std::size_t i = goes_on ? done.layers : 0; i < config_.layers.size(); ++i) {
      LFM_TRY(report(2 * i));
      LFM_TRY(mixer(i));
      LFM_TRY(report(2 * i + 1));
      LFM_TRY(config_.layers[i].moe ? experts(i) : dense_ffn(i));
      LFM_TRY(keep(i));
    }
    return {};
  }

 private:
  // That a layer is done. Its matrices are on the disk before that is said.
  Status keep(std::size_t layer) {
    if (!calibration_.checkpoint.kept()) return {};
    LFM_ASSIGN(written_, written_checksum(parts_, writer_, layer, written_));
    LFM_TRY(writer_.sync());
    return calibration_.checkpoint.save({layer + 1, written_, calibration_.done.prepared, x_});
  }

  bool two() const noexcept { return streams_ == 2; }
  bool feeds_back() const noexcept { return calibration_.method != QuantizeMethod::kNoData; }
  std::size_t last() const noexcept { return streams_ - 1; }  // the stream whose inputs are quantised for

  Status report(std::size_t halves) const {
    const double part = static_cast<double>(halves) / static_cast<double>(2 * config_.layers.size());
    return progress_(part) ? Status() : Status(Error{ErrorCode::kCancelled, "stopped"});
  }

  // Calls body(stream, first token, tokens) for every text of every stream.
  template <typename Body>
  Status for_each_text(Body&& body) {
    return for_each(team_, streams_ * texts_.size(), [&](std::size_t i) {
      const std::size_t text = i / streams_;
      body(i % streams_, starts_[text], texts_[text].size());
      return Status();
    });
  }

  Status embed();
  Status norm(std::size_t layer, std::string_view gamma);
  void round(std::vector<Rowed>& inputs, std::size_t columns);
  Result<Moments> moments(const std::vector<Rowed>& inputs, std::size_t columns);
  Moments no_moments(std::size_t columns) const {
    using Kind = Moments::Kind;
    return Moments(columns, two() ? Kind::kTwoStreams : feeds_back() ? Kind::kOneStream : Kind::kSquares);
  }
  double shrinkage(std::size_t columns) const {
    return feeds_back() ? kShrinkage * static_cast<double>(columns) : kShrinkageOfSquares;
  }
  Guide guide(Moments moments) const {
    if (!feeds_back()) moments.shrink(kShrinkageOfSquares);
    moments.to_means();
    if (!feeds_back()) return std::move(moments.h);
    return Feedback(arithmetic_.dense, moments.k, std::move(moments.h), std::move(moments.c));
  }
  Result<std::vector<Matrix>> quantise_all(std::size_t layer, std::initializer_list<std::string_view> names,
                                           Moments moments);
  void note(std::size_t tensor, std::size_t number, std::span<const float> squares, double tokens) {
    const model::Tensor& of = parts_.table.tensors[tensor];
    seen_.add(gguf_name(of), of.count(), number, squares, tokens);
  }
  Status add_output(std::size_t layer, std::string_view name, std::vector<Rowed>& inputs);
  Status add_products(std::size_t stream, const Matrix& matrix, const Rowed& inputs);

  Status mixer(std::size_t layer);
  Status dense_ffn(std::size_t layer);
  Status experts(std::size_t layer);
  Result<std::vector<std::vector<Routed>>> route(std::size_t layer);
  struct Outputs {
    std::vector<Routed> tokens;
    std::array<Rowed, 2> y;        // of the tokens, in order
    std::vector<float> in, inner;  // sums of squares of what goes into its matrices
    double own = 0;                // tokens of them
  };
  Status expert(std::size_t layer, std::size_t number, const Moments& shared, Outputs& out) const;
  void add(const Outputs& outputs);

  const engine::ModelParts& parts_;
  const Calibration& calibration_;
  const model::Config& config_;
  const ModelWriter& writer_;
  const std::vector<std::vector<TokenId>>& texts_;
  const std::size_t streams_;
  const Arithmetic arithmetic_;
  lfm::base::Team& team_;
  const std::function<bool(double)>& progress_;
  Imatrix& seen_;
  std::vector<std::size_t> starts_;  // of texts, in tokens
  std::size_t tokens_ = 0;
  std::uint64_t written_ = 0;  // checksum of what all layers so far have in the file
  std::vector<Rowed> x_, in_;  // of each stream: the residual stream, and what goes into the next matrices
};

Status Quantiser::embed() {
  const std::size_t hidden = config_.hidden;
  const auto& tensors = parts_.table.tensors;
  const auto tensor = static_cast<std::size_t>(
      std::ranges::find_if(
          tensors, [](const model::Tensor& t) { return t.row->member == model::Member(&model::Weights::embedding); }) -
      tensors.begin());
  for (const auto& text : texts_) {
    starts_.push_back(tokens_);
    tokens_ += text.size();
  }
  x_.assign(streams_, Rowed(tokens_ * hidden));
  in_.resize(streams_);
  const format::TensorType type = writer_.type(tensor);
  return for_each(team_, texts_.size(), [&](std::size_t i) -> Status {
    std::vector<float> row;
    std::vector<std::byte> bytes(hidden / format::block_columns(type) * format::block_bytes(type));
    for (std::size_t t = 0; t < texts_[i].size(); ++t) {
      const std::size_t at = (starts_[i] + t) * hidden;
      LFM_TRY(read_rows(parts_, {tensor, 0, static_cast<std::uint64_t>(texts_[i][t]), 1}, row));
      std::copy(row.begin(), row.end(), x_[0].data() + at);
      if (!two()) continue;
      if (encode(type, row, nullptr, bytes.data()) >= 0)
        return Error{ErrorCode::kNumeric, "a weight that the type can't hold", writer_.name(tensor)};
      decode(type, bytes.data(), 1, hidden, x_[1].data() + at);
    }
    return {};
  });
}

Status Quantiser::norm(std::size_t layer, std::string_view name) {
  LFM_ASSIGN(const std::vector<float> gamma, read_vector(parts_, layer, name));
  for (Rowed& in : in_) in.resize(tokens_ * config_.hidden);
  return for_each_text([&](std::size_t s, std::size_t first, std::size_t count) {
    const std::size_t at = first * config_.hidden;
    norm_rows(arithmetic_, x_[s].data() + at, count, gamma, config_.norm_eps, in_[s].data() + at);
  });
}

// The quantised network's inputs, as its kernels have them.
void Quantiser::round(std::vector<Rowed>& inputs, std::size_t columns) {
  if (two()) round_to_int8(inputs[1].data(), tokens_, columns);
}

Result<Moments> Quantiser::moments(const std::vector<Rowed>& inputs, std::size_t columns) {
  Moments all = no_moments(columns);
  all.add(arithmetic_.dense, inputs[last()].data(), inputs[0].data(), tokens_, team_);
  return all;
}

Result<std::vector<Matrix>> Quantiser::quantise_all(std::size_t layer, std::initializer_list<std::string_view> names,
                                                    Moments moments) {
  for (const std::string_view name : names) note(tensor_of(parts_, layer, name), 0, moments.squares(), moments.count);
  const Guide guided = guide(std::move(moments));
  std::vector<Matrix> matrices;
  for (const std::string_view name : names) {
    LFM_ASSIGN(Matrix matrix, read_matrix(parts_, tensor_of(parts_, layer, name), 0));
    LFM_TRY(quantise(writer_, guided, matrix, team_));
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

// x += inputs * the matrix
Status Quantiser::add_products(std::size_t stream, const Matrix& matrix, const Rowed& inputs) {
  return for_each(team_, texts_.size(), [&](std::size_t i) {
    const std::size_t first = starts_[i], count = texts_[i].size();
    Rowed y(count * matrix.rows);
    arithmetic_.dense.rows(inputs.data() + first * matrix.columns, count, matrix.of_stream(stream).data(), matrix.rows,
                           matrix.columns, y.data());
    float* x = x_[stream].data() + first * matrix.rows;
    for (std::size_t j = 0; j < y.size(); ++j) x[j] += y[j];
    return Status();
  });
}

// The float network's inputs, which are the most that there is in memory, go before the matrix is quantised.
Status Quantiser::add_output(std::size_t layer, std::string_view name, std::vector<Rowed>& inputs) {
  const std::size_t tensor = tensor_of(parts_, layer, name), columns = parts_.table.tensors[tensor].columns;
  round(inputs, columns);
  LFM_ASSIGN(Moments all, moments(inputs, columns));
  {
    LFM_ASSIGN(const Matrix original, read_matrix(parts_, tensor, 0));
    LFM_TRY(add_products(0, original, inputs[0]));
    Rowed().swap(inputs[0]);
  }
  LFM_ASSIGN(const std::vector<Matrix> matrix, quantise_all(layer, {name}, std::move(all)));
  return two() ? add_products(1, matrix[0], inputs[1]) : Status();
}

Status Quantiser::mixer(std::size_t layer) {
  const std::size_t hidden = config_.hidden;
  LFM_TRY(norm(layer, "attn_norm.weight"));
  round(in_, hidden);
  LFM_ASSIGN(Moments all, moments(in_, hidden));
  const bool attention = config_.layers[layer].attention();
  const std::size_t width = attention ? config_.heads * config_.head_dim : hidden;
  std::vector<Rowed> mixed(streams_, Rowed(tokens_ * width));
  if (attention) {
    LFM_ASSIGN(const std::vector<Matrix> qkv,
               quantise_all(layer, {"attn_q.weight", "attn_k.weight", "attn_v.weight"}, std::move(all)));
    LFM_ASSIGN(const std::vector<float> q_norm, read_vector(parts_, layer, "attn_q_norm.weight"));
    LFM_ASSIGN(const std::vector<float> k_norm, read_vector(parts_, layer, "attn_k_norm.weight"));
    LFM_TRY(for_each_text([&](std::size_t s, std::size_t first, std::size_t count) {
      const AttentionWeights weights = {qkv[0].of_stream(s), qkv[1].of_stream(s), qkv[2].of_stream(s), q_norm, k_norm};
      attend(arithmetic_, weights, config_, config_.layers[layer].kv_heads, in_[s].data() + first * hidden, count,
             mixed[s].data() + first * width);
    }));
    return add_output(layer, "attn_output.weight", mixed);
  }
  LFM_ASSIGN(const std::vector<Matrix> in_proj, quantise_all(layer, {"shortconv.in_proj.weight"}, std::move(all)));
  LFM_ASSIGN(const std::vector<float> taps, read_vector(parts_, layer, "shortconv.conv.weight"));
  LFM_TRY(for_each_text([&](std::size_t s, std::size_t first, std::size_t count) {
    convolve(arithmetic_, {in_proj[0].of_stream(s), taps}, config_, in_[s].data() + first * hidden, count,
             mixed[s].data() + first * width);
  }));
  return add_output(layer, "shortconv.out_proj.weight", mixed);
}

Status Quantiser::dense_ffn(std::size_t layer) {
  const std::size_t hidden = config_.hidden, width = config_.layers[layer].ffn_width;
  LFM_TRY(norm(layer, "ffn_norm.weight"));
  round(in_, hidden);
  LFM_ASSIGN(Moments all, moments(in_, hidden));
  std::vector<Rowed> inner(streams_, Rowed(tokens_ * width));
  {
    LFM_ASSIGN(const std::vector<Matrix> both,
               quantise_all(layer, {"ffn_gate.weight", "ffn_up.weight"}, std::move(all)));
    LFM_TRY(for_each_text([&](std::size_t s, std::size_t first, std::size_t count) {
      gated(arithmetic_, both[0].of_stream(s), both[1].of_stream(s), width, in_[s].data() + first * hidden, count,
            hidden, inner[s].data() + first * width);
    }));
  }
  for (Rowed& in : in_) Rowed().swap(in);
  return add_output(layer, "ffn_down.weight", inner);
}

// The tokens of every expert, those of the quantised stream first.
Result<std::vector<std::vector<Routed>>> Quantiser::route(std::size_t layer) {
  const std::size_t hidden = config_.hidden, experts = config_.experts, used = config_.experts_used;
  LFM_ASSIGN(const std::vector<float> router, read_vector(parts_, layer, "ffn_gate_inp.weight"));
  LFM_ASSIGN(const std::vector<float> bias, read_vector(parts_, layer, "exp_probs_b.bias"));
  std::vector<std::vector<ops::Choice>> chosen(streams_, std::vector<ops::Choice>(tokens_ * used));
  LFM_TRY(for_each_text([&](std::size_t s, std::size_t first, std::size_t count) {
    Rowed logits(count * experts);
    arithmetic_.dense.rows(in_[s].data() + first * hidden, count, router.data(), experts, hidden, logits.data());
    for (std::size_t t = 0; t < count; ++t) {
      ops::choose_experts(logits.data() + t * experts, bias.data(), experts,
                          std::span(chosen[s]).subspan((first + t) * used, used));
    }
  }));
  std::vector<std::vector<Routed>> routed(experts);
  const auto weight = [&](std::size_t s, std::size_t token, std::size_t expert) {
    for (const ops::Choice& choice : std::span(chosen[s]).subspan(token * used, used)) {
      if (choice.expert == expert) return choice.weight;
    }
    return 0.0f;
  };
  for (const bool first_stream_only : {false, true}) {
    for (std::size_t t = 0; t < tokens_; ++t) {
      const std::size_t from = first_stream_only ? 0 : last();
      for (const ops::Choice& choice : std::span(chosen[from]).subspan(t * used, used)) {
        const float other = two() ? weight(1 - from, t, choice.expert) : 0;
        if (first_stream_only && (!two() || other != 0)) continue;
        Routed token{t, {choice.weight, other}};
        if (from == 1) std::swap(token.weight[0], token.weight[1]);
        routed[choice.expert].push_back(token);
      }
    }
  }
  return routed;
}

// One expert on its tokens, by one thread.
Status Quantiser::expert(std::size_t layer, std::size_t number, const Moments& shared, Outputs& out) const {
  const std::size_t hidden = config_.hidden, width = config_.layers[layer].ffn_width;
  const std::size_t count = out.tokens.size();
  const auto own = static_cast<std::size_t>(
      std::ranges::count_if(out.tokens, [&](const Routed& token) { return token.weight[last()] != 0; }));
  std::array<Rowed, 2> in, inner;
  const auto size = [&](std::size_t s) { return s == last() ? own : count; };
  for (std::size_t s = 0; s < streams_; ++s) {
    in[s].resize(size(s) * hidden);
    inner[s].resize(size(s) * width);
    for (std::size_t i = 0; i < size(s); ++i)
      std::copy_n(in_[s].data() + out.tokens[i].token * hidden, hidden, in[s].data() + i * hidden);
  }
  const auto read = [&](std::string_view name) { return read_matrix(parts_, tensor_of(parts_, layer, name), number); };
  LFM_ASSIGN(Matrix gate, read("ffn_gate_exps.weight"));
  LFM_ASSIGN(Matrix up, read("ffn_up_exps.weight"));
  {
    Moments all = no_moments(hidden);
    all.add(arithmetic_.dense, in[last()].data(), in[0].data(), own);
    out.in = all.squares();
    out.own = all.count;
    all.shrink(shared, shrinkage(hidden));
    const Guide guided = guide(std::move(all));
    LFM_TRY(quantise(writer_, guided, gate));
    LFM_TRY(quantise(writer_, guided, up));
  }
  for (std::size_t s = 0; s < streams_; ++s)
    gated(arithmetic_, gate.of_stream(s), up.of_stream(s), width, in[s].data(), size(s), hidden, inner[s].data());
  if (two()) round_to_int8(inner[1].data(), own, width);
  LFM_ASSIGN(Matrix down, read("ffn_down_exps.weight"));
  Moments all = no_moments(width);
  all.add(arithmetic_.dense, inner[last()].data(), inner[0].data(), own);
  out.inner = all.squares();
  if (feeds_back()) all.shrink(shrinkage(width));
  LFM_TRY(quantise(writer_, guide(std::move(all)), down));
  for (std::size_t s = 0; s < streams_; ++s) {
    out.y[s].resize(size(s) * hidden);
    arithmetic_.dense.rows(inner[s].data(), size(s), down.of_stream(s).data(), hidden, width, out.y[s].data());
  }
  return {};
}

void Quantiser::add(const Outputs& outputs) {
  const std::size_t hidden = config_.hidden;
  for (std::size_t s = 0; s < streams_; ++s) {
    for (std::size_t i = 0; i < outputs.y[s].size() / hidden; ++i) {
      const Routed& token = outputs.tokens[i];
      float* x = x_[s].data() + token.token * hidden;
      for (std::size_t j = 0; j < hidden; ++j) x[j] += token.weight[s] * outputs.y[s][i * hidden + j];
    }
  }
}

Status Quantiser::experts(std::size_t layer) {
  LFM_TRY(norm(layer, "ffn_norm.weight"));
  LFM_ASSIGN(std::vector<std::vector<Routed>> routed, route(layer));
  round(in_, config_.hidden);
  LFM_ASSIGN(const Moments shared, moments(in_, config_.hidden));
  for (std::size_t first = 0; first < config_.experts; first += kExpertsAtOnce) {
    std::vector<Outputs> outputs(std::min(kExpertsAtOnce, config_.experts - first));
    LFM_TRY(for_each(team_, outputs.size(), [&](std::size_t i) {
      outputs[i].tokens = std::move(routed[first + i]);
      return expert(layer, first + i, shared, outputs[i]);
    }));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      add(outputs[i]);
      for (const std::string_view name : {"ffn_gate_exps.weight", "ffn_up_exps.weight"})
        note(tensor_of(parts_, layer, name), first + i, outputs[i].in, outputs[i].own);
      note(tensor_of(parts_, layer, "ffn_down_exps.weight"), first + i, outputs[i].inner, outputs[i].own);
    }
  }
  return {};
}

}  // namespace

bool is_calibrated(const ModelWriter& writer, std::size_t tensor) noexcept {
  return is_layer_matrix(writer.tensor(tensor)) && format::block_columns(writer.type(tensor)) > 1;
}

Result<std::uint64_t> written_checksum(const engine::ModelParts& parts, const ModelWriter& writer, std::size_t layer,
                                       std::uint64_t before) {
  std::uint64_t sum = before;
  for (std::size_t t = 0; t < parts.table.tensors.size(); ++t) {
    if (parts.table.tensors[t].layer != layer || !is_calibrated(writer, t)) continue;
    LFM_ASSIGN(sum, writer.checksum(t, sum));
  }
  return sum;
}

Status quantize_calibrated(const engine::ModelParts& parts, const ModelWriter& writer, const Calibration& calibration,
                           const kernels::Table& kernels, lfm::base::Team& team,
                           const std::function<bool(double part)>& progress, Imatrix& seen) {
  return Quantiser(parts, writer, calibration, kernels, team, progress, seen).run();
}

}  // namespace lfm::quantize
