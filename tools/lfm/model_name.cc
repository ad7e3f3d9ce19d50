#include "model_name.h"

#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "interrupt.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "progress_line.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string size_of(std::uint64_t bytes) {
  return bytes_text(static_cast<double>(bytes));
}

// How many bytes a second there were lately.
class Speed {
 public:
  double add(std::uint64_t done) {
    const Clock::time_point now = Clock::now();
    while (samples_.size() > 2 && now - samples_.front().first > kLately) samples_.pop_front();
    samples_.emplace_back(now, done);
    const auto& [time, bytes] = samples_.front();
    const double seconds = std::chrono::duration<double>(now - time).count();
    return seconds > 0 && done > bytes ? static_cast<double>(done - bytes) / seconds : 0;
  }

 private:
  static constexpr std::chrono::seconds kLately{5};
  std::deque<std::pair<Clock::time_point, std::uint64_t>> samples_;
};

class PullLine {
 public:
  void show(const hub::Progress& progress) {
    const Clock::time_point now = Clock::now();
    if (line_ != nullptr && progress.step == step_ && now - last_ < kPause) return;
    if (line_ == nullptr || progress.step != step_) {
      line_ = std::make_unique<ProgressLine>();
      speed_ = {};
    }
    step_ = progress.step;
    last_ = now;
    line_->show(part_of(progress.done, progress.all), words(progress));
  }

 private:
  static constexpr std::chrono::milliseconds kPause{100};

  std::string words(const hub::Progress& progress) {
    const std::string sizes = size_of(progress.done) + " of " + size_of(progress.all);
    switch (progress.step) {
      case hub::Step::kWaiting:
        return sizes + ", waiting for another process that downloads it";
      case hub::Step::kChecking:
        return "checking what is here, " + sizes;
      case hub::Step::kLoading:
        break;
    }
    const double speed = speed_.add(progress.done);
    const std::string name = shown_name(progress.file.substr(progress.file.rfind('/') + 1));
    return name + ", " + sizes + (speed > 0 ? ", " + bytes_text(speed) + "/s" : "");
  }

  std::unique_ptr<ProgressLine> line_;
  hub::Step step_ = hub::Step::kLoading;
  Clock::time_point last_;
  Speed speed_;
};

// Of a model that was named where a path might have been meant.
Error or_file(Error error) {
  if (error.code == ErrorCode::kArgument) error.message = "there is no such file, and on the hub: " + error.message;
  return error;
}

Result<std::string> path_on_the_hub(const ModelName& name) {
  LFM_ASSIGN(const hub::Name meant, name_on_the_hub(name.repository ? *name.repository : *name.typed, name.file));
  auto pulled = pull_model(meant, false);
  if (!pulled.ok()) return name.repository ? std::move(pulled).error() : or_file(std::move(pulled).error());
  return std::move(pulled->path);
}

Result<std::string> path_of(const ModelName& name) {
  if (name.repository || is_on_the_hub(*name.typed)) return path_on_the_hub(name);
  LFM_TRY(check_model_path(*name.typed));
  return *name.typed;
}

}  // namespace

void add_model_option(Command& command, ModelName& name, const char* help) {
  const Option model = command.text("-m,--model,model", name.typed, help).type("FILE|REPO");
  const Option repository =
      command
          .text("--hf-repo", name.repository,
                "-hf: a model on the hub, such as LiquidAI/LFM2-8B-A1B-GGUF:Q4_0; downloaded once, into Hugging Face's "
                "cache. MODEL may be such a name too")
          .type("REPO[:QUANT]")
          .excludes(model);
  command.text("--hf-file", name.file, "-hff: the file of that repository").type("FILE").needs(repository);
  command.needs([&name] { return name.typed || name.repository ? nullptr : "--model"; });
}

int with_model(ModelName& name, const std::function<int()>& action) {
  auto path = path_of(name);
  if (!path.ok()) return fail(path.error());
  name.path = *std::move(path);
  return action();
}

Result<hub::Name> name_on_the_hub(const std::string& repository, const std::optional<std::string>& file) {
  auto name = hub::parse_name(repository);
  if (!name)
    return Error{ErrorCode::kArgument,
                 "expected the name of a repository on the hub, such as LiquidAI/LFM2-8B-A1B-GGUF",
                 base::printable(repository)};
  if (file) {
    if (!hub::stays_inside(*file))
      return Error{ErrorCode::kArgument, "no name of a file in a repository", base::printable(*file)};
    name->file = *file;
    name->quant.clear();
  }
  return *std::move(name);
}

Result<hub::Pulled> pull_model(const hub::Name& name, bool update) {
  LFM_ASSIGN(const hub::Environment environment, hub::environment());
  std::optional<EndOnInterrupt> interrupt;
  PullLine line;
  hub::PullOptions options;
  options.update = update;
  options.begins = [&](const std::string& what, std::uint64_t bytes) {
    interrupt.emplace("interrupted; the same command goes on from there");
    write_err("lfm: downloading " + shown_name(what) + ": " + size_of(bytes) + "\n");
  };
  options.progress = [&](const hub::Progress& progress) { line.show(progress); };
  auto pulled = hub::pull(name, environment, options);
  if (pulled.ok() && !pulled->note.empty()) print_note(pulled->note);
  return pulled;
}

}  // namespace lfm::cli
