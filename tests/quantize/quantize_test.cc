// Whole models in other types: from folders and files, through the library.
#include "lfm/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "lfm/engine.h"
#include "lfm/inspect.h"
#include "support/expect.h"
#include "support/hf_folder.h"
#include "support/loaded.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

class Quantize : public testing::Test {
 protected:
  Quantize() {
    gguf_ = files_.write("tiny.gguf", tiny_.build());
    hf_.chat_template = "{{ messages }}";
    fs::create_directories(hf_files_.path(""));
    hf_.write(hf_files_, 2);
  }

  std::string folder() const { return hf_files_.path(""); }

  Result<QuantizeInfo> write(const std::string& model, WeightType type, unsigned threads = 2,
                             QuantizeMethod method = QuantizeMethod::kNoData, std::size_t tokens = 600) {
    QuantizeOptions options;
    options.type = type;
    options.method = method;
    options.calibration_tokens = tokens;
    options.threads = threads;
    options.overwrite = true;
    return quantize_model(model, files_.path("out.gguf"), options);
  }

  Result<std::vector<float>> logits(const std::string& path, EngineOptions options = {}) {
    options.threads = 1;
    auto engine = Engine::open(path, options);
    if (!engine.ok()) return std::move(engine).error();
    auto session = engine->new_session({.context_tokens = 64});
    if (!session.ok()) return std::move(session).error();
    const std::vector<TokenId> tokens = {20, 30, 40, 50, 60};
    if (auto status = session->append(tokens); !status.ok()) return std::move(status).error();
    return std::vector<float>(session->logits().begin(), session->logits().end());
  }

  TinyModel tiny_;
  HfFolder hf_{tiny_};
  TempFolder files_, hf_files_;
  std::string gguf_;
};

TEST_F(Quantize, AFolderRunsAsTheGgufFileOfIt) {
  const auto expected = logits(gguf_), found = logits(folder());
  ASSERT_TRUE(expected.ok() && found.ok()) << (found.ok() ? "" : found.error().describe());
  EXPECT_EQ(*found, *expected);
}

TEST_F(Quantize, ConvertedInFullItIsTheSameNetwork) {
  const auto info = write(folder(), WeightType::kF32);
  ASSERT_TRUE(info.ok()) << info.error().describe();
  const std::string bytes = read_all(files_.path("out.gguf")), original = tiny_.build();
  EXPECT_EQ(bytes.size(), info->file_bytes);
  const auto loaded = load(as_bytes(bytes)), expected = load(as_bytes(original));
  ASSERT_TRUE(loaded.ok() && expected.ok());
  EXPECT_EQ(*loaded->source->chat_template(), "{{ messages }}");
  EXPECT_EQ(loaded->source->tokenizer()->tokens, expected->source->tokenizer()->tokens);
  ASSERT_EQ(loaded->table.tensors.size(), expected->table.tensors.size());
  for (const model::Tensor& tensor : expected->table.tensors) {
    const model::Tensor& found = loaded->tensor(tensor.file.name);
    EXPECT_EQ(found.file.dims, tensor.file.dims);
    EXPECT_EQ(bytes.substr(found.file.place.offset, found.bytes()),
              original.substr(tensor.file.place.offset, tensor.bytes()))
        << tensor.file.name;
  }
}

TEST_F(Quantize, EveryTypeOpensAndRunsAlike) {
  const auto exact = logits(gguf_);
  ASSERT_TRUE(exact.ok());
  struct Case {
    WeightType type;
    const char* name;
    double error;  // of logits, relative
  };
  for (const Case& c : {Case{WeightType::kF16, "F16", 0.02}, Case{WeightType::kBF16, "BF16", 0.03},
                        Case{WeightType::kQ8_0, "Q8_0", 0.05}, Case{WeightType::kQ4_0, "Q4_0", 0.4},
                        Case{WeightType::kIQ4_NL, "IQ4_NL", 0.4}}) {
    ASSERT_TRUE(write(folder(), c.type).ok());
    const auto file = inspect(files_.path("out.gguf"));
    ASSERT_TRUE(file.ok()) << file.error().describe();
    for (const TensorDescription& tensor : file->tensors) {
      const bool matrix = tensor.name == "blk.0.shortconv.in_proj.weight" || tensor.name == "blk.1.ffn_up_exps.weight";
      const bool floats = tensor.name.ends_with("norm.weight") || tensor.name == "blk.1.ffn_gate_inp.weight";
      if (matrix || floats) {
        EXPECT_EQ(tensor.type, matrix ? c.name : "F32") << tensor.name;
      }
    }
    const auto found = logits(files_.path("out.gguf"));
    ASSERT_TRUE(found.ok()) << found.error().describe();
    double error = 0, all = 0;
    for (std::size_t i = 0; i < exact->size(); ++i) {
      error += std::pow(static_cast<double>((*found)[i] - (*exact)[i]), 2);
      all += std::pow(static_cast<double>((*exact)[i]), 2);
    }
    EXPECT_LT(std::sqrt(error / all), c.error) << c.name;
  }
}

