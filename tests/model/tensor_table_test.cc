// The closed table of tensors: what is accepted, and files that are wrong in one place (groups K, P and T).
#include "model/tensor_table.h"

#include <gtest/gtest.h>

#include "support/expect.h"
#include "support/file_case.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using format::TensorType;

std::uint32_t number(TensorType type) {
  return static_cast<std::uint32_t>(type);
}

TEST(TensorTableTest, EveryTensorHasItsPlace) {
  const auto loaded = load(TinyModel().builder());
  ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
  const model::TensorTable& table = loaded->table;
  EXPECT_EQ(table.embedding->name, "token_embd.weight");
  EXPECT_EQ(table.output_norm->name, "token_embd_norm.weight");
  EXPECT_EQ(table.output, nullptr);
  EXPECT_EQ(table.head(), table.embedding);
  ASSERT_EQ(table.layers.size(), 3u);

  const model::LayerTensors& conv = table.layers[0];
  EXPECT_EQ(conv.attn_norm->name, "blk.0.attn_norm.weight");
  EXPECT_EQ(conv.ffn_norm->name, "blk.0.ffn_norm.weight");
  EXPECT_EQ(conv.in_proj->name, "blk.0.shortconv.in_proj.weight");
  EXPECT_EQ(conv.conv->name, "blk.0.shortconv.conv.weight");
  EXPECT_EQ(conv.out_proj->name, "blk.0.shortconv.out_proj.weight");
  EXPECT_EQ(conv.gate->name, "blk.0.ffn_gate.weight");
  EXPECT_EQ(conv.up->name, "blk.0.ffn_up.weight");
  EXPECT_EQ(conv.down->name, "blk.0.ffn_down.weight");
  EXPECT_EQ(conv.q, nullptr);
  EXPECT_EQ(conv.router, nullptr);

  const model::LayerTensors& attention = table.layers[1];
  EXPECT_EQ(attention.q->name, "blk.1.attn_q.weight");
  EXPECT_EQ(attention.k->name, "blk.1.attn_k.weight");
  EXPECT_EQ(attention.v->name, "blk.1.attn_v.weight");
  EXPECT_EQ(attention.o->name, "blk.1.attn_output.weight");
  EXPECT_EQ(attention.q_norm->name, "blk.1.attn_q_norm.weight");
  EXPECT_EQ(attention.k_norm->name, "blk.1.attn_k_norm.weight");
  EXPECT_EQ(attention.router->name, "blk.1.ffn_gate_inp.weight");
  EXPECT_EQ(attention.router_bias->name, "blk.1.exp_probs_b.bias");
  EXPECT_EQ(attention.gate_exps->name, "blk.1.ffn_gate_exps.weight");
  EXPECT_EQ(attention.up_exps->name, "blk.1.ffn_up_exps.weight");
  EXPECT_EQ(attention.down_exps->name, "blk.1.ffn_down_exps.weight");
  EXPECT_EQ(attention.in_proj, nullptr);
  EXPECT_EQ(attention.gate, nullptr);
}

TEST(TensorTableTest, Totals) {
  const auto loaded = load(TinyModel().builder());
  ASSERT_TRUE(loaded.ok());
  const model::TensorTotals& totals = loaded->table.totals;
  std::uint64_t parameters = 0;
  for (const auto& tensor : loaded->gguf.tensors()) parameters += tensor.elements();
  const std::uint64_t idle = 2 * 2 * 3 * 64 * 64;  // layers, experts not used, matrices
  EXPECT_EQ(totals.parameters, parameters);
  EXPECT_EQ(totals.active_parameters, parameters - idle);
  EXPECT_EQ(totals.bytes, parameters * 4);
  EXPECT_EQ(totals.bytes_per_token, (parameters - idle) * 4);
}

TEST(TensorTableTest, TotalsOfAHeadOfItsOwn) {
  TinyModel tiny;
  tiny.tied = false;
  tiny.moe = false;
  const auto loaded = load(tiny.builder());
  ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
  const model::TensorTable& table = loaded->table;
  EXPECT_EQ(table.head()->name, "output.weight");
  EXPECT_EQ(table.totals.active_parameters, table.totals.parameters);
  EXPECT_EQ(table.totals.bytes_per_token, table.totals.bytes - (300 - 1) * 64 * 4);
}

