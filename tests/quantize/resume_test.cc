// Quantising that is stopped, begun with other options, and finds its files damaged or gone, in random order: whatever
// came before, a run that ends has written what a run on a clean folder writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>

#include "base/checksum.h"
#include "lfm/quantize.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

class Resume : public testing::TestWithParam<unsigned> {
 protected:
  static constexpr std::size_t kOptions = 4;

  Resume() {
    QuantizeOptions options;
    for (int i = 0; i < 30; ++i) options.calibration += "Line " + std::to_string(i) + " of what is said. ";
    options.calibration_tokens = 200;
    options.overwrite = true;
    all_.fill(options);
    all_[1].type = WeightType::kIQ4_NL;
    all_[1].method = QuantizeMethod::kOneStream;
    all_[2].mix = Mix::kBits;
    all_[2].mix_bits = 7;
    all_[3].method = QuantizeMethod::kNoData;
    for (std::size_t i = 0; i < kOptions; ++i) {
      const std::string clean = folder_.path("clean.gguf");
      const auto info = quantize_model(model_, clean, all_[i]);
      EXPECT_TRUE(info.ok()) << info.error().describe();
      expected_[i] = read_all(clean);
      fs::remove(clean);
    }
  }

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  // Ends, or is stopped after some reports.
  void run(std::size_t which) {
    QuantizeOptions options = all_[which];
    options.threads = static_cast<unsigned>(1 + below(3));
    std::size_t left = below(3) == 0 ? 100000 : 1 + below(12);
    options.progress = [&](QuantizePhase, double) { return left-- > 0; };
    const std::string before = fs::exists(out_) ? read_all(out_) : "";
    const auto info = quantize_model(model_, out_, options);
    if (info.ok()) {
      EXPECT_TRUE(read_all(out_) == expected_[which]) << which;
      EXPECT_FALSE(fs::exists(state_) || fs::exists(part_)) << which;
    } else {
      EXPECT_EQ(info.error().code, ErrorCode::kCancelled) << info.error().describe();
      EXPECT_TRUE((fs::exists(out_) ? read_all(out_) : "") == before);
    }
  }

  void damage(const std::string& path) {
    if (!fs::exists(path)) return;
    std::string bytes = read_all(path);
    const auto permissions = fs::status(path).permissions();
    switch (below(3)) {
      case 0:
        fs::remove(path);
        return;
      case 1:
        bytes.resize(below(bytes.size() + 1));
        break;
      case 2:
        for (int i = 0; i < 20 && !bytes.empty(); ++i) bytes[below(bytes.size())] ^= static_cast<char>(1 + below(255));
        break;
    }
    folder_.write(fs::path(path).filename().string(), bytes);
    fs::permissions(path, permissions);
  }

  TempFolder folder_;
  const std::string model_ = folder_.write("tiny.gguf", TinyModel().build()), out_ = folder_.path("out.gguf"),
                    part_ = folder_.path(".out.gguf.part"), state_ = folder_.path(".out.gguf.state");
  std::array<QuantizeOptions, kOptions> all_;
  std::array<std::string, kOptions> expected_;
  std::mt19937 random_{GetParam()};
};

TEST_P(Resume, EndsAsOnACleanFolder) {
  std::size_t which = 0;
  for (int step = 0; step < 40 && !HasFailure(); ++step) {
    switch (below(8)) {
      case 0:
        which = below(kOptions);
        break;
      case 1:
        damage(part_);
        break;
      case 2:
        damage(state_);
        break;
      case 3:
        fs::remove(out_);
        break;
      default:
        run(which);
        break;
    }
  }
}

// A state whose checksum is right may still say anything: it ends, with a file or with an error.
TEST_P(Resume, NumbersOfAStateAreLookedAt) {
  constexpr std::size_t kMix = 2;
  QuantizeOptions options = all_[kMix];
  options.progress = [&](QuantizePhase phase, double part) {
    return phase != QuantizePhase::kCalibrated || part < 0.5;
  };
  ASSERT_FALSE(quantize_model(model_, out_, options).ok());
  options.progress = nullptr;
  const std::string state = read_all(state_);
  const auto permissions = fs::status(state_).permissions();
  constexpr std::size_t kNumber = sizeof(std::uint64_t), kHead = 2 * kNumber;  // which is looked at first
  for (int i = 0; i < 25; ++i) {
    std::string changed = state.substr(0, state.size() - kNumber);
    const std::uint64_t number = below(2) == 0 ? below(100) : std::uint64_t{below(1000)} << 31;
    const std::size_t at = kHead + below((std::min<std::size_t>(changed.size(), 4000) - kHead) / 4) * 4;
    changed.replace(at, std::min(kNumber, changed.size() - at), bytes_of(number), 0,
                    std::min(kNumber, changed.size() - at));
    changed += bytes_of(base::checksum(as_bytes(changed)));
    folder_.write(fs::path(state_).filename().string(), changed);
    fs::permissions(state_, permissions);
    const auto info = quantize_model(model_, out_, options);
    EXPECT_TRUE(info.ok()) << info.error().describe() << " at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Resume, testing::Range(1u, 5u));

}  // namespace
}  // namespace lfm::test
