// lfm logits: the logits of every position of given token ids, for comparing engines.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "command.h"
#include "input.h"
#include "io.h"
#include "model_options.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string ids;
  std::string out;
  bool force = false;
  std::size_t chunk = EngineOptions{}.chunk_tokens;
};

// Devices are written to; they have nothing to lose.
Status check_out(const Options& options) {
  namespace fs = std::filesystem;
  std::error_code code;
  if (!fs::is_regular_file(options.out, code)) return {};
  if (fs::equivalent(options.model.path, options.out, code))
    return Error{ErrorCode::kArgument, "is the model itself", base::printable(options.out)};
  if (!options.force) return Error{ErrorCode::kArgument, "is there already", base::printable(options.out)};
  return {};
}

int run_logits(const Options& options) {
  if (const Status status = check_out(options); !status.ok()) return fail(status.error());
  auto text = read_input(options.ids);
  if (!text.ok()) return fail(text.error());
  auto engine = open_engine(options.model, options.chunk);
  if (!engine.ok()) return fail(engine.error());
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(options.out.c_str(), "wb"), std::fclose);
  if (out == nullptr) return fail("cannot write " + options.out);
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());

  std::string_view rest = *text;
  bool written = true;
  for (std::size_t line = 0; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    auto ids = parse_ids(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!ids.ok()) {
      return fail("line " + std::to_string(line + 1) + " of " + options.ids + ": " + ids.error().describe());
    }
    if (ids->empty()) continue;
    auto status = session->sync({});
    if (!status.ok()) return fail(status.error());
    const Status appended = session->append(*ids, [&](std::span<const float> logits) {
      written = written && std::fwrite(logits.data(), sizeof(float), logits.size(), out.get()) == logits.size();
    });
    if (!appended.ok()) return fail("line " + std::to_string(line + 1) + ": " + appended.error().describe());
    if (!written) break;
  }
  finish_pack_cache(*engine);
  if (std::fclose(out.release()) != 0 || !written) return fail("cannot write " + options.out);
  return kOk;
}

}  // namespace

void add_logits(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("logits", "Write the logits of every position of given token ids");
  options->model.add_to(command);
  options->model.add_threads_to(command);
  command.text("--ids", options->ids, "one prompt a line, ids separated by spaces; - is standard input")
      .required()
      .type("FILE");
  command.text("--out", options->out, "float32 little-endian logits, position after position").required().type("FILE");
  command.flag("--force", options->force, "replace a file that is there already");
  command.number("--chunk", options->chunk, {1, 4096}, "tokens that run through the network together")
      .shows(std::to_string(options->chunk));
  command.runs([options] { return with_model(options->model, [&] { return run_logits(*options); }); });
}

}  // namespace lfm::cli