// Packed as another type, a folder is what the file of that type is; from the cache too, in which each type has its
// own.
TEST_F(Quantize, AFolderOpenedAsATypeRunsAsTheFileOfIt) {
  const test::TempFolder cache;
  for (int round = 0; round < 2; ++round) {
    for (const WeightType type : {WeightType::kQ8_0, WeightType::kF16, WeightType::kBF16}) {
      ASSERT_TRUE(write(folder(), type).ok());
      const auto expected = logits(files_.path("out.gguf"));
      const auto found = logits(folder(), {.weights = type, .pack_cache = cache.path(""), .pack_cache_min_bytes = 0});
      ASSERT_TRUE(expected.ok() && found.ok()) << (found.ok() ? "" : found.error().describe());
      EXPECT_EQ(*found, *expected);
    }
  }
  const auto engine = Engine::open(folder(), {.threads = 1, .weights = WeightType::kQ4_0});
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(engine->info().notes, std::vector<std::string>{"matrices of floats are packed as Q4_0"});
  const auto packed = Engine::open(files_.path("out.gguf"), {.threads = 1, .weights = WeightType::kBF16});
  ASSERT_TRUE(packed.ok());
  EXPECT_TRUE(packed->info().notes.empty());
}

TEST_F(Quantize, ThreadsMakeNoDifference) {
  ASSERT_TRUE(write(gguf_, WeightType::kQ4_0, 1).ok());
  const std::string one = read_all(files_.path("out.gguf"));
  ASSERT_TRUE(write(folder(), WeightType::kQ4_0, 5).ok());
  const std::string bytes = read_all(files_.path("out.gguf"));
  const auto a = load(as_bytes(one)), b = load(as_bytes(bytes));
  ASSERT_TRUE(a.ok() && b.ok());
  for (const model::Tensor& tensor : a->table.tensors) {
    const model::Tensor& other = b->tensor(tensor.file.name);
    EXPECT_EQ(one.substr(tensor.file.place.offset, tensor.bytes()),
              bytes.substr(other.file.place.offset, other.bytes()));
  }
}

TEST_F(Quantize, CalibratedItIsTheSameFileFromAnyThreads) {
  for (const WeightType type : {WeightType::kQ4_0, WeightType::kIQ4_NL}) {
    for (const QuantizeMethod method : {QuantizeMethod::kTwoStreams, QuantizeMethod::kOneStream}) {
      std::string first;
      for (const unsigned threads : {1u, 3u}) {
        const auto info = write(folder(), type, threads, method, 200);
        ASSERT_TRUE(info.ok()) << info.error().describe();
        const std::string bytes = read_all(files_.path("out.gguf"));
        if (first.empty()) first = bytes;
        EXPECT_EQ(bytes, first);
      }
      EXPECT_TRUE(logits(files_.path("out.gguf")).ok());
      ASSERT_TRUE(write(folder(), type, 1).ok());
      EXPECT_NE(read_all(files_.path("out.gguf")), first);
    }
  }
}

// Blocks of 256 columns: where rows aren't whole ones, Q8_0 takes their place.
class QuantizeLargerBlocks : public Quantize, public testing::WithParamInterface<std::pair<WeightType, const char*>> {};

