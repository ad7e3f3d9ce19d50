#include "bench_replay.h"

#include <string_view>

#include "base/try.h"
#include "input.h"

namespace lfm::cli {
namespace {

constexpr std::string_view kAnswerLine = "=== answer ===\n";

Result<Finish> say(const Engine& engine, const CacheTypes& cache, const ReplayText& text, Draft draft,
                   std::optional<double> accept) {
  LFM_ASSIGN(Session session, engine.new_session(cache.session(text.prompt.size() + text.answer.size())));
  LFM_TRY(session.append(text.prompt));
  if (accept) {
    std::vector<TokenId> all = text.prompt;
    all.insert(all.end(), text.answer.begin(), text.answer.end());
    LFM_TRY(Diagnostics::impose_guesses(session, all, *accept));
  }
  GenerateOptions options{.max_tokens = text.answer.size(), .ignore_end = true, .draft = draft};
  options.sampling = SamplingOptions{.temperature = 0};
  options.mask = [&](const MaskQuery& query) -> Status {
    query.allowed.clear();
    query.allowed.add(text.answer[query.answer.size()]);
    return {};
  };
  return session.generate(options, nullptr);
}

}  // namespace

Result<ReplayText> read_replay(const Engine& engine, const std::string& path) {
  LFM_ASSIGN(const std::string all, read_input(path));
  std::size_t line = all.find(kAnswerLine);
  while (line != std::string::npos && line > 0 && all[line - 1] != '\n') line = all.find(kAnswerLine, line + 1);
  const bool divided = line != std::string::npos;
  const std::string_view prompt = divided ? std::string_view(all).substr(0, line) : std::string_view();
  const std::string_view answer = divided ? std::string_view(all).substr(line + kAnswerLine.size()) : all;
  ReplayText text;
  text.name = path.substr(path.rfind('/') + 1);
  LFM_ASSIGN(text.prompt, engine.tokenizer().encode(prompt, {.bos = true, .special_tokens = true}));
  LFM_ASSIGN(text.answer, engine.tokenizer().encode(answer, {.bos = false, .special_tokens = true}));
  if (text.answer.empty()) return Error{ErrorCode::kArgument, "there is nothing to say", path};
  if (text.prompt.empty()) {
    return Error{ErrorCode::kArgument,
                 "the prompt is empty, and the model has no first token of its own: write one before a line \"" +
                     std::string(kAnswerLine.substr(0, kAnswerLine.size() - 1)) + "\"",
                 path};
  }
  return text;
}

Result<std::vector<ReplayResult>> run_replay(const Engine& engine, const CacheTypes& cache, const ReplayText& text,
                                             const std::vector<Draft>& drafts, std::optional<double> accept,
                                             std::size_t repetitions) {
  std::vector<ReplayResult> results;
  for (const Draft draft : drafts) results.push_back({text.name, text.prompt.size(), text.answer.size(), draft});
  for (std::size_t repetition = 0; repetition < repetitions; ++repetition) {
    for (ReplayResult& result : results) {
      const DraftTimes before = Diagnostics(engine).draft_times();
      LFM_ASSIGN(const Finish finish, say(engine, cache, text, result.draft, accept));
      const DraftTimes after = Diagnostics(engine).draft_times();
      result.network.blocks += after.blocks - before.blocks;
      result.network.layers += after.layers - before.layers;
      result.network.head += after.head - before.head;
      result.network.markov += after.markov - before.markov;
      result.seconds.push_back(finish.seconds);
      result.passes.push_back(finish.passes);
      result.drafted.push_back(finish.drafted);
      result.accepted.push_back(finish.accepted);
    }
  }
  return results;
}

}  // namespace lfm::cli
