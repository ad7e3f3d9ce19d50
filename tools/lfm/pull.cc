// lfm pull: a model from the hub.
#include <memory>
#include <optional>

#include "command.h"
#include "io.h"
#include "model_name.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

struct Options {
  std::string name;
  std::optional<std::string> file;
  bool update = false;
};

int run_pull(const Options& options) {
  const auto name = name_on_the_hub(options.name, options.file);
  if (!name.ok()) return fail(name.error());
  const auto pulled = pull_model(*name, options.update);
  if (!pulled.ok()) return fail(pulled.error());
  return write_out(pulled->path + "\n") && flush_out() ? kOk : fail_to_write();
}

}  // namespace

void add_pull(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("pull",
                              "Download a model from the hub into Hugging Face's cache, and print its path\n"
                              "What is here already isn't asked for. HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_ENDPOINT and "
                              "HF_HUB_OFFLINE are as for Hugging Face's own programs.");
  command.text("name", options->name, "such as LiquidAI/LFM2-8B-A1B-GGUF, or with :Q4_K_M behind it")
      .required()
      .type("REPO[:QUANT]");
  command.text("--hf-file", options->file, "-hff: the file of that repository").type("FILE");
  command.flag("--update", options->update, "ask the hub whether there is a newer version");
  command.runs([options] { return run_pull(*options); });
}

}  // namespace lfm::cli
