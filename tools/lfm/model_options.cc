#include "model_options.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "io.h"
#include "model_path.h"
#include "progress_line.h"
#include "talk/terminal_text.h"
#include "user_folders.h"

namespace lfm::cli {
namespace {

// Models that open sooner do so without a word.
constexpr std::chrono::milliseconds kPatience(500);

const char* words(OpenPhase phase) {
  switch (phase) {
    case OpenPhase::kPacking:
      return "packing the model";
    case OpenPhase::kReading:
      return "reading the model";
    case OpenPhase::kChecking:
      return "checking the model";
  }
  return "";
}

// A draft network that lies beside a model under a name such as they have on the hub, or nothing.
std::string draft_beside(const std::string& model) {
  namespace fs = std::filesystem;
  std::error_code code;
  std::string found;
  for (fs::directory_iterator at(fs::path(model).parent_path() / ".", code), end; !code && at != end;
       at.increment(code)) {
    std::string name = at->path().filename().string();
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!name.ends_with(".gguf") || (name.find("dspark") == name.npos && name.find("dflash") == name.npos)) continue;
    const auto file = inspect(at->path().string());
    if (file.ok() && file->info.architecture == "dflash" && (found.empty() || at->path().string() < found))
      found = at->path().lexically_normal().string();
  }
  return found;
}

}  // namespace

double part_of(std::uint64_t done, std::uint64_t all) {
  return all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all);
}

void ModelOptions::add_to(Command& command) {
  add_model_option(command, *this);
  add_dense_option(command, dense);
  command.choice("--load", load, {"auto", "map", "copy"},
                 "how packed weights come into memory: map, copy, or auto for the quicker one");
  command.choice("--type", type, {"f32", "f16", "bf16", "q8_0", "q6_k", "q5_k", "q4_k", "q4_0", "iq4_nl"},
                 "what matrices become that are floats (default: of a Hugging Face folder q8_0, of a file they stay)");
  command
      .text("--pack-cache", pack_cache,
            "folder for packed weights of GGUF files, for quicker starts (default: lfm in the user's cache folder); "
            "off keeps none")
      .type("DIR|off");
}

Option add_draft_model_option(Command& command, ModelOptions& options) {
  options.may_draft = true;
  return command
      .text("--model-draft", options.draft,
            "file of a draft network that was made for the model (-md; GGUF, dflash): it guesses what is said next, "
            "which changes the speed alone")
      .type("FILE");
}

void check_draft(Command& command, const ModelOptions& options, const std::optional<Draft>& draft) {
  command.refuses([&]() -> std::string {
    if (draft != Draft::kModel || !options.draft.empty()) return {};
    return "--draft model needs a draft network: name its file with -md";
  });
}

void add_threads_option(Command& command, unsigned& threads) {
  command.number("-t,--threads", threads, kThreads, "threads (default: the physical cores that this process may use)");
}

void ModelOptions::add_threads_to(Command& command) {
  command.number("-t,--threads", threads, kThreads,
                 "threads (default: the physical cores of the fastest kind that this process may use)");
  command.number("--threads-batch", batch_threads, kThreads,
                 "threads for prompts (-tb; default: as -t, or the physical cores of every kind)");
}

EngineOptions ModelOptions::engine() const {
  EngineOptions options;
  options.threads = threads;
  options.batch_threads = batch_threads;
  options.dense = dense_backend(dense);
  options.load = load == "map" ? Load::kMap : load == "copy" ? Load::kCopy : Load::kAuto;
  options.draft = draft;
  std::error_code code;
  const bool folder = std::filesystem::is_directory(path, code);
  options.weights = type.empty() ? (folder ? std::optional(WeightType::kQ8_0) : std::nullopt) : weight_type(type);
  if (pack_cache != "off") options.pack_cache = pack_cache.empty() ? user_cache_folder() : pack_cache;
  return options;
}

