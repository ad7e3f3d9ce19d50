// A model by its name: from the cache, or from the hub into it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hub/environment.h"
#include "hub/name.h"
#include "lfm/result.h"

namespace lfm::hub {

enum class Step { kWaiting, kChecking, kLoading };  // for another process; what an earlier download left; the network

struct Progress {
  Step step = Step::kLoading;
  std::string file;
  std::uint64_t done = 0;  // bytes of the model that are here
  std::uint64_t all = 0;
};

struct PullOptions {
  bool update = false;  // ask the hub whether there is a newer version, although one is here

  // Before the first byte is asked for: what is to be downloaded, and of how many bytes; then how far it is.
  std::function<void(const std::string& what, std::uint64_t bytes)> begins = nullptr;
  std::function<void(const Progress& progress)> progress = nullptr;

  std::chrono::milliseconds wait{500};  // before the second try of a request that brought nothing; twice as long then
};

struct Pulled {
  std::string path;         // of its first file, or of the folder
  bool downloaded = false;  // some of it
  std::string note = {};    // empty, or a sentence
};

// Makes no request where the model is here, unless `update` says so. Where the hub can't be reached and an older
// version is here, that is taken, with a note.
//   kArgument     there is no such model, or no consent to it: the message says what there is, or what to do
//   kFormat       the hub gave another file than it lists
//   kIo           of the network or the disk;   kState  the hub wants to be asked later
//   kUnsupported  the program was built without downloads
Result<Pulled> pull(const Name& name, const Environment& environment, const PullOptions& options);

}  // namespace lfm::hub
