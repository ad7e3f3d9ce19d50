// lfm batch: many requests from a file, answered into another one.
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <string>

#include "batch/work.h"
#include "command.h"
#include "interrupt.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "progress_line.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  ContextOptions context;
  std::string in;
  std::string out;
  std::string alias;
  std::size_t slots = 8;
  batch::Shard shard;
};

serve::ServiceOptions settings_of(const Options& options) {
  serve::ServiceOptions out;
  out.model.name = options.alias.empty() ? name_for_clients(options.model.path) : options.alias;
  out.model.context_tokens = options.context.tokens;
  out.model.session = options.context.cache.session(0);
  out.model.created = std::time(nullptr);
  out.slots = options.slots;
  out.queue = 2 * options.slots;
  out.limits.time = std::chrono::hours(24 * 365);  // nobody waits for one of them
  return out;
}

int tell(const batch::Progress& done, const std::string& out) {
  print_err("lfm: %zu of %zu requests are answered in %s\n", done.done, done.all, out.c_str());
  if (done.failed == 0) return kOk;
  return fail(std::to_string(done.failed) + " of them with an error: see response.status_code and response.body.error");
}

int run_batch(const Options& options) {
  auto requests = batch::Requests::open(options.in, options.shard);
  if (!requests.ok()) return fail(requests.error());
  auto answers = batch::Answers::open(options.out);
  if (!answers.ok()) return fail(answers.error());
  end_on_interrupt("interrupted: the same command goes on with what isn't in " + options.out);

  serve::Service service(settings_of(options));
  std::promise<Status> loaded;
  service.load([&](std::stop_token, const ProgressCallback&) { return open_engine(options.model); },
               [&](const Status& status) { loaded.set_value(status); });
  if (const Status status = loaded.get_future().get(); !status.ok()) return fail(status.error());
  ProgressLine line;
  const auto done = batch::work(service, *requests, *answers, [&](const batch::Progress& now) {
    line.show(part_of(now.done, now.all), std::to_string(now.done) + " of " + std::to_string(now.all) + " requests");
  });
  if (!done.ok()) {
    fail(done.error());
    std::_Exit(kFailure);  // what is being answered can't be kept, and would be waited for
  }
  return tell(*done, options.out);
}

}  // namespace

void add_batch(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("batch", "Answer a file of requests, as OpenAI's batches have them");
  command.text("requests", options->in, "file with a request a line: custom_id, method, url and body")
      .type("IN.jsonl")
      .required();
  command
      .text("-o,--output", options->out,
            "file for the answers, a line each; what it has already isn't answered again, so that the same command "
            "goes on after whatever ended it")
      .type("OUT.jsonl")
      .required();
  options->model.add_to(command);
  options->model.add_threads_to(command);
  options->context.add_to(command);
  command.text("-a,--alias", options->alias, "the model's name in answers (default: that of its file)").type("NAME");
  command.number("--parallel", options->slots, {1, 256}, "answers that are made side by side (-np)")
      .shows(std::to_string(options->slots));
  command
      .value(
          "--shard", [options](const std::string& typed) { return batch::read_shard(typed, options->shard); },
          "answer every N-th request only, from the I-th on: for N jobs, each with an output of its own")
      .type("I/N");
  command.runs([options] { return with_model(options->model, [&] { return run_batch(*options); }); });
}

}  // namespace lfm::cli
