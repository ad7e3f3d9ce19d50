// Rows of several sequences in one pass: each has, bit for bit, what its sequence has alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "engine/load/load.h"
#include "engine/model.h"
#include "engine/tiny_engine.h"
#include "model/forward.h"
#include "support/expect.h"
#include "support/same_bits.h"

namespace lfm::test {
namespace {

constexpr std::size_t kMostRows = 640;

// A model, and a team that runs passes of any runs.
class Passes {
 public:
  Passes(const TinyModel& model, unsigned threads)
      : file_(model.build()),
        model_(*engine::load_model(file_.path(), {.threads = 1, .dense = DenseBackend::kNative})),
        team_(*base::Team::create(threads)),
        workspace_(*ops::Workspace::create(model::workspace_dimensions(model_->config, threads, kMostRows, 4096))),
        stride_(base::round_up(model_->config.vocab, kernels::kTileRows)) {}

  const model::Config& config() const { return model_->config; }

  model::State state(std::size_t room) const { return *model::State::create(model_->config, room); }

  // Logits of all outputs, (outputs, vocab).
  std::vector<float> run(std::span<const model::Run> runs) {
    std::size_t rows = 0, outputs = 0;
    for (const model::Run& run : runs) {
      expect_ok(run.state->make_room(run.tokens.size()));
      rows += run.tokens.size();
      outputs += run.outputs;
    }
    std::vector<float> padded(outputs * stride_);
    std::vector<float*> logits;
    for (std::size_t i = 0; i < outputs; ++i) logits.push_back(&padded[i * stride_]);
    model::Stopped stopped;
    team_.run([&](base::Worker& worker) {
      const ops::Context context{kernels::table(model_->runtime->isa()), worker, workspace_, nullptr, rows};
      if (!model::forward(context, model_->weights, model_->config, runs, stopped)) return;
      if (outputs > 0) model::head(context, model_->weights, model_->config, 0, logits);
    });
    for (const model::Run& run : runs) run.state->advance(run.tokens.size());
    std::vector<float> all;
    for (const float* row : logits) all.insert(all.end(), row, row + model_->config.vocab);
    return all;
  }

 private:
  TempFile file_;
  std::shared_ptr<const engine::Model> model_;
  base::Team team_;
  ops::Workspace workspace_;
  std::size_t stride_;
};

// A sequence, what it has alone, and how far it is in company.
struct Sequence {
  Sequence(Passes& passes, std::size_t length, std::uint32_t seed)
      : ids(random_tokens(length, seed)), state(passes.state(length)) {
    model::State alone = passes.state(length);
    const std::size_t floats = alone.all_conv().size();
    conv.assign(length, std::vector<float>(floats));
    std::vector<ops::StateCopy> checkpoints;
    for (std::size_t i = 0; i < length; ++i) checkpoints.push_back({i + 1, conv[i].data()});
    const model::Run run{&alone, ids, length, checkpoints};
    logits = passes.run({&run, 1});
  }
  std::size_t left() const { return ids.size() - state.position(); }