TEST(TensorTableTest, EveryTypeThatIsRun) {
  for (const TensorType type :
       {TensorType::kF32, TensorType::kF16, TensorType::kBF16, TensorType::kQ4_0, TensorType::kQ4_1, TensorType::kQ5_0,
        TensorType::kQ5_1, TensorType::kQ8_0, TensorType::kQ4_K, TensorType::kQ5_K, TensorType::kQ6_K}) {
    TinyModel tiny;
    tiny.hidden = tiny.ffn_width = tiny.expert_width = 256;
    tiny.matrices = tiny.embedding = type;
    for (const bool moe : {false, true}) {
      tiny.moe = moe;
      expect_ok(load(tiny.builder()));
    }
  }
}

TEST(TensorTableTest, OtherSizes) {
  const std::function<void(TinyModel&)> changes[] = {
      [](TinyModel& m) { m.experts = 12, m.experts_used = 3, m.vocab = 3000, m.dense_layers = 1; },
      [](TinyModel& m) { m.experts = 1, m.experts_used = 1; },
      [](TinyModel& m) { m.experts = 64, m.kv_heads.assign(40, 0), m.kv_heads[7] = 2, m.expert_width = 32; },
      [](TinyModel& m) { m.dense_layers = 0; },
      [](TinyModel& m) { m.dense_layers = 3; },
      [](TinyModel& m) { m.conv_taps = 8; },
      [](TinyModel& m) { m.vocab = 1, m.tokenizer = false; },
      [](TinyModel& m) {
        m.hidden = 96, m.heads = 3, m.kv_heads = {3, 0, 1};
      },
  };
  for (const auto& change : changes) {
    TinyModel tiny;
    tiny.matrices = TensorType::kQ4_0;
    change(tiny);
    expect_ok(load(tiny.builder()));
  }
}

TEST(TensorTableTest, HeadsWiderThanTheStream) {
  GgufBuilder file = TinyModel().builder();
  file.set_u32("lfm2moe.attention.key_length", 96);
  const std::pair<const char*, std::vector<std::uint64_t>> tensors[] = {
      {"attn_q.weight", {64, 192}},      {"attn_k.weight", {64, 96}},  {"attn_v.weight", {64, 96}},
      {"attn_output.weight", {192, 64}}, {"attn_q_norm.weight", {96}}, {"attn_k_norm.weight", {96}}};
  for (const auto& [name, dims] : tensors) {
    file.erase_tensor(std::string("blk.1.") + name);
    file.add_tensor(std::string("blk.1.") + name, dims);
  }
  expect_ok(load(file));
}

TEST(TensorTableTest, RouterInHalfPrecision) {
  for (const TensorType type : {TensorType::kF16, TensorType::kBF16}) {
    GgufBuilder file = TinyModel().builder();
    auto& router = file.tensor("blk.1.ffn_gate_inp.weight");
    router.type = number(type);
    router.data.resize(router.data.size() / 2);
    expect_ok(load(file));
  }
}

TEST(TensorTableTest, K13_FloatsNeedNoQuantizationVersion) {
  GgufBuilder file = TinyModel().builder();
  file.erase("general.quantization_version");
  expect_ok(load(file));
}

TEST(TensorTableTest, T17_EachTensorMissingInTurn) {
  for (const bool moe : {false, true}) {
    TinyModel tiny;
    tiny.moe = moe;
    const GgufBuilder whole = tiny.builder();
    for (const auto& tensor : whole.tensors) {
      GgufBuilder file = whole;
      file.erase_tensor(tensor.name);
      expect_error(load(file), ErrorCode::kFormat, tensor.name + ": the tensor is missing");
    }
  }
}

class TensorTableRefused : public testing::TestWithParam<FileCase> {};

TEST_P(TensorTableRefused, ByName) {
  TinyModel tiny;
  tiny.matrices = TensorType::kQ8_0;
  GgufBuilder file = tiny.builder();
  GetParam().change(file);
  expect_error(load(file), GetParam().code, GetParam().says);
}

// The tensor with other dimensions and as much data as they need.
std::function<void(GgufBuilder&)> shaped(const std::string& name, std::vector<std::uint64_t> dims) {
  return [=](GgufBuilder& f) {
    GgufBuilder::Tensor& tensor = f.tensor(name);
    std::uint64_t rows = 1;
    for (std::size_t i = 1; i < dims.size(); ++i) rows *= dims[i];
    tensor.dims = dims;
    tensor.data.assign(*format::row_bytes(*format::tensor_type(tensor.type), dims[0]) * rows, '\0');
  };
}

