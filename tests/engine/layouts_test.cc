// Files whose tensors are called or laid out otherwise, or whose keys say otherwise, than those of the models' makers:
// the same logits, packed or not, and where it isn't plain a note; what can't be read is named.
#include <gtest/gtest.h>

#include <functional>

#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

struct Opened {
  std::vector<float> logits;
  std::string notes;
};

Result<Opened> run(const std::string& path) {
  const auto engine = Engine::open(path, {.threads = 1});
  if (!engine.ok()) return engine.error();
  auto session = engine->new_session({.context_tokens = 64});
  if (!session.ok()) return std::move(session).error();
  const std::vector<TokenId> tokens = {20, 30, 40, 50, 60};
  if (Status status = session->append(tokens); !status.ok()) return std::move(status).error();
  Opened opened{{session->logits().begin(), session->logits().end()}, {}};
  for (const std::string& note : engine->info().notes) opened.notes += note + "\n";
  return opened;
}

void rename(GgufBuilder& file, const char* from, const char* to) {
  file.tensor(from).name = to;
}

// Gates and ups of a layer's experts in one tensor.
void fuse(GgufBuilder& file, const std::string& layer) {
  const GgufBuilder::Tensor gate = file.tensor(layer + "ffn_gate_exps.weight");
  const GgufBuilder::Tensor up = file.tensor(layer + "ffn_up_exps.weight");
  const std::size_t experts = gate.dims[2];
  const std::size_t bytes = gate.data.size() / experts;
  GgufBuilder::Tensor both = gate;
  both.name = layer + "ffn_gate_up_exps.weight";
  both.dims[1] *= 2;
  both.data.clear();
  for (std::size_t i = 0; i < experts; ++i)
    both.data += gate.data.substr(i * bytes, bytes) + up.data.substr(i * bytes, bytes);
  file.erase_tensor(up.name);
  file.tensor(gate.name) = both;
}

struct Change {
  const char* says;  // in a note; "" where there is none
  bool moe;
  std::function<void(GgufBuilder&)> make;
};

TEST(Layouts, TheSameLogits) {
  const Change changes[] = {
      {"output_norm.weight", false, [](GgufBuilder& f) { rename(f, "token_embd_norm.weight", "output_norm.weight"); }},
      {"output_norm.weight", true, [](GgufBuilder& f) { rename(f, "token_embd_norm.weight", "output_norm.weight"); }},
      {"length is said to be 160", false, [](GgufBuilder& f) { f.set_u32("lfm2.feed_forward_length", 160); }},
      {"length is said to be 32", true, [](GgufBuilder& f) { f.set_u32("lfm2moe.feed_forward_length", 32); }},
      {"length is said to be 96", true, [](GgufBuilder& f) { f.set_u32("lfm2moe.expert_feed_forward_length", 96); }},
      {"tokenizer.ggml.pre", true, [](GgufBuilder& f) { f.set_string("tokenizer.ggml.pre", "llama-bpe"); }},
      {"", true, [](GgufBuilder& f) { fuse(f, "blk.1."); }},
      {"", true, [](GgufBuilder& f) { fuse(f, "blk.1."), fuse(f, "blk.2."); }},
      {"length is said to be 96", true,
       [](GgufBuilder& f) {
         fuse(f, "blk.1."), fuse(f, "blk.2.");
         f.set_u32("lfm2moe.expert_feed_forward_length", 96);
       }},
  };
  const TempFolder folder;
  for (const format::TensorType type : {format::TensorType::kF32, format::TensorType::kQ4_0}) {
    for (const Change& change : changes) {
      TinyModel tiny;
      tiny.moe = change.moe;
      tiny.matrices = tiny.embedding = type;
      GgufBuilder file = tiny.builder();
      const auto expected = run(folder.write("model.gguf", file.build()));
      change.make(file);
      const std::string path = folder.write("changed.gguf", file.build());
      const std::string packed = folder.path("changed.lfm");
      expect_ok(pack(path, packed, {.overwrite = true}));
      for (const std::string& name : {path, packed}) {
        const auto got = run(name);
        ASSERT_TRUE(expected.ok() && got.ok()) << change.says << got.error().describe();
        EXPECT_EQ(got->logits, expected->logits) << change.says;
        EXPECT_EQ(got->notes.empty(), std::string_view(change.says).empty()) << got->notes;
        EXPECT_NE(got->notes.find(change.says), std::string::npos) << got->notes;
      }
    }
  }
}

TEST(Layouts, WhatCantBeReadIsNamed) {
  const Change changes[] = {
      {"blk.1.attn_qkv.weight", true,
       [](GgufBuilder& f) { rename(f, "blk.1.attn_q.weight", "blk.1.attn_qkv.weight"); }},
      {"blk.1.ffn_gate_up_exps.weight: the shape", true,
       [](GgufBuilder& f) {
         f.erase_tensor("blk.1.ffn_up_exps.weight");
         rename(f, "blk.1.ffn_gate_exps.weight", "blk.1.ffn_gate_up_exps.weight");
       }},
      {"blk.1.ffn_gate_exps.weight: the tensor is missing", true,
       [](GgufBuilder& f) { f.erase_tensor("blk.1.ffn_gate_exps.weight"); }},
      {"token_embd_norm.weight: the tensor is missing", true,
       [](GgufBuilder& f) { f.erase_tensor("token_embd_norm.weight"); }},
      {"output_norm.weight: the tensor doesn't belong", true,
       [](GgufBuilder& f) { f.add_tensor("output_norm.weight", {64}); }},
      {"blk.1.ffn_gate_up_exps.weight: the tensor doesn't belong", true,
       [](GgufBuilder& f) {
         f.add_tensor("blk.1.ffn_gate_up_exps.weight", {64, 128, 4});
       }},
  };
  const TempFolder folder;
  for (const Change& change : changes) {
    GgufBuilder file = TinyModel().builder();
    change.make(file);
    expect_error(run(folder.write("model.gguf", file.build())), ErrorCode::kFormat, change.says);
  }
}

}  // namespace
}  // namespace lfm::test