  std::vector<TokenId> ids;
  std::vector<float> logits;             // (length, vocab)
  std::vector<std::vector<float>> conv;  // after each token
  model::State state;
};

// Passes of 1 to 8 of the sequences, each with some of its next tokens, until all are through.
void expect_same_in_company(Passes& passes, std::vector<Sequence>& sequences, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return random() % n; };
  const std::size_t vocab = passes.config().vocab;
  while (!testing::Test::HasFailure()) {
    std::vector<Sequence*> company;
    for (Sequence& sequence : sequences) {
      if (sequence.left() > 0) company.push_back(&sequence);
    }
    if (company.empty()) return;
    std::shuffle(company.begin(), company.end(), random);
    company.resize(1 + below(std::min<std::size_t>(company.size(), 8)));

    std::vector<model::Run> runs;
    std::vector<std::vector<ops::StateCopy>> checkpoints(company.size());
    std::vector<std::vector<float>> kept(company.size());
    std::vector<float> expected;
    for (std::size_t i = 0; i < company.size(); ++i) {
      Sequence& sequence = *company[i];
      const std::size_t begin = sequence.state.position();
      const std::size_t count = below(2) == 0 ? 1 : 1 + below(std::min<std::size_t>(sequence.left(), 70));
      const std::size_t outputs = below(3) == 0 ? below(count + 1) : 1;
      kept[i].resize(sequence.conv[0].size());
      checkpoints[i].push_back({begin + 1 + below(count), kept[i].data()});
      runs.push_back({&sequence.state, std::span(sequence.ids).subspan(begin, count), outputs, checkpoints[i]});
      const auto rows = std::span(sequence.logits).subspan((begin + count - outputs) * vocab, outputs * vocab);
      expected.insert(expected.end(), rows.begin(), rows.end());
    }
    const std::vector<float> logits = passes.run(runs);
    expect_same_bits(expected, logits);
    for (std::size_t i = 0; i < company.size(); ++i) {
      expect_same_bits(company[i]->conv[checkpoints[i][0].position - 1], kept[i]);
      expect_same_bits(company[i]->conv[company[i]->state.position() - 1], std::as_const(company[i]->state).all_conv());
    }
  }
}

TinyModel of(format::TensorType matrices, format::TensorType embedding) {
  TinyModel model;
  model.matrices = matrices;
  model.embedding = embedding;
  model.hidden = 256;
  model.heads = 8;
  model.kv_heads = {0, 2, 0, 4, 1};
  model.ffn_width = 256;
  model.expert_width = 256;
  model.experts = 8;
  model.experts_used = 3;
  return model;
}

#ifdef __SANITIZE_THREAD__
constexpr std::size_t kModels = 2;  // threads meet in all of them alike
#else
constexpr std::size_t kModels = 8;
#endif

TEST(Pass, ARowDependsOnItsSequenceAlone) {
  using enum format::TensorType;
  TinyModel dense = of(kF16, kF16);
  dense.moe = false;
  dense.conv_taps = 4;
  const TinyModel models[] = {of(kQ4_0, kQ6_K), of(kQ4_K, kQ4_K),   of(kQ8_0, kQ8_0), of(kIQ4_XS, kQ3_K),
                              of(kQ2_K, kQ3_K), of(kMXFP4, kMXFP4), TinyModel{},      dense};
  static_assert(kModels <= std::size(models));
  for (const TinyModel& model : std::span(models).first(kModels)) {
    for (const unsigned threads : {1u, &model == models ? 3u : 2u}) {
      SCOPED_TRACE(testing::Message() << "model " << &model - models << ", " << threads << " threads");
      Passes passes(model, threads);
      std::vector<Sequence> sequences;
      for (const std::size_t length : {1, 2, 7, 30, 64, 65, 90, 128, 130, 200})
        sequences.emplace_back(passes, length, static_cast<std::uint32_t>(length));
      expect_same_in_company(passes, sequences, threads);
    }
  }
}

// Past 512 positions attention cuts a context into parts, each context where it does alone.
TEST(Pass, LongContextsBesideShortOnes) {
  TinyModel model;
  model.kv_heads = {1, 0, 1};
  Passes passes(model, 2);
  std::vector<Sequence> sequences;
  for (const std::size_t length : {600, 520, 40, 3}) sequences.emplace_back(passes, length, 7u);
  expect_same_in_company(passes, sequences, 11);
}

TEST(Pass, AsManyRunsAsThereMayBe) {
  Passes passes(TinyModel{}, 2);
  std::vector<Sequence> sequences;
  std::vector<model::Run> runs;
  std::vector<float> expected;
  for (std::size_t i = 0; i < model::kMaxRuns; ++i)
    sequences.emplace_back(passes, 1 + i % 5, static_cast<std::uint32_t>(i));
  for (Sequence& sequence : sequences) {
    runs.push_back({&sequence.state, sequence.ids, sequence.ids.size()});
    expected.insert(expected.end(), sequence.logits.begin(), sequence.logits.end());
  }
  expect_same_bits(expected, passes.run(runs));
}

TEST(Pass, EndsEarlyOnlyWhereAllRunsWantIt) {
  Passes passes(TinyModel{}, 2);
  const std::atomic<bool> stop = true, go_on = false;
  const std::vector<TokenId> ids = random_tokens(20, 1);
  Sequence one(passes, 20, 1), other(passes, 20, 1);
  const std::vector<model::Run> runs = {{&one.state, ids, 20, {}, &stop}, {&other.state, ids, 20, {}, &go_on}};
  std::vector<float> twice = one.logits;
  twice.insert(twice.end(), one.logits.begin(), one.logits.end());
  expect_same_bits(twice, passes.run(runs));
}

}  // namespace
}  // namespace lfm::test
