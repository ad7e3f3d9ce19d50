// The sub-commands of the command line: each registers its options and what to run when it is chosen.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace lfm::cli {

// Exit codes.
inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;        // bad input, or a failure while running
inline constexpr int kUsage = 2;          // the command line itself
inline constexpr int kInterrupted = 130;  // by the user; what was generated is kept

// Chosen sub-command's work; returns the exit code.
using Action = std::function<int()>;

void add_bench(CLI::App& app, Action& action);
void add_chat(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_detokenize(CLI::App& app, Action& action);
void add_logits(CLI::App& app, Action& action);
void add_perplexity(CLI::App& app, Action& action);
void add_pack(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);

}  // namespace lfm::cli
