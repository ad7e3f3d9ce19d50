// The nano model, turned off its grid, in four bits: how far its answers are from the float network's.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "lfm/engine.h"
#include "lfm/evaluate.h"
#include "lfm/quantize.h"
#include "quantize/halves.h"
#include "quantize/model_writer.h"
#include "support/divergence.h"
#include "support/loaded.h"
#include "support/rotated_model.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

constexpr const char* kNano = LFM_NANO "/lfm2-nano-q4_0.gguf";

// Conversations, each with the token that begins a text: the part of them whose number modulo 3 is 0, or the others.
std::vector<std::string> conversations(bool evaluated) {
  std::vector<std::string> texts;
  std::ifstream lines(LFM_NANO "/eval.jsonl");
  std::size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i) {
    if ((i % 3 == 0) != evaluated) continue;
    const auto row = nlohmann::json::parse(line);
    texts.push_back(row["text"].get<std::string>() + row["expect"].get<std::string>() + "<|im_end|>\n");
  }
  return texts;
}

std::string joined(bool evaluated) {
  std::string text;
  for (const std::string& one : conversations(evaluated)) text += one;
  return text;
}

// The matrices of a file in float32 as llama-quantize's Q4_0 has them without an importance matrix: of each block the
// weight that is largest becomes the least code.
std::string rounded_by_the_largest(std::string bytes) {
  const auto loaded = load(as_bytes(bytes));
  if (!loaded.ok()) throw std::runtime_error(loaded.error().describe());
  for (const model::Tensor& tensor : loaded->table.tensors) {
    if (!quantize::is_layer_matrix(tensor)) continue;
    std::vector<float> weights(tensor.elements());
    char* const at = bytes.data() + tensor.file.place.offset;
    std::memcpy(weights.data(), at, weights.size() * sizeof(float));
    for (std::size_t i = 0; i < weights.size(); i += 32) {
      const auto block = std::span(weights).subspan(i, 32);
      const float largest = *std::ranges::max_element(block, {}, [](float w) { return std::abs(w); });
      const float scale = quantize::float_of_half(quantize::half_of(largest / -8));
      const float inverse = largest != 0 ? -8 / largest : 0;
      for (float& w : block) w = scale * (std::min(15.0f, std::floor(w * inverse + 8.5f)) - 8);
    }
    std::memcpy(at, weights.data(), weights.size() * sizeof(float));
  }
  return bytes;
}

class Rotated : public testing::Test {
 protected:
  // Mean KL divergence from the float network.
  double divergence(QuantizeOptions options) {
    options.overwrite = true;
    const auto info = quantize_model(float_, files_.path("small.gguf"), options);
    EXPECT_TRUE(info.ok()) << info.error().describe();
    if (info.ok()) bytes_ = info->file_bytes;
    return divergence(files_.path("small.gguf"));
  }
  double divergence(const std::string& path) {
    if (exact_.empty()) exact_ = log_probabilities(*reference_, *reference_, text_, kTokens);
    return test::divergence(exact_, log_probabilities(*open_model(path), *reference_, text_, kTokens));
  }

  static constexpr std::size_t kTokens = 8000;
  TempFolder files_;
  const std::string float_ = files_.write("float.gguf", rotated_model(read_all(kNano), 7)), text_ = joined(true);
  const LoadedModel reference_ = open_model(float_);
  LogProbabilities exact_;
  std::uint64_t bytes_ = 0;  // of the last file
};

TEST_F(Rotated, TheFunctionStays) {
  const LoadedModel nano = open_model(kNano);
  const auto found = log_probabilities(*nano, *nano, text_, kTokens);
  divergence(float_);
  EXPECT_LT(test::divergence(exact_, found), 1e-4);  // what eight bits of activations in blocks do
}

