// A model with a draft network, and a team that runs passes of both apart from any session.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/checked.h"
#include "engine/load/load.h"
#include "engine/model.h"
#include "model/draft_network.h"
#include "support/expect.h"
#include "support/temp_file.h"

namespace lfm::test {

class DraftPasses {
 public:
  static constexpr std::size_t kMostRows = 320;

  DraftPasses(const std::string& model, const std::string& draft, unsigned threads = 1)
      : model_file_(model),
        draft_file_(draft),
        model_(*engine::load_model(model_file_.path(),
                                   {.threads = 1, .dense = DenseBackend::kNative, .draft = draft_file_.path()})),
        team_(*base::Team::create(threads)),
        stride_(base::round_up(config().vocab, kernels::kTileRows)) {
    ops::Dimensions dimensions = model::workspace_dimensions(model_->config, threads, kMostRows, 4096);
    model::add_dimensions(network(), dimensions);
    workspace_ = *ops::Workspace::create(dimensions);
    taps_.resize(kMostRows * width());
    g_.resize(kMostRows * config().hidden);
  }

  const engine::Model& model() const { return *model_; }
  const model::DraftNetwork& network() const { return model_->draft->network; }
  const model::Config& config() const { return network().config; }

  model::State state(std::size_t room, kernels::KvFormat format = {}) const {
    return *model::State::create(model_->config, room, format, &config());
  }

  // Reads tokens of sequences in one pass. Gives the taps, (rows, taps * hidden).
  std::span<const float> read(std::span<const model::Run> runs) {
    std::size_t rows = 0;
    for (const model::Run& run : runs) {
      expect_ok(run.state->make_room(run.tokens.size()));
      rows += run.tokens.size();
    }
    model::Stopped stopped;
    team_.run([&](base::Worker& worker) {
      const ops::Context context = of(worker, rows);
      const auto take = [&](const ops::Context& c, std::size_t tap) {
        const base::Range mine = c.worker.part(c.tokens);
        for (std::size_t t = mine.begin; t < mine.end; ++t)
          std::copy_n(&workspace_.x[t * config().hidden], config().hidden, &taps_[t * width() + tap * config().hidden]);
        model::take_tap(c, network(), tap, g_);
      };
      if (!model::forward(context, model_->weights, model_->config, runs, stopped, {config().draft.taps, take})) return;
      model::remember(context, network(), g_, runs);
    });
    for (const model::Run& run : runs) run.state->advance(run.tokens.size());
    return std::span(taps_).first(rows * width());
  }
  std::span<const float> read(model::State& state, std::span<const TokenId> tokens) {
    const model::Run run{&state, tokens};
    return read({&run, 1});
  }

  struct Block {
    std::vector<float> hidden;                 // (rows, hidden) behind the last norm
    std::vector<float> base;                   // (rows, vocab) logits, of all tokens
    std::vector<model::Candidate> candidates;  // (rows, kCandidates)
    std::vector<model::Guessed> guessed;
  };
  // Tokens of the list alone.
  Block guess(model::State& state, TokenId anchor, std::size_t rows, const model::Shortlist& list) {
    Block out;
    expect_ok(state.draft_kv()->own(state.position(), state.position() + rows));
    std::vector<float> padded(rows * stride_);
    std::vector<float*> logits;
    for (std::size_t i = 0; i < rows; ++i) logits.push_back(&padded[i * stride_]);
    model::GuessRoom room(network(), rows, team_.size());
    team_.run([&](base::Worker& worker) {
      const ops::Context context = of(worker, rows);
      model::think(context, network(), state, anchor);
      model::head(context, network().weights, config(), 0, logits);
      model::find_candidates(context, network(), list, room);
      context.worker.barrier();
      model::read_markov(context, network(), room);
    });
    const std::size_t hidden = config().hidden;
    out.hidden.resize(rows * hidden);
    for (std::size_t i = 0; i < rows; ++i) {
      kernels::table(model_->runtime->isa())
          .vector.rms_norm(&workspace_.x[i * hidden], network().weights.output_norm, hidden, config().norm_eps,
                           &out.hidden[i * hidden]);
      out.base.insert(out.base.end(), logits[i], logits[i] + config().vocab);
    }
    out.candidates = room.candidates;
    out.guessed.resize(rows);
    model::follow_chain(kernels::table(model_->runtime->isa()), network(), anchor, workspace_.x, room, out.guessed);
    return out;
  }
  Block guess(model::State& state, TokenId anchor, std::size_t rows) {
    return guess(state, anchor, rows, model::Shortlist(config().vocab));
  }

 private:
  std::size_t width() const { return config().draft.taps.size() * config().hidden; }
  ops::Context of(base::Worker& worker, std::size_t rows) {
    return {kernels::table(model_->runtime->isa()), worker, workspace_, nullptr, rows};
  }

  TempFile model_file_, draft_file_;
  std::shared_ptr<const engine::Model> model_;
  base::Team team_;
  ops::Workspace workspace_;
  std::vector<float> taps_, g_;
  std::size_t stride_;
};

}  // namespace lfm::test
