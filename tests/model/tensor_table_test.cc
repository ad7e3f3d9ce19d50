// The closed table of tensors: what is accepted. What isn't is in tests/cases.
#include "model/tensor_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "kernels/matmul/formats.h"
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
  using model::Member;
  const std::pair<const char*, Member> kPlaces[] = {
      {"token_embd.weight", &model::Weights::embedding},
      {"token_embd_norm.weight", &model::Weights::output_norm},
      {"blk.0.attn_norm.weight", &model::Layer::operator_norm},
      {"blk.0.shortconv.in_proj.weight", &ops::ShortConv::in_proj},
      {"blk.0.shortconv.conv.weight", &ops::ShortConv::taps},
      {"blk.0.shortconv.out_proj.weight", &ops::ShortConv::out_proj},
      {"blk.0.ffn_norm.weight", &model::Layer::ffn_norm},
      {"blk.0.ffn_gate.weight", &ops::DenseFfn::gate},
      {"blk.0.ffn_up.weight", &ops::DenseFfn::up},
      {"blk.0.ffn_down.weight", &ops::DenseFfn::down},
      {"blk.1.attn_q.weight", &ops::Attention::q},
      {"blk.1.attn_k.weight", &ops::Attention::k},
      {"blk.1.attn_v.weight", &ops::Attention::v},
      {"blk.1.attn_q_norm.weight", &ops::Attention::q_norm},
      {"blk.1.attn_k_norm.weight", &ops::Attention::k_norm},
      {"blk.1.attn_output.weight", &ops::Attention::o},
      {"blk.1.ffn_gate_inp.weight", &ops::Experts::router},
      {"blk.1.exp_probs_b.bias", &ops::Experts::bias},
      {"blk.1.ffn_gate_exps.weight", &ops::Experts::gate},
      {"blk.1.ffn_up_exps.weight", &ops::Experts::up},
      {"blk.1.ffn_down_exps.weight", &ops::Experts::down},
  };
  for (const auto& [name, member] : kPlaces) {
    EXPECT_TRUE(loaded->tensor(name).row->member == member) << name;
    if (std::string_view(name).starts_with("blk.")) {
      EXPECT_EQ(loaded->tensor(name).layer, std::string_view(name)[4] - '0' + 0u) << name;
    }
  }
  EXPECT_EQ(loaded->table.tensors.size(), 2u + 2 + 3 + 3 + 2 + 6 + 5 + 2 + 3 + 5);
  EXPECT_THROW((void)loaded->tensor("output.weight"), std::out_of_range);
  const model::Tensor& experts = loaded->tensor("blk.1.ffn_down_exps.weight");
  EXPECT_EQ(experts.count(), 4u);
  EXPECT_EQ(experts.rows, 64u);
  EXPECT_EQ(experts.columns, 64u);
  EXPECT_EQ(experts.places[3].offset, experts.file.place.offset + 3 * 64 * 64 * 4);
}

// As a checkpoint of Hugging Face's has them: experts one by one, anywhere.
TEST(TensorTableTest, OtherNames) {
  const auto loaded = load(TinyModel().builder());
  ASSERT_TRUE(loaded.ok());
  std::vector<std::string> names;
  std::vector<model::FileTensor> listed;
  for (const model::Tensor& tensor : loaded->table.tensors) {
    const bool experts = tensor.row->kind == model::Kind::kExperts;
    for (std::size_t i = 0; i < (experts ? tensor.count() : 1); ++i) {
      names.push_back(name_of(*tensor.row, model::Naming::kHuggingFace, tensor.layer, i));
      model::FileTensor file = tensor.file;
      file.dims = {tensor.rows, tensor.columns};
      file.rank = 2;
      if (tensor.row->kind == model::Kind::kTaps) file.dims = {tensor.rows, 1, tensor.columns}, file.rank = 3;
      file.bytes = tensor.bytes() / (experts ? tensor.count() : 1);
      file.place = {0, listed.size()};
      listed.push_back(file);
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) listed[i].name = names[i];
  std::reverse(listed.begin(), listed.end());
  EXPECT_TRUE(std::ranges::count(names, "model.layers.1.feed_forward.experts.3.w2.weight"));
  EXPECT_TRUE(std::ranges::count(names, "model.embed_tokens.weight"));
  const auto table = match_tensors(listed, model::Naming::kHuggingFace, loaded->config);
  ASSERT_TRUE(table.ok()) << table.error().describe();
  ASSERT_EQ(table->tensors.size(), loaded->table.tensors.size());
  EXPECT_EQ(table->totals.parameters, loaded->table.totals.parameters);
  EXPECT_EQ(table->totals.bytes_per_token, loaded->table.totals.bytes_per_token);
  for (std::size_t i = 0; i < table->tensors.size(); ++i) {
    const model::Tensor& tensor = table->tensors[i];
    EXPECT_EQ(tensor.row, loaded->table.tensors[i].row);
    EXPECT_EQ(tensor.count(), loaded->table.tensors[i].count());
    for (std::size_t m = 0; m < tensor.count(); ++m)
      EXPECT_EQ(names[tensor.places[m].offset], name_of(*tensor.row, model::Naming::kHuggingFace, tensor.layer, m));
  }
  const auto without = std::span(listed).subspan(1);
  expect_error(match_tensors(without, model::Naming::kHuggingFace, loaded->config), ErrorCode::kFormat, "is missing");
  listed.push_back(listed[0]);
  expect_error(match_tensors(listed, model::Naming::kHuggingFace, loaded->config), ErrorCode::kFormat, "there twice");
}

TEST(TensorTableTest, Totals) {
  const auto loaded = load(TinyModel().builder());
  ASSERT_TRUE(loaded.ok());
  const model::TensorTotals& totals = loaded->table.totals;
  std::uint64_t parameters = 0;
  for (const auto& tensor : loaded->source->tensors) parameters += tensor.elements();
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
  EXPECT_TRUE(loaded->tensor("output.weight").row->member == model::Member(&model::Weights::head));
  EXPECT_EQ(table.totals.active_parameters, table.totals.parameters);
  EXPECT_EQ(table.totals.prompt_parameters, table.totals.parameters - 2 * 300 * 64 - 64 * 64 - 3 * 64 * 96);
  EXPECT_EQ(table.totals.bytes_per_token, table.totals.bytes - (300 - 1) * 64 * 4);
}

TEST(TensorTableTest, EveryTypeThatIsRun) {
  std::vector<std::uint32_t> numbers;
  for (const kernels::FloatInfo& row : kernels::kFloatFormats) numbers.push_back(row.number);
  for (const kernels::BlockInfo& row : kernels::kBlockFormats) numbers.push_back(row.number);
  for (const std::uint32_t number : numbers) {
    TinyModel tiny;
    tiny.hidden = tiny.ffn_width = tiny.expert_width = 256;
    tiny.matrices = tiny.embedding = static_cast<TensorType>(number);
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
