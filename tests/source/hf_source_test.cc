// Hugging Face folders: what they say is what a GGUF file of the same model says; and all that can be wrong with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "source/hf_files.h"
#include "source/source.h"
#include "support/expect.h"
#include "support/hf_folder.h"
#include "support/loaded.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"
#include "text/tokenizer.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;
using Opened = Result<std::unique_ptr<source::Source>>;

class HfSource : public testing::Test {
 protected:
  Opened open(const HfFolder& folder, std::size_t shards = 1) {
    folder.write(files_, shards);
    return source::open_folder(files_.path(""));
  }
  // Opened, and what the network and the tokenizer are read from it.
  Status read(const HfFolder& folder) {
    auto source = open(folder);
    if (!source.ok()) return std::move(source).error();
    auto config = (*source)->config();
    if (!config.ok()) return std::move(config).error();
    auto table = match_tensors((*source)->tensors, (*source)->naming, *config);
    if (!table.ok()) return std::move(table).error();
    auto tokenizer = (*source)->tokenizer();
    return tokenizer.ok() ? Status() : Status(std::move(tokenizer).error());
  }

  TempFolder files_;
  HfFolder folder_{TinyModel()};
};

TEST_F(HfSource, SaysWhatAGgufFileSays) {
  for (const bool moe : {true, false}) {
    TinyModel tiny;
    tiny.moe = moe;
    HfFolder folder(tiny);
    folder.chat_template = "a template";
    const auto expected = load(tiny.builder());
    ASSERT_TRUE(expected.ok());
    for (const std::size_t shards : {1u, 3u}) {
      TempFolder files;
      folder.write(files, shards);
      const auto source = source::open_folder(files.path(""));
      ASSERT_TRUE(source.ok()) << source.error().describe();
      EXPECT_EQ((*source)->files.size(), shards);
      const auto config = (*source)->config();
      ASSERT_TRUE(config.ok()) << config.error().describe();
      EXPECT_EQ(config->hidden, expected->config.hidden);
      EXPECT_EQ(config->heads, expected->config.heads);
      EXPECT_EQ(config->head_dim, expected->config.head_dim);
      EXPECT_EQ(config->experts_used, expected->config.experts_used);
      EXPECT_EQ(config->rope_base, expected->config.rope_base);
      EXPECT_EQ(config->norm_eps, expected->config.norm_eps);
      EXPECT_EQ(config->context_length, expected->config.context_length);
      for (std::size_t i = 0; i < config->layers.size(); ++i) {
        EXPECT_EQ(config->layers[i].kv_heads, expected->config.layers[i].kv_heads);
        EXPECT_EQ(config->layers[i].ffn_width, expected->config.layers[i].ffn_width);
        EXPECT_EQ(config->layers[i].moe, expected->config.layers[i].moe);
      }
      const auto table = match_tensors((*source)->tensors, (*source)->naming, *config);
      ASSERT_TRUE(table.ok()) << table.error().describe();
      EXPECT_EQ(table->totals.bytes, expected->table.totals.bytes);
      EXPECT_EQ(table->totals.active_parameters, expected->table.totals.active_parameters);
      const auto tokenizer = (*source)->tokenizer(), of_gguf = expected->source->tokenizer();
      ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
      EXPECT_EQ(tokenizer->tokens, of_gguf->tokens);
      EXPECT_EQ(tokenizer->types, of_gguf->types);
      EXPECT_EQ(tokenizer->merges, of_gguf->merges);
      EXPECT_EQ(tokenizer->bos_id, of_gguf->bos_id);
      EXPECT_EQ(tokenizer->eos_id, of_gguf->eos_id);
      EXPECT_EQ(tokenizer->pad_id, of_gguf->pad_id);
      EXPECT_EQ(tokenizer->add_bos, of_gguf->add_bos);
      EXPECT_EQ(*(*source)->chat_template(), "a template");
      const auto restored = source::restore((*source)->identity());
      ASSERT_TRUE(restored.ok()) << restored.error().describe();
      EXPECT_EQ((*restored)->identity(), (*source)->identity());
      EXPECT_EQ((*restored)->tensors.size(), (*source)->tensors.size());
    }
  }
}

TEST_F(HfSource, OlderConfigurations) {
  folder_.config.erase("layer_types");
  folder_.config["full_attn_idxs"] = {1};
  folder_.config.erase("rope_parameters");
  folder_.config["rope_theta"] = 1e6;
  expect_ok(read(folder_));
}