std::optional<WeightType> weight_type(std::string_view name) {
  constexpr std::pair<std::string_view, WeightType> kTypes[] = {
      {"f32", WeightType::kF32},       {"f16", WeightType::kF16},   {"bf16", WeightType::kBF16},
      {"q8_0", WeightType::kQ8_0},     {"q6_k", WeightType::kQ6_K}, {"q4_0", WeightType::kQ4_0},
      {"iq4_nl", WeightType::kIQ4_NL}, {"q4_k", WeightType::kQ4_K}, {"q5_k", WeightType::kQ5_K}};
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

void add_dense_option(Command& command, std::string& dense) {
  command.choice("--dense", dense, {"auto", "xnnpack", "native"},
                 "who multiplies dense 4-bit matrices; auto is native, or what a packed file was packed for");
}

DenseBackend dense_backend(std::string_view name) {
  if (name == "native") return DenseBackend::kNative;
  return name == "xnnpack" ? DenseBackend::kXnnpack : DenseBackend::kAuto;
}

void CacheTypes::add_to(Command& command) {
  const std::initializer_list<const char*> types = {"f16", "q8_0"};
  command.choice(
      "--cache-type-k", keys, types,
      "how the context's keys are kept (-ctk); q8_0 takes about half the memory, and long contexts less time");
  command.choice("--cache-type-v", values, types, "how its values are kept (-ctv)");
}

SessionOptions CacheTypes::session(std::size_t context_tokens) const {
  const auto type = [](const std::string& name) {
    return name == to_string(CacheType::kQ8_0) ? CacheType::kQ8_0 : CacheType::kF16;
  };
  return {.context_tokens = context_tokens, .cache_keys = type(keys), .cache_values = type(values)};
}

void ContextOptions::add_to(Command& command) {
  command.number("-c,--ctx-size", tokens, {0},
                 "room for tokens; 0 is all that the model was trained for (default: that, at most 32768)");
  cache.add_to(command);
}

SessionOptions ContextOptions::session(const ModelInfo& info) const {
  if (!tokens) return cache.session(0);
  return cache.session(*tokens == 0 ? info.context_tokens : *tokens);
}

void add_predict_option(Command& command, std::int64_t& tokens, const char* help) {
  command.number("-n,--predict", tokens, {-1}, help).shows(std::to_string(tokens));
}

std::string room_for_more(std::size_t context, const ModelInfo& info) {
  if (context < info.context_tokens) return "; -c makes room for more";
  return "; the model was trained for " + std::to_string(info.context_tokens);
}

std::string no_room(std::size_t tokens, std::size_t context, const ModelInfo& info) {
  return "the prompt has " + std::to_string(tokens) + " tokens, the context room for " + std::to_string(context) +
         room_for_more(context, info);
}

Error of_opening(Error error, const ModelOptions& options) {
  if (!options.draft.empty() && error.field.starts_with(shown_name(options.draft))) return error;
  return of_model(std::move(error), options.path);
}

Result<Engine> open_engine(const ModelOptions& options, std::size_t chunk_tokens) {
  EngineOptions engine_options = options.engine();
  engine_options.chunk_tokens = chunk_tokens;
  if (engine_options.pack_cache.empty() && options.pack_cache.empty())
    print_note("packed weights aren't kept: HOME isn't set");
  auto line = std::make_unique<ProgressLine>(kPatience);
  engine_options.progress = [&](const OpenProgress& progress) {
    line->show(part_of(progress.done, progress.all), words(progress.phase));
    return true;
  };
  auto engine = Engine::open(options.path, engine_options);
  line.reset();
  if (engine.ok()) {
    for (const std::string& note : engine->info().notes) print_note(note);
    if (options.may_draft && options.draft.empty()) {
      if (const std::string beside = draft_beside(options.path); !beside.empty())
        print_note("a draft network lies beside the model: with -md '" + beside + "' it guesses what comes next");
    }
    return engine;
  }
  return of_opening(std::move(engine).error(), options);
}

void finish_pack_cache(const Engine& engine) {
  if (const Status status = engine.finish_pack_cache(); !status.ok())
    print_note("packed weights aren't kept: " + status.error().describe());
}

}  // namespace lfm::cli
