// The sub-commands of the command line: each registers its options and what to run when it is chosen.
#pragma once

namespace lfm::cli {

class CommandLine;

// Exit codes.
inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;        // bad input, or a failure while running
inline constexpr int kUsage = 2;          // the command line itself
inline constexpr int kInterrupted = 130;  // by the user; what was generated is kept

inline constexpr const char* kDescription =
    "Runs Liquid AI's LFM2 language models on a CPU.\n"
    "Exit status: 0; 1 for bad input or a failure; 2 for usage; 130 when interrupted.";

void add_all(CommandLine& line);  // in the order of --help

void add_bench(CommandLine& line);
void add_chat(CommandLine& line);
void add_run(CommandLine& line);
void add_tokenize(CommandLine& line);
void add_detokenize(CommandLine& line);
void add_logits(CommandLine& line);
void add_convert(CommandLine& line);
void add_quantize(CommandLine& line);
void add_perplexity(CommandLine& line);
void add_pack(CommandLine& line);
void add_inspect(CommandLine& line);
void add_schema(CommandLine& line);
void add_serve(CommandLine& line);  // where lfm is built with it
void add_batch(CommandLine& line);  // likewise
void add_pull(CommandLine& line);
void add_list(CommandLine& line);
void add_remove(CommandLine& line);

}  // namespace lfm::cli