TEST_F(HfSource, TheMakersSampling) {
  folder_.write(files_);
  files_.write("generation_config.json", R"({"temperature": 0.3, "min_p": 0.15, "top_k": 50})");
  const auto source = source::open_folder(files_.path(""));
  ASSERT_TRUE(source.ok()) << source.error().describe();
  const auto hints = (*source)->sampling();
  ASSERT_TRUE(hints.ok());
  ASSERT_EQ(hints->size(), 3u);
  EXPECT_EQ((*hints)[0].option, "temperature");
  EXPECT_FLOAT_EQ(static_cast<float>((*hints)[0].value), 0.3f);
  EXPECT_EQ((*hints)[2].option, "top_k");
}

TEST_F(HfSource, RefusesWrongConfigurations) {
  struct Case {
    const char* member;
    nlohmann::ordered_json value;  // null: taken away
    ErrorCode code;
    const char* says;
  };
  const Case cases[] = {
      {"model_type", "llama", ErrorCode::kUnsupported, "model_type: 'llama'"},
      {"hidden_size", nullptr, ErrorCode::kFormat, "hidden_size: is missing"},
      {"hidden_size", "64", ErrorCode::kFormat, "hidden_size: expected a whole number"},
      {"hidden_size", std::uint64_t{1} << 40, ErrorCode::kFormat, "hidden_size: is too large"},
      {"hidden_size", 96, ErrorCode::kFormat, "expected"},
      {"num_hidden_layers", 4, ErrorCode::kFormat, "layers"},
      {"layer_types", {"conv", "sliding", "conv"}, ErrorCode::kUnsupported, "layer_types"},
      {"layer_types", nullptr, ErrorCode::kFormat, "layer_types: is missing"},
      {"conv_bias", true, ErrorCode::kUnsupported, "conv_bias"},
      {"norm_topk_prob", false, ErrorCode::kUnsupported, "norm_topk_prob"},
      {"routed_scaling_factor", 2.5, ErrorCode::kUnsupported, "routed_scaling_factor"},
      {"use_expert_bias", false, ErrorCode::kUnsupported, "use_expert_bias"},
      {"rope_parameters", {{"rope_theta", 1e6}, {"rope_type", "yarn"}}, ErrorCode::kUnsupported, "rope_type"},
      {"vocab_size", 20, ErrorCode::kFormat, "isn't below 20"},
      {"vocab_size", 0, ErrorCode::kFormat, "vocab_size"},
  };
  for (const Case& wrong : cases) {
    HfFolder folder = folder_;
    folder.config[wrong.member] = wrong.value;
    expect_error(read(folder), wrong.code, wrong.says);
  }
}

TEST_F(HfSource, RefusesOtherTokenizers) {
  const auto expect = [&](const HfFolder& folder, ErrorCode code, const char* says) {
    expect_error(read(folder), code, says);
  };
  HfFolder folder = folder_;
  folder.tokenizer["normalizer"] = {{"type", "NFC"}};
  expect(folder, ErrorCode::kUnsupported, "normalizer");
  folder = folder_;
  folder.tokenizer["model"]["type"] = "Unigram";
  expect(folder, ErrorCode::kUnsupported, "BPE");
  folder = folder_;
  folder.tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+";
  expect(folder, ErrorCode::kUnsupported, "pre_tokenizer");
  folder = folder_;
  folder.tokenizer["model"]["merges"][0] = {"a"};
  expect(folder, ErrorCode::kFormat, "merges");
  folder = folder_;
  folder.tokenizer["added_tokens"][1]["id"] = 0;
  expect(folder, ErrorCode::kFormat, "two tokens have one id");
  folder = folder_;
  folder.tokenizer["post_processor"]["single"].push_back({{"SpecialToken", {{"id", "<|im_end|>"}}}});
  expect(folder, ErrorCode::kUnsupported, "behind a text");
}

TEST_F(HfSource, RefusesWrongWeights) {
  HfFolder folder = folder_;
  folder.tensors.pop_back();
  expect_error(read(folder), ErrorCode::kFormat, "the tensor is missing");
  folder = folder_;
  folder.tensors.push_back({"model.extra", "F32", {1}, std::string(4, '\0')});
  expect_error(read(folder), ErrorCode::kFormat, "doesn't belong");
  folder.tensors.back() = {"model.extra", "F32", {1, 1, 1, 1, 1}, std::string(4, '\0')};
  expect_error(read(folder), ErrorCode::kFormat, "more than four");
  folder = folder_;
  folder.tensors[0].dtype = "I32";
  expect_error(read(folder), ErrorCode::kUnsupported, "type I32");
}

