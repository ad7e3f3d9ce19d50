// What the sub-commands share: reading inputs, writing outputs, saying what went wrong, common options.
#pragma once

#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "lfm/lfm.h"

namespace CLI {
class App;
}

namespace lfm::cli {

// Prints "lfm: sentence" on stderr and returns kFailure.
int fail(const Error& error);
int fail(std::string_view sentence);

// Prints "lfm: note: sentence" on stderr.
void print_note(const std::string& note);

// The largest text or id list that is read.
inline constexpr std::size_t kMaxInputBytes = std::size_t{256} << 20;

// Everything of a file, or of stdin for "-". kIo, kLimit.
Result<std::string> read_input(const std::string& path);

// stdout with the errors seen: false once a write failed (a closed pipe, a full disk).
bool write_out(std::string_view bytes);
bool flush_out();

// Ids separated by white space. kFormat with the index of the first that isn't one.
Result<std::vector<TokenId>> parse_ids(std::string_view text);

// Options that every command with a model takes.
struct ModelOptions {
  std::string path;
  unsigned threads = 0;
  std::string dense = "auto";
  std::string load = "auto";
  std::string pack_cache;  // a folder, "off", or empty for the user's cache folder

  void add_to(CLI::App& command);
  EngineOptions engine() const;
};

// Adds --dense to a command; dense_backend() gives what its values mean.
void add_dense_option(CLI::App& command, std::string& dense);
DenseBackend dense_backend(std::string_view name);

// "4.41 GiB"
std::string bytes_text(double bytes);

// Opens the engine; prints its notes on stderr.
Result<Engine> open_engine(const ModelOptions& options, std::size_t chunk_tokens = EngineOptions{}.chunk_tokens);

// At the end of a command's work: waits for the pack cache, if it is still being written. What goes wrong with it is a
// note on stderr.
void finish_pack_cache(const Engine& engine);

}  // namespace lfm::cli
