// Options that every command with a model takes, and what becomes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lfm/lfm.h"
#include "model_name.h"
#include "options.h"

namespace lfm::cli {

inline constexpr Bounds kThreads = {1, 256};
void add_threads_option(Command& command, unsigned& threads);  // of a command that counts but one kind

struct ModelOptions : ModelName {
  unsigned threads = 0;
  unsigned batch_threads = 0;
  std::string dense = "auto";
  std::string load = "auto";
  std::string type;        // of matrices of floats; empty: Q8_0 of a folder, else as the file has them
  std::string pack_cache;  // a folder, "off", or empty for the user's cache folder
  std::string draft;       // file of a draft network, or empty
  bool may_draft = false;  // the command can use one

  void add_to(Command& command);  // all but -t and -tb
  void add_threads_to(Command& command);
  EngineOptions engine() const;
};

// -md: a draft network beside the model.
Option add_draft_model_option(Command& command, ModelOptions& options);

// --draft model has to have one.
void check_draft(Command& command, const ModelOptions& options, const std::optional<Draft>& draft);

// The type of a name that --type takes.
std::optional<WeightType> weight_type(std::string_view name);

// Adds --dense to a command; dense_backend() gives what its values mean.
void add_dense_option(Command& command, std::string& dense);
DenseBackend dense_backend(std::string_view name);

// How keys and values are kept: --cache-type-k, --cache-type-v.
struct CacheTypes {
  std::string keys = "f16";
  std::string values = "f16";

  void add_to(Command& command);
  SessionOptions session(std::size_t context_tokens) const;
};

// Those, and room for tokens: 0 is all that the model was trained for, and nothing what the library thinks fit.
struct ContextOptions {
  std::optional<std::size_t> tokens;
  CacheTypes cache;

  void add_to(Command& command);
  SessionOptions session(const ModelInfo& info) const;
};

// -n: tokens to generate at most.
void add_predict_option(Command& command, std::int64_t& tokens, const char* help);

// "; -c makes room for more", where the model can have more than that; otherwise why it can't.
std::string room_for_more(std::size_t context, const ModelInfo& info);

// What to say of a prompt of so many tokens, which is more than the context's room.
std::string no_room(std::size_t tokens, std::size_t context, const ModelInfo& info);

// How much of some work is done, 0..1.
double part_of(std::uint64_t done, std::uint64_t all);

// An error of opening it, with the file's name in front.
Error of_opening(Error error, const ModelOptions& options);

// Opens the engine; prints its notes on standard error, and, where that is a terminal and has to wait, how far it is.
Result<Engine> open_engine(const ModelOptions& options, std::size_t chunk_tokens = EngineOptions{}.chunk_tokens);

// At the end of a command's work: waits for the pack cache, if it is still being written. What goes wrong with it is a
// note on standard error.
void finish_pack_cache(const Engine& engine);

}  // namespace lfm::cli