// Killed at any moment, it ends with the same bytes.
TEST_F(Rotated, KilledItGoesOn) {
  constexpr int kKills = 20;
  QuantizeOptions options;
  for (const std::string& text : conversations(false)) options.calibration += text;
  options.calibration_tokens = 2048;
  options.threads = 2;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(quantize_model(float_, files_.path("whole.gguf"), options).ok());
  const std::chrono::duration<double> once = std::chrono::steady_clock::now() - start;
  const std::string out = files_.path("killed.gguf");
  std::mt19937 random(1);
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(quantize_model(float_, out, options).ok() ? 0 : 1);
    std::this_thread::sleep_for(once * 0.4 * std::generate_canonical<double, 32>(random));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    if (std::filesystem::exists(out)) break;  // it was done
  }
  options.overwrite = true;
  const auto info = quantize_model(float_, out, options);
  ASSERT_TRUE(info.ok()) << info.error().describe();
  EXPECT_EQ(read_all(out), read_all(files_.path("whole.gguf")));
}

// Against llama-quantize's Q4_0: what issue after issue has to hold. One rotation and 8,000 tokens leave a tenth of
// noise, which the bounds allow for.
TEST_F(Rotated, CalibratedIsNearer) {
  const double plain = divergence(files_.write("plain.gguf", rounded_by_the_largest(read_all(float_))));
  QuantizeOptions options;
  options.calibration = joined(false);
  options.calibration_tokens = 9216;
  options.method = QuantizeMethod::kNoData;
  const double no_data = divergence(options);
  options.method = QuantizeMethod::kOneStream;
  const double one = divergence(options);
  options.method = QuantizeMethod::kTwoStreams;
  const double two = divergence(options);
  const std::uint64_t bytes = bytes_;
  options.type = WeightType::kIQ4_NL;
  const double table = divergence(options);
  options.type = WeightType::kQ4_0;
  options.mix = Mix::kAuto;
  const double mixed = divergence(options);
  EXPECT_LE(bytes_, bytes + bytes / 20);
  options.mix = Mix::kNone;
  options.calibration.clear();
  const double by_itself = divergence(options);
  for (const auto& [name, value] : {std::pair("no_data", no_data),
                                    {"fast", one},
                                    {"default", two},
                                    {"iq4_nl", table},
                                    {"mix", mixed},
                                    {"self", by_itself}})
    RecordProperty(name, std::to_string(value / plain));
  EXPECT_LT(no_data, plain);
  EXPECT_LT(one, 0.45 * plain);
  EXPECT_LT(two, 0.40 * plain);
  EXPECT_LT(table, 0.42 * plain);
  EXPECT_LT(mixed, 0.85 * two);
  EXPECT_LT(by_itself, 1.1 * two);
}

// Larger blocks and more bits: never further from the float network.
TEST_F(Rotated, MoreBitsAreNearer) {
  QuantizeOptions options;
  options.calibration = joined(false);
  options.calibration_tokens = 9216;
  double before = divergence(options);
  for (const WeightType type : {WeightType::kQ4_K, WeightType::kQ5_K, WeightType::kQ6_K}) {
    options.type = type;
    const double found = divergence(options);
    EXPECT_LT(found, type == WeightType::kQ4_K ? 1.1 * before : 0.7 * before);
    before = found;
  }
}

// What the network knows stays, in four bits off its grid: within half a point of float32.
TEST_F(Rotated, TheExamStays) {
  std::vector<ExamQuestion> questions;
  std::ifstream lines(LFM_NANO "/eval.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    const std::string match = row["match"];
    questions.push_back({row["text"], row["expect"],
                         match == "ends"   ? ExamMatch::kContains
                         : match == "json" ? ExamMatch::kJson
                                           : ExamMatch::kExact,
                         row["max_tokens"], row["kind"]});
  }
  QuantizeOptions options;
  options.calibration = joined(false);
  options.calibration_tokens = 9216;
  ASSERT_TRUE(quantize_model(float_, files_.path("small.gguf"), options).ok());
  std::size_t right[2];
  for (const bool small : {false, true}) {
    const auto engine = Engine::open(small ? files_.path("small.gguf") : float_);
    ASSERT_TRUE(engine.ok());
    const auto result = hold_exam(*engine, questions, nullptr);
    ASSERT_TRUE(result.ok()) << result.error().describe();
    right[small] = result->all.right;
  }
  RecordProperty("right", std::to_string(right[0]) + " " + std::to_string(right[1]));
  EXPECT_GT(right[0], 9 * questions.size() / 10);
  EXPECT_GE(200 * right[1] + questions.size(), 200 * right[0]);
}

}  // namespace
}  // namespace lfm::test
