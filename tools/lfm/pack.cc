// lfm pack: writes a model in the form in which it is used, so that opening it takes no time.
#include <chrono>
#include <memory>

#include "command.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "progress_line.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelName model;
  std::string out;
  std::string dense = "auto";
  unsigned threads = 0;
  bool force = false;
  bool verify = false;
};

int print(const std::string& path, const char* what, const PackInfo& info) {
  print_out("%s: %s, %s of weights for %s, %s\n", shown_name(path).c_str(),
            bytes_text(static_cast<double>(info.file_bytes)).c_str(),
            bytes_text(static_cast<double>(info.weight_bytes)).c_str(), info.dense_backend.c_str(), what);
  return flush_out() ? kOk : fail_to_write();
}

int run_pack(const Options& options) {
  auto line = std::make_unique<ProgressLine>(std::chrono::milliseconds(500));
  if (options.verify) {
    const auto show = [&](std::uint64_t done, std::uint64_t all) {
      line->show(part_of(done, all), "checking");
      return true;
    };
    auto info = verify_pack(options.model.path, {.threads = options.threads, .progress = show});
    line.reset();
    return info.ok() ? print(options.model.path, "undamaged", *info) : fail(of_model(info.error(), options.model.path));
  }
  PackOptions pack_options;
  pack_options.dense = dense_backend(options.dense);
  pack_options.threads = options.threads;
  pack_options.overwrite = options.force;
  pack_options.progress = [&](std::uint64_t done, std::uint64_t all) {
    line->show(part_of(done, all), "packing");
    return true;
  };
  auto info = pack(options.model.path, options.out, pack_options);
  line.reset();
  return info.ok() ? print(options.out, "written", *info) : fail(of_model(info.error(), options.model.path));
}

}  // namespace

void add_pack(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("pack", "Write a model in the form in which it is used, for quick starts");
  add_model_option(command, options->model, "GGUF file of an LFM2 model; with --verify, a packed file");
  const Option verify = command.flag("--verify", options->verify, "check a packed file completely");
  command.text("-o,--out", options->out, "packed file to write").type("FILE").excludes(verify);
  add_dense_option(command, options->dense);
  add_threads_option(command, options->threads);
  command.flag("--force", options->force, "replace a file that is there already");
  command.needs([options] { return options->verify || !options->out.empty() ? nullptr : "--out"; });
  command.runs([options] { return with_model(options->model, [&] { return run_pack(*options); }); });
}

}  // namespace lfm::cli
