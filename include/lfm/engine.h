// A loaded model.
//
//   auto engine = lfm::Engine::open("LFM2-8B-A1B-Q4_0.gguf");
//   auto session = engine->new_session();
//   auto prompt = engine->tokenizer().encode("The capital of France is");
//   auto read = session->sync(*prompt);
//   auto end = session->generate({.max_tokens = 20}, [](const lfm::Piece& piece) {
//     std::cout << piece.text;
//     return true;
//   });
//
// Every one of these is a Result: ask it whether it is ok() before its value is used (examples/complete.cc does).
//
// Threads: an Engine never changes after open() and may be shared by any number of threads; sessions of one engine take
// turns at its team of threads, one forward pass at a time. Copies of an Engine are the same engine. The memory goes
// when the last Engine, Session and Tokenizer of it has gone.
//
// Processes: an engine belongs to the process that opened it. After fork(2) every call of a child that needs the
// engine's threads is kState, its Tokenizer works, and its memory stays until the child ends or calls exec(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lfm/export.h"
#include "lfm/result.h"
#include "lfm/session.h"
#include "lfm/tokenizer.h"
#include "lfm/types.h"

namespace lfm {

namespace engine {
struct Model;
}

// What takes time while a model opens, and how much of it is done.
enum class OpenPhase : std::uint8_t {
  kPacking,   // reads the weights of a GGUF file and packs them
  kReading,   // reads those of a packed file, to copy or to map them
  kChecking,  // compares a map with the file's checksums
};

struct OpenProgress {
  OpenPhase phase;
  std::uint64_t done = 0;  // bytes
  std::uint64_t all = 0;
};

struct EngineOptions {
  // 0: one for each physical core that this process may use, of the fastest kind where there are several. Of these, a
  // token gets as many as it is fastest with here, which is tried out from time to time.
  unsigned threads = 0;
  // For prompts. 0: as many as `threads`, or, where that is 0, one for each physical core of any kind.
  unsigned batch_threads = 0;
  DenseBackend dense = DenseBackend::kAuto;
  std::size_t chunk_tokens = 512;  // tokens of a prompt that run through the network together; 1..4096
  Load load = Load::kAuto;

  // What matrices of floats become while they are packed, each block rounded to what is nearest: of a Hugging Face
  // folder, say. Matrices that are in blocks already, and packed files, stay as they are. Nothing: all stay.
  std::optional<WeightType> weights = {};

  // Folder in which packed weights of GGUF files are kept, so that the next start maps them; made where it is missing.
  // Empty: none are. A file is written in the background while the model is in use; what comes in the way (a full disk,
  // say) is a note, not an error. Files smaller than pack_cache_min_bytes are packed at every start: that is as quick.
  std::string pack_cache = {};
  // Before another is written, those go whose models lie no longer where they did, and where all would be larger than
  // pack_cache_max_bytes, those that weren't used for longest.
  std::uint64_t pack_cache_min_bytes = std::uint64_t{256} << 20;
  std::uint64_t pack_cache_max_bytes = std::uint64_t{64} << 30;

  // File of a draft network that was made for the model (GGUF, architecture dflash), which sessions can have guess what
  // the model says next (Draft::kModel). It reads along with every token of theirs. Errors of what is in it have its
  // path in front of their field. Empty: none.
  std::string draft = {};

  // Called on this thread, from time to time, while weights are brought into memory; returns whether to go on, and
  // otherwise open() ends with kCancelled. What it throws reaches the caller.
  std::function<bool(const OpenProgress&)> progress = nullptr;
  std::stop_token cancel = {};  // ends open() with kCancelled, within a tenth of a second or so
};

struct ModelInfo {
  std::string architecture;  // "lfm2moe"
  std::string name;          // as the file has it, made fit for a terminal; may be empty
  std::string path;
  std::uint64_t file_bytes = 0;
  bool packed = false;  // a packed file, not GGUF
  std::size_t layers = 0;
  std::size_t attention_layers = 0;
  std::size_t hidden = 0;          // channels
  std::size_t vocabulary = 0;      // tokens
  std::size_t context_tokens = 0;  // that the model was trained for
  std::size_t experts = 0;         // of a layer; 0 for dense models
  std::size_t experts_used = 0;    // for each token
  std::uint64_t parameters = 0;
  std::uint64_t active_parameters = 0;       // that one token uses
  std::uint64_t prompt_parameters = 0;       // of them, that every token of a prompt is multiplied with
  std::uint64_t weight_bytes = 0;            // packed, in memory
  std::uint64_t weight_bytes_per_token = 0;  // that decoding a token reads
  std::uint64_t cache_bytes_per_token = 0;   // of context: keys and values, the draft network's included
  std::uint64_t state_bytes = 0;             // of a session whatever its length: convolution states
  std::string isa;                           // "avx512vnni"
  std::string dense_backend;                 // "xnnpack" or "native"
  unsigned threads = 0;
  std::string draft = {};                // path of the draft network, or empty
  std::uint64_t draft_weight_bytes = 0;  // packed, in memory
  unsigned batch_threads = 0;            // for prompts
  std::vector<std::string> notes;  // what isn't as asked for, and why
};

class LFM_API Engine {
 public:
  // Opens a GGUF file of an LFM2 model, which is read, checked and packed, or a packed one (lfm/pack.h). Of a split
  // GGUF file (-00001-of-00003.gguf) any part may be named; the others lie beside it.
  //   kIo, kFormat, kUnsupported  about the file, with field, index and offset;   kNoMemory;   kArgument about an
  //   option, or a packed file that wasn't packed for it;   kCancelled, with nothing left behind
  static Result<Engine> open(const std::string& path, const EngineOptions& options);
  static Result<Engine> open(const std::string& path) { return open(path, EngineOptions{}); }

  Result<Session> new_session(const SessionOptions& options) const;
  Result<Session> new_session() const { return new_session(SessionOptions{}); }

  // Waits for the file that is being written to the pack cache, and tells how that went; at once where none is. The
  // last Engine, Session or Tokenizer of the model waits likewise when it goes.
  Status finish_pack_cache() const;

  Tokenizer tokenizer() const noexcept;
  const ModelInfo& info() const noexcept;
  SamplingOptions recommended_sampling() const;  // what the model's makers recommend

 private:
  friend class Chat;
  friend class Constraint;
  friend class Diagnostics;
  friend class SessionPool;
  explicit Engine(std::shared_ptr<const engine::Model> model) noexcept : model_(std::move(model)) {}
  std::shared_ptr<const engine::Model> model_;
};

}  // namespace lfm
