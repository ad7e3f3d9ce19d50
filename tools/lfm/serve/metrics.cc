#include "serve/metrics.h"

#include <cstdio>
#include <string_view>

namespace lfm::serve {
namespace {

void say(std::string& out, std::string_view name, std::string_view kind, std::string_view help, double value) {
  char number[32];
  std::snprintf(number, sizeof number, "%.15g", value);
  out.append("# HELP lfm_").append(name).append(" ").append(help).append("\n# TYPE lfm_").append(name);
  out.append(" ").append(kind).append("\nlfm_").append(name).append(" ").append(number).append("\n");
}

double per_second(std::uint64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

}  // namespace

void Metrics::add(const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  sums_.prompt_tokens += outcome.prompt_tokens - outcome.cached_tokens;
  sums_.cached_tokens += outcome.cached_tokens;
  sums_.generated_tokens += outcome.generated();
  for (const Finish& finish : outcome.choices) sums_.passes += finish.passes;
  sums_.drafted_tokens += outcome.drafted();
  sums_.accepted_tokens += outcome.accepted();
  sums_.prompt_seconds += outcome.prompt_seconds;
  sums_.generate_seconds += outcome.generate_seconds;
  ++sums_.answers;
}

void Metrics::count_response(int status) {
  const std::lock_guard lock(mutex_);
  ++responses_[status];
}

std::string Metrics::text(const Gauges& now) const {
  Sums sums;
  std::map<int, std::uint64_t> responses;
  {
    const std::lock_guard lock(mutex_);
    sums = sums_;
    responses = responses_;
  }
  std::string out;
  const auto counter = [&](std::string_view name, std::string_view help, double value) {
    say(out, name, "counter", help, value);
  };
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    say(out, name, "gauge", help, value);
  };
  const auto number = [](auto value) { return static_cast<double>(value); };
  counter("prompt_tokens_total", "Tokens of prompts that were read.", number(sums.prompt_tokens));
  counter("prompt_cached_tokens_total", "Tokens of prompts that were there already.", number(sums.cached_tokens));
  counter("prompt_seconds_total", "Time spent reading prompts.", sums.prompt_seconds);
  counter("tokens_predicted_total", "Tokens generated.", number(sums.generated_tokens));
  counter("tokens_predicted_seconds_total", "Time spent generating them.", sums.generate_seconds);
  counter("passes_total", "Passes that generated them, each answer's.", number(sums.passes));
  counter("draft_tokens_total", "Tokens that were guessed, and read in those passes.", number(sums.drafted_tokens));
  counter("draft_accepted_tokens_total", "Tokens of them that came true.", number(sums.accepted_tokens));
  counter("answers_total", "Answers that came to their end.", number(sums.answers));
  gauge("prompt_tokens_seconds", "Tokens of prompts a second, on the whole.",
        per_second(sums.prompt_tokens, sums.prompt_seconds));
  gauge("predicted_tokens_seconds", "Tokens generated a second, on the whole.",
        per_second(sums.generated_tokens, sums.generate_seconds));
  gauge("slots", "Answers that can be made side by side.", number(now.slots));
  gauge("requests_processing", "Answers that are being made.", number(now.busy));
  gauge("requests_deferred", "Requests that wait for a slot.", number(now.queued));
  gauge("cache_states", "States of conversations that are kept.", number(now.pool.states));
  gauge("cache_bytes", "Memory of them.", number(now.pool.bytes));
  gauge("cache_most_bytes", "Most memory for them.", number(now.pool.most_bytes));
  counter("cache_evicted_total", "States that went for want of room.", number(now.pool.evicted));
  gauge("connections", "Connections that are open.", number(now.connections));
  out += "# HELP lfm_http_responses_total Responses by status.\n# TYPE lfm_http_responses_total counter\n";
  for (const auto& [status, count] : responses) {
    out += "lfm_http_responses_total{code=\"" + std::to_string(status) + "\"} " + std::to_string(count) + "\n";
  }
  return out;
}

}  // namespace lfm::serve