TEST_P(QuantizeLargerBlocks, AreCalibratedToo) {
  const auto& [type, name] = GetParam();
  tiny_.hidden = tiny_.expert_width = 256;
  tiny_.kv_heads = {0, 1};
  tiny_.experts = tiny_.experts_used = 2;
  const std::string model = files_.write("wide.gguf", tiny_.build());
  constexpr std::size_t kTokens = 200;
  ASSERT_TRUE(write(model, type, 1, QuantizeMethod::kTwoStreams, kTokens).ok());
  const std::string calibrated = read_all(files_.path("out.gguf"));
  const auto file = inspect(files_.path("out.gguf"));
  ASSERT_TRUE(file.ok()) << file.error().describe();
  std::size_t looked_at = 0;
  for (const TensorDescription& tensor : file->tensors) {
    if (tensor.name == "blk.0.ffn_down.weight") {
      EXPECT_EQ(tensor.type, "Q8_0");  // rows of 96
      ++looked_at;
    } else if (tensor.name == "blk.1.ffn_down_exps.weight") {
      EXPECT_EQ(tensor.type, name);
      ++looked_at;
    }
  }
  EXPECT_EQ(looked_at, 2u);
  EXPECT_TRUE(logits(files_.path("out.gguf")).ok());
  ASSERT_TRUE(write(model, type, 3, QuantizeMethod::kTwoStreams, kTokens).ok());
  EXPECT_TRUE(read_all(files_.path("out.gguf")) == calibrated);
  ASSERT_TRUE(write(model, type, 2).ok());
  EXPECT_FALSE(read_all(files_.path("out.gguf")) == calibrated);
}

INSTANTIATE_TEST_SUITE_P(Types, QuantizeLargerBlocks,
                         testing::Values(std::pair{WeightType::kQ4_K, "Q4_K"}, std::pair{WeightType::kQ5_K, "Q5_K"},
                                         std::pair{WeightType::kQ6_K, "Q6_K"}),
                         [](const auto& test) { return std::string(test.param.second); });

TEST_F(Quantize, WhatATypeDoesntLookAtIsRefused) {
  QuantizeOptions options;
  options.type = WeightType::kQ8_0;
  const auto refused = [&](const char* field) {
    const auto info = quantize_model(gguf_, files_.path("new.gguf"), options);
    expect_error(info, ErrorCode::kArgument, "rounded to what is nearest");
    EXPECT_EQ(info.error().field, field);
    options = {};
    options.type = WeightType::kF16;
  };
  options.calibration = "a text";
  refused("calibration");
  options.imatrix = "file";
  refused("imatrix");
  options.imatrix_out = "file";
  refused("imatrix_out");
  options.mix = Mix::kAuto;
  refused("mix");
}

// Stopped again and again, it ends with the same bytes, and leaves nothing.
TEST_F(Quantize, GoesOnWhereItWasStopped) {
  ASSERT_TRUE(write(folder(), WeightType::kQ4_0, 1, QuantizeMethod::kTwoStreams).ok());
  const std::string whole = read_all(files_.path("out.gguf"));
  fs::remove(files_.path("out.gguf"));
  QuantizeOptions options;
  options.calibration_tokens = 600;
  std::size_t sampled = 0, stops = 0;
  Result<QuantizeInfo> info = Error{};
  for (std::size_t reports = 1; !info.ok() && stops < 100; ++stops, ++reports) {
    options.threads = static_cast<unsigned>(1 + stops % 2);
    std::size_t left = stops == 0 ? 1000 : reports;  // the first ends behind the first half of a layer
    options.progress = [&](QuantizePhase phase, double part) {
      if (phase == QuantizePhase::kSampling) ++sampled;
      if (stops == 0) return phase != QuantizePhase::kCalibrated || part == 0;
      return --left > 0;
    };
    info = quantize_model(folder(), files_.path("out.gguf"), options);
  }
  ASSERT_TRUE(info.ok()) << info.error().describe();
  EXPECT_GE(stops, 3u);
  EXPECT_EQ(read_all(files_.path("out.gguf")), whole);
  EXPECT_LT(sampled, 40u);  // once
  EXPECT_EQ(files_.files().size(), 2u);
}

// What lies beside the new file may be another's, or gone: it is taken for what it is, and nothing of it gets in.
class QuantizeLeftovers : public Quantize {
 protected:
  QuantizeLeftovers() {
    for (int i = 0; i < 40; ++i) options_.calibration += "What was written stays " + std::to_string(i) + ". ";
    options_.calibration_tokens = 300;
    options_.threads = 2;
    options_.overwrite = true;
    EXPECT_TRUE(quantize_model(gguf_, out_, options_).ok());
    whole_ = read_all(out_);
    fs::remove(out_);
  }

  // As a kill would, behind as much of the calibration as is said.
  void stop(WeightType type, double behind) {
    QuantizeOptions options = options_;
    options.type = type;
    options.progress = [&](QuantizePhase phase, double part) {
      return phase != QuantizePhase::kCalibrated || part <= behind;
    };
    expect_error(quantize_model(gguf_, out_, options), ErrorCode::kCancelled, "stopped");
    EXPECT_TRUE(fs::exists(part_));
  }

