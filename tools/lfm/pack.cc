// lfm pack: writes a model in the form in which it is used, so that opening it takes no time.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "command.h"
#include "io.h"

namespace lfm::cli {
namespace {

struct Options {
  std::string model;
  std::string out;
  std::string dense = "auto";
  unsigned threads = 0;
  bool force = false;
  bool verify = false;
};

// One line that is written over; nothing where standard error is no terminal.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what), shown_(isatty(STDERR_FILENO) != 0) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (percent_ >= 0) std::fprintf(stderr, "\r\033[K");
  }

  void at(std::uint64_t done, std::uint64_t all) {
    const int percent = all == 0 ? 100 : static_cast<int>(done * 100 / all);
    if (!shown_ || percent == percent_) return;
    percent_ = percent;
    std::fprintf(stderr, "\r%s %3d %%", what_, percent);
    std::fflush(stderr);
  }

 private:
  const char* what_;
  bool shown_;
  int percent_ = -1;
};

int print(const std::string& path, const char* what, const PackInfo& info) {
  std::printf("%s: %s, %s of weights for %s, %s\n", path.c_str(),
              bytes_text(static_cast<double>(info.file_bytes)).c_str(),
              bytes_text(static_cast<double>(info.weight_bytes)).c_str(), info.dense_backend.c_str(), what);
  return flush_out() ? kOk : fail("cannot write to standard output");
}

int run_pack(const Options& options) {
  if (options.verify) {
    auto info = verify_pack(options.model, options.threads);
    return info.ok() ? print(options.model, "undamaged", *info) : fail(info.error());
  }
  PackOptions pack_options;
  pack_options.dense = dense_backend(options.dense);
  pack_options.threads = options.threads;
  pack_options.overwrite = options.force;
  auto progress = std::make_unique<Progress>("packing");
  pack_options.progress = [&](std::uint64_t done, std::uint64_t all) { progress->at(done, all); };
  auto info = pack(options.model, options.out, pack_options);
  progress.reset();
  return info.ok() ? print(options.out, "written", *info) : fail(info.error());
}

}  // namespace

void add_pack(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("pack", "Write a model in the form in which it is used, for quick starts");
  command->add_option("model", options->model, "GGUF file of an LFM2 model; with --verify, a packed file")
      ->required()
      ->type_name("FILE");
  auto* out = command->add_option("-o,--out", options->out, "packed file to write")->type_name("FILE");
  auto* verify = command->add_flag("--verify", options->verify, "check a packed file completely");
  out->excludes(verify);
  add_dense_option(*command, options->dense);
  command
      ->add_option("-t,--threads", options->threads, "threads (default: the physical cores that this process may use)")
      ->check(CLI::Range(1u, 256u));
  command->add_flag("--force", options->force, "replace a file that is there already");
  command->callback([options, &action] {
    if (!options->verify && options->out.empty()) throw CLI::RequiredError("--out");
    action = [options] { return run_pack(*options); };
  });
}

}  // namespace lfm::cli