std::function<void(GgufBuilder&)> typed(const std::string& name, TensorType type) {
  return [=](GgufBuilder& f) {
    f.tensor(name).type = number(type);
    shaped(name, f.tensor(name).dims)(f);
  };
}

std::function<void(GgufBuilder&)> added(const std::string& name, std::vector<std::uint64_t> dims) {
  return [=](GgufBuilder& f) { f.add_tensor(name, dims); };
}

std::vector<FileCase> shape_cases() {
  constexpr auto kFormat = ErrorCode::kFormat;
  return {
      {"T12_transposed", shaped("blk.0.ffn_gate.weight", {96, 64}), kFormat,
       "blk.0.ffn_gate.weight: the shape is [96, 64], expected [64, 96]"},
      {"T12_three_experts", shaped("blk.1.ffn_gate_exps.weight", {64, 64, 3}), kFormat,
       "blk.1.ffn_gate_exps.weight: the shape is [64, 64, 3], expected [64, 64, 4]"},
      {"T12_five_experts", shaped("blk.2.ffn_down_exps.weight", {64, 64, 5}), kFormat,
       "blk.2.ffn_down_exps.weight: the shape is [64, 64, 5]"},
      {"T12_four_taps", shaped("blk.0.shortconv.conv.weight", {4, 64}), kFormat,
       "blk.0.shortconv.conv.weight: the shape is [4, 64], expected [3, 64]"},
      {"T12_taps_transposed", shaped("blk.0.shortconv.conv.weight", {64, 3}), kFormat, "the shape is [64, 3]"},
      {"T12_taps_as_in_torch", shaped("blk.0.shortconv.conv.weight", {3, 1, 64}), kFormat, "the shape is [3, 1, 64]"},
      {"T12_norm_of_two_dimensions", shaped("blk.0.attn_norm.weight", {64, 2}), kFormat, "the shape is [64, 2]"},
      {"T12_router_of_3", shaped("blk.1.ffn_gate_inp.weight", {64, 3}), kFormat, "the shape is [64, 3]"},
      {"T12_router_bias_of_3", shaped("blk.1.exp_probs_b.bias", {3}), kFormat, "the shape is [3], expected [4]"},
      {"T12_keys_of_two_heads", shaped("blk.1.attn_k.weight", {64, 64}), kFormat, "expected [64, 32]"},
      {"P12_embedding_of_299", shaped("token_embd.weight", {64, 299}), kFormat,
       "token_embd.weight: the shape is [64, 299], expected [64, 300]"},
      {"P12_embedding_of_301", shaped("token_embd.weight", {64, 301}), kFormat, "the shape is [64, 301]"},
  };
}

std::vector<FileCase> stranger_cases() {
  constexpr auto kFormat = ErrorCode::kFormat;
  const std::string stranger = ": the tensor doesn't belong to this model";
  std::vector<FileCase> cases = {
      {"T17_one_more", added("blk.3.attn_norm.weight", {64}), kFormat, "blk.3.attn_norm.weight" + stranger},
      {"T17_many_more",
       [](GgufBuilder& f) {
         for (int i = 0; i < 60000; ++i) f.add_tensor("extra." + std::to_string(i), {1});
       },
       kFormat, "extra.0" + stranger},
      {"T17_path_as_name", added("../../etc/passwd", {1}), kFormat, "../../etc/passwd" + stranger},
      {"T18_both_networks", added("blk.1.ffn_gate.weight", {64, 96}), kFormat, "blk.1.ffn_gate.weight" + stranger},
      {"T18_experts_for_layer_0", added("blk.0.ffn_gate_exps.weight", {64, 64, 4}), kFormat,
       "blk.0.ffn_gate_exps.weight" + stranger},
      {"T18_attention_in_a_convolution", added("blk.0.attn_q.weight", {64, 64}), kFormat,
       "blk.0.attn_q.weight" + stranger},
      {"rope_freqs", added("rope_freqs.weight", {16}), kFormat, "rope_freqs.weight" + stranger},
      {"output_of_another_shape", added("output.weight", {64, 299}), kFormat, "output.weight: the shape is [64, 299]"},
  };
  for (const std::uint32_t experts : {3u, 5u}) {
    cases.push_back({"P05_experts_" + std::to_string(experts),
                     [=](GgufBuilder& f) { f.set_u32("lfm2moe.expert_count", experts); }, kFormat,
                     "blk.1.ffn_gate_inp.weight: the shape is [64, 4]"});
  }
  for (const std::uint32_t taps : {2u, 4u, 8u}) {
    cases.push_back({"P08_taps_" + std::to_string(taps),
                     [=](GgufBuilder& f) { f.set_u32("lfm2moe.shortconv.l_cache", taps); }, kFormat,
                     "blk.0.shortconv.conv.weight: the shape is [3, 64]"});
  }
  return cases;
}