  void expect_whole() {
    const auto info = quantize_model(gguf_, out_, options_);
    ASSERT_TRUE(info.ok()) << info.error().describe();
    EXPECT_TRUE(read_all(out_) == whole_);
    EXPECT_EQ(files_.files().size(), 2u);
  }

  static constexpr double kFirstHalf = 0, kMost = 0.6;
  const std::string out_ = files_.path("out.gguf"), part_ = files_.path(".out.gguf.part"),
                    state_ = files_.path(".out.gguf.state");
  QuantizeOptions options_;
  std::string whole_;
};

TEST_F(QuantizeLeftovers, WithoutTheUnfinishedFileItBeginsAgain) {
  stop(WeightType::kQ4_0, kMost);
  EXPECT_TRUE(fs::exists(state_));
  fs::remove(part_);
  expect_whole();
}

TEST_F(QuantizeLeftovers, AnUnfinishedFileThatIsNotAsItWasLeftBeginsAgain) {
  stop(WeightType::kQ4_0, kMost);
  const std::string bytes = read_all(part_);
  files_.write(".out.gguf.part", std::string(bytes.size(), '\x5a'));
  fs::permissions(part_, fs::perms::owner_read | fs::perms::owner_write);
  expect_whole();
}

TEST_F(QuantizeLeftovers, AnotherMethodTakesThemAway) {
  stop(WeightType::kQ4_0, kMost);
  ASSERT_TRUE(write(gguf_, WeightType::kQ4_0).ok());
  EXPECT_FALSE(fs::exists(part_) || fs::exists(state_));
  expect_whole();
}

TEST_F(QuantizeLeftovers, AnotherTypeStoppedEarlyLeavesNothingToGoOnWith) {
  stop(WeightType::kQ4_0, kMost);
  stop(WeightType::kIQ4_NL, kFirstHalf);
  expect_whole();
}

// Without its state the file that another was writing is nothing either, what lies between its tensors included.
TEST_F(QuantizeLeftovers, AnUnfinishedFileAloneIsWrittenAnew) {
  files_.write(".out.gguf.part", std::string(whole_.size() + 1000, '\x5a'));
  expect_whole();
}

TEST_F(QuantizeLeftovers, WithAnImportanceMatrixItIsDoneInOneGo) {
  stop(WeightType::kQ4_0, kMost);
  QuantizeOptions options = options_;
  options.imatrix_out = files_.path("seen.gguf");
  options.progress = [](QuantizePhase phase, double part) { return phase != QuantizePhase::kCalibrated || part == 0; };
  expect_error(quantize_model(gguf_, out_, options), ErrorCode::kCancelled, "stopped");
  EXPECT_EQ(files_.files().size(), 1u);
}

// Weights that a quantisation-aware training has put on the grid stay there.
TEST_F(Quantize, WhatLiesOnTheGridStays) {
  tiny_.matrices = format::TensorType::kQ4_0;
  const std::string original = tiny_.build(), path = files_.write("grid.gguf", original);
  ASSERT_TRUE(write(path, WeightType::kF32).ok());
  fs::rename(files_.path("out.gguf"), files_.path("f32.gguf"));
  const auto info = write(files_.path("f32.gguf"), WeightType::kQ4_0, 2, QuantizeMethod::kTwoStreams);
  ASSERT_TRUE(info.ok()) << info.error().describe();
  fs::rename(files_.path("out.gguf"), files_.path("small.gguf"));
  ASSERT_TRUE(write(files_.path("small.gguf"), WeightType::kF32).ok());
  const std::string again = read_all(files_.path("out.gguf")), floats = read_all(files_.path("f32.gguf"));
  const auto found = load(as_bytes(again)), expected = load(as_bytes(floats));
  ASSERT_TRUE(found.ok() && expected.ok());
  for (const model::Tensor& tensor : expected->table.tensors) {
    if (tensor.file.name == "token_embd.weight") continue;
    const model::Tensor& other = found->tensor(tensor.file.name);
    EXPECT_EQ(again.substr(other.file.place.offset, other.bytes()),
              floats.substr(tensor.file.place.offset, tensor.bytes()))
        << tensor.file.name;
  }
}

