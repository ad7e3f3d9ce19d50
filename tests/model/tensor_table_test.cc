// The closed table of tensors: what is accepted. What isn't is in tests/cases.
#include "model/tensor_table.h"

#include <gtest/gtest.h>

#include "support/expect.h"
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
  const std::uint64_t last = 64 * 64 + 4 * 64 + 2 * 3 * 64 * 64;  // o, router, experts used
  EXPECT_EQ(totals.prompt_parameters, parameters - idle - 300 * 64 - last);
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
  EXPECT_EQ(table.totals.prompt_parameters, table.totals.parameters - 2 * 300 * 64 - 64 * 64 - 3 * 64 * 96);
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

}  // namespace
}  // namespace lfm::test
