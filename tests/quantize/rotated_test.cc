// The nano model, turned off its grid, in four bits: how far its answers are from the float network's.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "lfm/engine.h"
#include "lfm/quantize.h"
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

class Rotated : public testing::Test {
 protected:
  std::vector<std::vector<float>> logits(const std::string& path) {
    std::vector<std::vector<float>> all;
    const auto engine = Engine::open(path);
    if (!engine.ok()) return all;
    auto session = engine->new_session({.context_tokens = 1024});
    for (const std::string& text : conversations(true)) {
      const auto tokens = engine->tokenizer().encode(text, {.bos = false, .special_tokens = true});
      if (!session->sync({}).ok()) return {};
      const auto status =
          session->append(*tokens, [&](std::span<const float> row) { all.emplace_back(row.begin(), row.end()); });
      if (!status.ok() || all.size() > 6000) break;
    }
    return all;
  }

  // Mean KL divergence of a file in four bits from the float network.
  double divergence(QuantizeOptions options) {
    options.overwrite = true;
    const auto info = quantize_model(float_, files_.path("small.gguf"), options);
    EXPECT_TRUE(info.ok()) << info.error().describe();
    return divergence(files_.path("small.gguf"));
  }
  double divergence(const std::string& path) {
    if (reference_.empty()) reference_ = logits(float_);
    const auto found = logits(path);
    EXPECT_EQ(found.size(), reference_.size());
    double sum = 0;
    for (std::size_t t = 0; t < found.size(); ++t) {
      const auto log_sum = [](const std::vector<float>& row) {
        double total = 0;
        for (const float logit : row) total += std::exp(static_cast<double>(logit));
        return std::log(total);
      };
      const double p_sum = log_sum(reference_[t]), q_sum = log_sum(found[t]);
      for (std::size_t i = 0; i < found[t].size(); ++i) {
        const double p = static_cast<double>(reference_[t][i]) - p_sum, q = static_cast<double>(found[t][i]) - q_sum;
        sum += std::exp(p) * (p - q);
      }
    }
    return sum / static_cast<double>(found.size());
  }

  TempFolder files_;
  std::string float_ = files_.write("float.gguf", rotated_model(read_all(kNano), 7));
  std::vector<std::vector<float>> reference_;
};

TEST_F(Rotated, TheFunctionStays) {
  EXPECT_LT(divergence(kNano), 1e-4);  // what eight bits of activations in blocks do
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

TEST_F(Rotated, CalibratedIsNearer) {
  QuantizeOptions options;
  for (const std::string& text : conversations(false)) options.calibration += text;
  options.calibration_tokens = 9216;
  options.method = QuantizeMethod::kNoData;
  const double plain = divergence(options);
  options.method = QuantizeMethod::kOneStream;
  const double one = divergence(options);
  options.method = QuantizeMethod::kTwoStreams;
  const double two = divergence(options);
  options.type = WeightType::kIQ4_NL;
  const double table = divergence(options);
  options.type = WeightType::kQ4_0;
  options.calibration.clear();
  const double by_itself = divergence(options);
  RecordProperty("divergences", std::to_string(plain) + " " + std::to_string(one) + " " + std::to_string(two) + " " +
                                    std::to_string(table) + " " + std::to_string(by_itself));
  EXPECT_LT(one, 0.58 * plain);
  EXPECT_LT(two, 0.51 * plain);
  EXPECT_LT(table, 0.51 * plain);
  EXPECT_LT(by_itself, 0.6 * plain);
}

}  // namespace
}  // namespace lfm::test