TEST_F(Quantize, AnImportanceMatrixReplacesNothingUnasked) {
  QuantizeOptions options;
  options.threads = 1;
  options.calibration_tokens = 64;
  const std::string out = files_.path("new.gguf"), kept = files_.write("kept", "x"), model = read_all(gguf_);
  options.imatrix_out = kept;
  expect_error(quantize_model(gguf_, out, options), ErrorCode::kArgument, "there already");
  EXPECT_TRUE(read_all(kept) == "x");
  options.overwrite = true;
  for (const std::string& same : {out, files_.path("./new.gguf")}) {
    options.imatrix_out = same;
    expect_error(quantize_model(gguf_, out, options), ErrorCode::kArgument, "the new model's file too");
  }
  options.imatrix_out = gguf_;
  expect_error(quantize_model(gguf_, out, options), ErrorCode::kArgument, "the model itself");
  EXPECT_TRUE(read_all(gguf_) == model);
  EXPECT_FALSE(fs::exists(out));
  options.imatrix_out = kept;
  ASSERT_TRUE(quantize_model(gguf_, out, options).ok());
  EXPECT_GT(read_all(kept).size(), 1u);
}

TEST_F(Quantize, AFolderOpensInAnotherType) {
  std::vector<std::vector<float>> all;
  for (const WeightType type : {WeightType::kF16, WeightType::kQ8_0, WeightType::kQ4_0}) {
    EngineOptions options;
    options.weights = type;
    options.pack_cache = files_.path("cache");
    options.pack_cache_min_bytes = 0;
    const auto first = logits(folder(), options);
    ASSERT_TRUE(first.ok()) << first.error().describe();
    const auto kept = Engine::open(folder(), options);
    ASSERT_TRUE(kept.ok()) << kept.error().describe();
    EXPECT_NE(testing::PrintToString(kept->info().notes).find("are used from"), std::string::npos);
    const auto again = logits(folder(), options);
    ASSERT_TRUE(again.ok()) << again.error().describe();
    EXPECT_EQ(*first, *again);
    ASSERT_TRUE(write(folder(), type).ok());
    const auto file = Engine::open(files_.path("out.gguf"));
    ASSERT_TRUE(file.ok()) << file.error().describe();
    EXPECT_EQ(kept->info().weight_bytes_per_token, file->info().weight_bytes_per_token);
    const auto of_file = logits(files_.path("out.gguf"));
    const auto stays = logits(files_.path("out.gguf"), {.weights = WeightType::kF32});
    if (type != WeightType::kQ4_0) {  // for which files weigh errors
      EXPECT_EQ(*first, *of_file);
    }
    if (type == WeightType::kQ8_0) {  // which is in blocks
      EXPECT_EQ(*stays, *of_file);
    }
    all.push_back(*first);
  }
  EXPECT_NE(all[0], all[1]);
  EXPECT_NE(all[1], all[2]);
}

TEST_F(Quantize, RefusesAndStops) {
  QuantizeOptions options;
  options.threads = 1;
  options.method = QuantizeMethod::kNoData;
  const std::string out = files_.path("new.gguf");
  options.progress = [](QuantizePhase, double part) { return part < 0.5; };
  expect_error(quantize_model(gguf_, out, options), ErrorCode::kCancelled, "stopped");
  EXPECT_FALSE(fs::exists(out));
  options.progress = nullptr;
  expect_error(quantize_model(gguf_, gguf_, options), ErrorCode::kArgument, "the model itself");
  files_.write("new.gguf", "x");
  expect_error(quantize_model(gguf_, out, options), ErrorCode::kArgument, "there already");
  EXPECT_EQ(read_all(out), "x");
  options.overwrite = true;
  tiny_.matrices = format::TensorType::kF32;
  std::string bytes = tiny_.build();
  const auto loaded = load(as_bytes(bytes));
  const std::uint64_t at = loaded->tensor("blk.1.ffn_up_exps.weight").file.place.offset + 4 * 37;
  bytes.replace(at, 4, bytes_of(1e30f));
  options.type = WeightType::kF16;
  expect_error(quantize_model(files_.write("large.gguf", bytes), out, options), ErrorCode::kNumeric,
               "blk.1.ffn_up_exps.weight: a weight that F16 can't hold (index 37)");
  bytes.replace(at, 4, bytes_of(0x7fc00000u));
  expect_error(quantize_model(files_.write("nan.gguf", bytes), out, options), ErrorCode::kFormat, "finite");
}

}  // namespace
}  // namespace lfm::test
