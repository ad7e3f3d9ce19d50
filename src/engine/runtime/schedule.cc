#include "engine/runtime/schedule.h"

#include <algorithm>

namespace lfm::engine {

model::Run Job::next(std::size_t rows) const noexcept {
  model::Run part = run;
  part.tokens = run.tokens.subspan(done, rows);
  part.outputs = rows == left() && logits != nullptr ? 1 : 0;
  const std::size_t begin = run.state->position();
  std::size_t before = 0, within = 0;
  for (const ops::StateCopy& copy : run.checkpoints) {
    if (copy.position <= begin) ++before;
    if (copy.position > begin && copy.position <= begin + rows) ++within;
  }
  part.checkpoints = run.checkpoints.subspan(before, within);
  return part;
}

std::size_t share_out(std::span<Job* const> waiting, std::size_t most_rows, std::span<Share, model::kMaxRuns> shares) {
  const bool prompt_first = waiting.front()->left() > 1;
  const auto tokens = static_cast<std::size_t>(
      std::ranges::count_if(waiting, [](const Job* job) { return !job->alone() && job->left() == 1; }));
  // The first one's prompt gets a row at least, and a place.
  std::size_t singles = std::min({tokens, most_rows - prompt_first, shares.size() - prompt_first});
  std::size_t prompts = std::min(most_rows - singles, singles > 0 ? kRowsBesideTokens : most_rows);
  std::size_t count = 0;
  for (std::size_t i = 0; i < waiting.size() && count < shares.size(); ++i) {
    Job& job = *waiting[i];
    if (job.alone()) continue;
    std::size_t& room = job.left() == 1 ? singles : prompts;
    if (room == 0 || (job.left() > 1 && count + singles == shares.size())) continue;
    const std::size_t rows = std::min(job.left(), room);
    room -= rows;
    shares[count++] = {&job, rows};
  }
  return count;
}

}  // namespace lfm::engine