std::vector<FileCase> type_cases() {
  constexpr auto kUnsupported = ErrorCode::kUnsupported;
  std::vector<FileCase> cases = {
      {"T13_norm_as_q4_0", typed("blk.0.attn_norm.weight", TensorType::kQ4_0), kUnsupported,
       "blk.0.attn_norm.weight: type Q4_0 isn't supported here; F32 is"},
      {"T13_norm_as_f16", typed("token_embd_norm.weight", TensorType::kF16), kUnsupported,
       "token_embd_norm.weight: type F16 isn't supported here; F32 is"},
      {"T13_embedding_as_i32", typed("token_embd.weight", TensorType::kI32), kUnsupported,
       "token_embd.weight: type I32 isn't supported"},
      {"T13_taps_as_f16", typed("blk.0.shortconv.conv.weight", TensorType::kF16), kUnsupported, "type F16 isn't"},
      {"T13_router_as_q8_0", typed("blk.1.ffn_gate_inp.weight", TensorType::kQ8_0), kUnsupported,
       "blk.1.ffn_gate_inp.weight: type Q8_0 isn't supported here; F32, F16 or BF16 are"},
      {"T13_router_bias_as_bf16", typed("blk.1.exp_probs_b.bias", TensorType::kBF16), kUnsupported, "type BF16 isn't"},
  };
  for (const TensorType type : {TensorType::kI8, TensorType::kI16, TensorType::kI64, TensorType::kF64,
                                TensorType::kQ8_1, TensorType::kIQ4_NL, TensorType::kMXFP4, TensorType::kNVFP4}) {
    cases.push_back({"T11_" + std::string(format::to_string(type)), typed("blk.1.ffn_up_exps.weight", type),
                     kUnsupported,
                     "blk.1.ffn_up_exps.weight: type " + std::string(format::to_string(type)) + " isn't supported"});
  }
  return cases;
}

std::vector<FileCase> quantization_cases() {
  const std::string key = "general.quantization_version";
  std::vector<FileCase> cases = {{"K13_missing", [=](GgufBuilder& f) { f.erase(key); }, ErrorCode::kUnsupported,
                                  key + ": the key is missing, but quantised"},
                                 {"K13_as_string", [=](GgufBuilder& f) { f.set_string(key, "2"); }, ErrorCode::kFormat,
                                  key + ": is string, expected an integer"}};
  for (const std::uint32_t version : {0u, 1u, 3u, 99u}) {
    cases.push_back({"K13_version_" + std::to_string(version), [=](GgufBuilder& f) { f.set_u32(key, version); },
                     ErrorCode::kUnsupported, key + ": is " + std::to_string(version) + ", but quantised"});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, TensorTableRefused, testing::ValuesIn(shape_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Strangers, TensorTableRefused, testing::ValuesIn(stranger_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Types, TensorTableRefused, testing::ValuesIn(type_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Quantization, TensorTableRefused, testing::ValuesIn(quantization_cases()), case_name);

// The types whose blocks need wide rows.
class WideTensorTableRefused : public testing::TestWithParam<TensorType> {};

TEST_P(WideTensorTableRefused, T11_ByTypeAndName) {
  TinyModel tiny;
  tiny.hidden = 256;
  tiny.matrices = TensorType::kQ4_0;
  GgufBuilder file = tiny.builder();
  typed("blk.1.attn_q.weight", GetParam())(file);
  expect_error(load(file), ErrorCode::kUnsupported,
               "blk.1.attn_q.weight: type " + std::string(format::to_string(GetParam())) + " isn't supported");
}

INSTANTIATE_TEST_SUITE_P(Types, WideTensorTableRefused,
                         testing::Values(TensorType::kQ2_K, TensorType::kQ3_K, TensorType::kQ8_K, TensorType::kIQ2_XXS,
                                         TensorType::kIQ2_XS, TensorType::kIQ3_XXS, TensorType::kIQ1_S,
                                         TensorType::kIQ3_S, TensorType::kIQ2_S, TensorType::kIQ4_XS,
                                         TensorType::kIQ1_M, TensorType::kTQ1_0, TensorType::kTQ2_0,
                                         TensorType::kQ1_0));

}  // namespace
}  // namespace lfm::test
