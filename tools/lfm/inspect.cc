// lfm inspect: what a model file is.
#include "lfm/inspect.h"

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.h"
#include "io.h"
#include "model_name.h"
#include "model_path.h"
#include "options.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelName model;
  bool tensors = false;
  bool json = false;
  std::size_t context = 4096;
};

// "8.34 B"
std::string count_text(double count) {
  char text[32];
  if (count >= 1e9) {
    std::snprintf(text, sizeof(text), "%.2f B", count / 1e9);
  } else {
    std::snprintf(text, sizeof(text), "%.2f M", count / 1e6);
  }
  return text;
}

std::string shape_text(const TensorDescription& tensor) {
  std::string text;
  for (const std::uint64_t n : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text;
}

std::map<std::string, std::uint64_t> bytes_by_type(const FileDescription& file) {
  std::map<std::string, std::uint64_t> bytes;
  for (const TensorDescription& tensor : file.tensors) bytes[tensor.type] += tensor.bytes;
  return bytes;
}

nlohmann::ordered_json to_json(const FileDescription& file, const Options& options) {
  const ModelInfo& info = file.info;
  nlohmann::ordered_json json = {
      {"path", info.path},
      {"file_bytes", info.file_bytes},
      {"packed", info.packed},
      {"gguf_version", file.gguf_version},
      {"architecture", info.architecture},
      {"name", info.name},
      {"parameters", info.parameters},
      {"active_parameters", info.active_parameters},
      {"layers", info.layers},
      {"attention_layers", info.attention_layers},
      {"hidden", info.hidden},
      {"vocabulary", info.vocabulary},
      {"context_tokens", info.context_tokens},
      {"experts", info.experts},
      {"experts_used", info.experts_used},
      {"weight_bytes", info.weight_bytes},
      {"weight_bytes_per_token", info.weight_bytes_per_token},
      {"cache_bytes_per_token", info.cache_bytes_per_token},
      {"state_bytes", info.state_bytes},
      {"bytes_by_type", bytes_by_type(file)},
      {"context",
       {{"tokens", options.context}, {"bytes", info.cache_bytes_per_token * options.context + info.state_bytes}}},
  };
  if (options.tensors) {
    json["tensors"] = nlohmann::ordered_json::array();
    for (const TensorDescription& tensor : file.tensors) {
      json["tensors"].push_back({{"name", tensor.name},
                                 {"type", tensor.type},
                                 {"shape", tensor.shape},
                                 {"bytes", tensor.bytes},
                                 {"offset", tensor.offset}});
    }
  }
  return json;
}

void print(const FileDescription& file, const Options& options) {
  const ModelInfo& info = file.info;
  const auto line = [](const char* label, const std::string& text) { print_out("%-20s %s\n", label, text.c_str()); };
  std::string types;
  for (const auto& [type, bytes] : bytes_by_type(file)) {
    types += (types.empty() ? "" : ", ") + type + " " + bytes_text(static_cast<double>(bytes));
  }
  line("name", info.name);
  line("architecture",
       info.architecture +
           (file.gguf_version != 0 ? " (GGUF version " + std::to_string(file.gguf_version) + ")" : " (Hugging Face)"));
  line("file", bytes_text(static_cast<double>(info.file_bytes)) + (info.packed ? ", packed from " : ": ") + types);
  line("parameters", count_text(static_cast<double>(info.parameters)) + ", " +
                         count_text(static_cast<double>(info.active_parameters)) + " active for each token");
  line("layers", std::to_string(info.layers) + ": " + std::to_string(info.layers - info.attention_layers) +
                     " short convolutions, " + std::to_string(info.attention_layers) + " attention");
  if (info.experts > 0) {
    line("experts",
         std::to_string(info.experts) + " a layer, " + std::to_string(info.experts_used) + " for each token");
  }
  line("channels", std::to_string(info.hidden));
  line("vocabulary", std::to_string(info.vocabulary) + " tokens");
  line("trained context", std::to_string(info.context_tokens) + " tokens");
  line("weights in memory", bytes_text(static_cast<double>(info.weight_bytes)));
  line("read for each token", bytes_text(static_cast<double>(info.weight_bytes_per_token)) + " of weights");
  line("memory of a context",
       bytes_text(static_cast<double>(info.cache_bytes_per_token * options.context + info.state_bytes)) + " for " +
           std::to_string(options.context) + " tokens (" + bytes_text(static_cast<double>(info.cache_bytes_per_token)) +
           " each, and " + bytes_text(static_cast<double>(info.state_bytes)) + ")");
  if (!options.tensors) return;
  print_out("\n%-40s %-6s %-24s %s\n", "tensor", "type", "shape", "bytes");
  for (const TensorDescription& tensor : file.tensors) {
    print_out("%-40s %-6s %-24s %llu\n", tensor.name.c_str(), tensor.type.c_str(), shape_text(tensor).c_str(),
              static_cast<unsigned long long>(tensor.bytes));
  }
}

int run_inspect(const Options& options) {
  auto file = inspect(options.model.path);
  if (!file.ok()) return fail(of_model(file.error(), options.model.path));
  for (const std::string& note : file->info.notes) print_note(note);
  if (options.json) {
    print_out("%s\n", to_json(*file, options).dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    print(*file, options);
  }
  return flush_out() ? kOk : fail_to_write();
}

}  // namespace

void add_inspect(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("inspect", "Tell what a model file is, and what memory it takes");
  add_model_option(command, options->model);
  command.flag("--tensors", options->tensors, "list the tensors too");
  command.flag("--json", options->json, "print JSON");
  command.number("-c,--ctx-size", options->context, {0}, "context whose memory to tell, in tokens")
      .shows(std::to_string(options->context));
  command.runs([options] { return with_model(options->model, [&] { return run_inspect(*options); }); });
}

}  // namespace lfm::cli
