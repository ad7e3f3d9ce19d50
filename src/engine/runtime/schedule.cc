#include "engine/runtime/schedule.h"

#include <algorithm>

namespace lfm::engine {

model::Run Job::next(std::size_t rows) const noexcept {
  model::Run part = run;
  part.tokens = run.tokens.subspan(done, rows);
  const std::size_t behind = left() - rows;
  part.outputs = std::min(rows, run.outputs - std::min(run.outputs, behind));
  const std::size_t begin = run.state->position();
  std::size_t before = 0, within = 0;
  for (const ops::StateCopy& copy : run.checkpoints) {
    if (copy.position <= begin) ++before;
    if (copy.position > begin && copy.position <= begin + rows) ++within;
  }
  part.checkpoints = run.checkpoints.subspan(before, within);
  return part;
}

float* Job::next_logits() const noexcept {
  const std::size_t without = run.tokens.size() - run.outputs;
  return logits + (done - std::min(done, without)) * stride;
}

std::size_t share_out(std::span<Job* const> waiting, std::size_t most_rows, std::span<Share, model::kMaxRuns> shares) {
  const bool prompt_first = !waiting.front()->goes_first();
  std::size_t tokens = 0, places = 0;
  for (const Job* job : waiting) {
    if (job->alone() || !job->goes_first()) continue;
    tokens += job->left();
    ++places;
  }
  // The first one's prompt gets a row at least, and a place.
  places = std::min(places, shares.size() - prompt_first);
  std::size_t firsts = std::min(tokens, most_rows - prompt_first);
  std::size_t prompts = std::min(most_rows - firsts, firsts > 0 ? kRowsBesideTokens : most_rows);
  std::size_t count = 0;
  for (std::size_t i = 0; i < waiting.size() && count < shares.size(); ++i) {
    Job& job = *waiting[i];
    if (job.alone()) continue;
    const bool first = job.goes_first();
    std::size_t& room = first ? firsts : prompts;
    if (room == 0 || (first ? places == 0 : count + places == shares.size())) continue;
    if (first) --places;
    const std::size_t rows = std::min(job.left(), room);
    room -= rows;
    shares[count++] = {&job, rows};
  }
  return count;
}

}  // namespace lfm::engine