TEST_F(HfSource, IndexesStayInTheFolder) {
  folder_.write(files_, 2);
  const std::string index = read_all(files_.path("model.safetensors.index.json"));
  const auto parsed = nlohmann::ordered_json::parse(index);
  const auto expect = [&](const char* name, ErrorCode code, const char* says) {
    auto changed = parsed;
    changed["weight_map"].begin().value() = name;
    files_.write("model.safetensors.index.json", changed.dump());
    expect_error(source::open_folder(files_.path("")), code, says);
  };
  for (const char* name : {"../model.safetensors", "/etc/model.safetensors", ".model.safetensors", "config.json", ""})
    expect(name, ErrorCode::kFormat, "isn't one of the folder");
  expect("model-9.safetensors", ErrorCode::kIo, "model-9.safetensors");
  expect("model-00002.safetensors", ErrorCode::kFormat, "the index doesn't have it in");
  auto more = parsed;
  more["weight_map"]["model.extra"] = "model-00001.safetensors";
  files_.write("model.safetensors.index.json", more.dump());
  expect_error(source::open_folder(files_.path("")), ErrorCode::kFormat, "aren't in the files");
  files_.write("model.safetensors.index.json", R"({"weight_map": {"a": "model-00001.safetensors", "a": "b"}})");
  expect_error(source::open_folder(files_.path("")), ErrorCode::kFormat, "there twice");
}

TEST_F(HfSource, LinksLeadNowhereElse) {
  folder_.write(files_);
  TempFolder elsewhere;
  const std::string outside = elsewhere.write("w", read_all(files_.path("model.safetensors")));
  fs::remove(files_.path("model.safetensors"));
  fs::create_symlink(outside, files_.path("model.safetensors"));
  expect_error(source::open_folder(files_.path("")), ErrorCode::kIo, "leads out of the folder");
  fs::remove(files_.path("model.safetensors"));
  fs::copy_file(outside, files_.path("weights"));
  fs::create_symlink("weights", files_.path("model.safetensors"));
  expect_ok(source::open_folder(files_.path("")));
}

TEST_F(HfSource, EverythingLiesInTheRootFolder) {
  const std::string path = files_.write("x", "of the root");
  const auto root = source::HfFolder::open("/");
  ASSERT_TRUE(root.ok());
  const auto text = root->text(path.substr(1));
  ASSERT_TRUE(text.ok()) << text.error().describe();
  EXPECT_EQ(*text, "of the root");
}

// .../models--LiquidAI--LFM2-8B-A1B/snapshots/REVISION/NAME -> .../blobs/SUM
TEST_F(HfSource, OpensHuggingFacesCache) {
  folder_.write(files_);
  TempFolder cache;
  const fs::path repository = cache.path("models--LiquidAI--LFM2-Tiny"), revision = repository / "snapshots" / "0123";
  fs::create_directories(revision);
  fs::create_directories(repository / "blobs");
  for (const std::string& name : files_.files()) {
    fs::copy_file(files_.path(name), repository / "blobs" / ("sum-" + name));
    fs::create_symlink(fs::path("../../blobs") / ("sum-" + name), revision / name);
  }
  const auto source = source::open_folder(revision.string());
  ASSERT_TRUE(source.ok()) << source.error().describe();
  EXPECT_EQ((*source)->config()->name, "LFM2-Tiny");
}

// Files that are nearly right: opened or refused, and nothing else.
TEST_F(HfSource, ChangedBytesDoNoHarm) {
  std::uint32_t seed = 1;
  const auto next = [&seed](std::size_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
  };
  folder_.write(files_);
  std::size_t opened = 0;
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}) {
    const std::string whole = read_all(files_.path(name));
    const std::size_t header = std::min<std::size_t>(whole.size(), 4000);
    for (int i = 0; i < 150; ++i) {
      std::string bytes = whole;
      for (std::size_t changes = 1 + next(3); changes > 0; --changes)
        bytes[next(header)] = next(2) != 0 ? static_cast<char>(next(256)) : "0123456789-[]{},:\"te."[next(22)];
      if (next(8) == 0) bytes.resize(next(header));
      files_.write(name, bytes);
      const auto source = source::open_folder(files_.path(""));
      if (!source.ok()) continue;
      const auto config = (*source)->config();
      if (config.ok()) (void)match_tensors((*source)->tensors, (*source)->naming, *config).ok();
      const auto tokenizer = (*source)->tokenizer();
      if (tokenizer.ok()) (void)text::Tokenizer::create(*tokenizer).ok();
      ++opened;
    }
    files_.write(name, whole);
  }
  EXPECT_GT(opened, 10u);
}

TEST_F(HfSource, FoldersOfOtherThings) {
  expect_error(source::open_folder(files_.path("")), ErrorCode::kIo, "there is no config.json");
  folder_.write(files_);
  fs::remove(files_.path("model.safetensors"));
  expect_error(source::open_folder(files_.path("")), ErrorCode::kIo, "model.safetensors");
  files_.write("config.json", "[]");
  expect_error(source::open_folder(files_.path("")), ErrorCode::kFormat, "config.json: not an object");
}

}  // namespace
}  // namespace lfm::test
