#include "io.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "command.h"

namespace lfm::cli {
namespace {

// As the XDG base directory specification has it; empty where the system doesn't tell.
std::string default_pack_cache() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/lfm";
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/lfm" : "";
}

}  // namespace

int fail(const Error& error) {
  return fail(error.describe());
}

int fail(std::string_view sentence) {
  std::fprintf(stderr, "lfm: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return kFailure;
}

void print_note(const std::string& note) {
  std::fprintf(stderr, "lfm: note: %s\n", note.c_str());
}

Result<std::string> read_input(const std::string& path) {
  const bool from_stdin = path == "-";
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(from_stdin ? nullptr : std::fopen(path.c_str(), "rb"),
                                                         std::fclose);
  std::FILE* file = from_stdin ? stdin : opened.get();
  const std::string name = from_stdin ? "standard input" : path;
  if (file == nullptr) return Error{ErrorCode::kIo, std::string("cannot open: ") + std::strerror(errno), name};
  std::string text;
  char buffer[65536];
  while (const std::size_t n = std::fread(buffer, 1, sizeof(buffer), file)) {
    text.append(buffer, n);
    if (text.size() > kMaxInputBytes) return Error{ErrorCode::kLimit, "more than 256 MiB", name};
  }
  if (std::ferror(file)) return Error{ErrorCode::kIo, std::string("cannot read: ") + std::strerror(errno), name};
  return text;
}

bool write_out(std::string_view bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
}
bool flush_out() {
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

Result<std::vector<TokenId>> parse_ids(std::string_view text) {
  std::vector<TokenId> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (true) {
    while (at < end && is_space(*at)) ++at;
    if (at == end) return ids;
    TokenId id;
    const auto [next, code] = std::from_chars(at, end, id);
    if (code != std::errc() || (next < end && !is_space(*next))) {
      return Error{ErrorCode::kFormat, "not a token id", "ids", ids.size(),
                   static_cast<std::uint64_t>(at - text.data())};
    }
    ids.push_back(id);
    at = next;
  }
}

void add_dense_option(CLI::App& command, std::string& dense) {
  command
      .add_option("--dense", dense,
                  "who multiplies dense 4-bit matrices: xnnpack, native, or auto for native with VNNI and "
                  "xnnpack elsewhere")
      ->check(CLI::IsMember({"auto", "xnnpack", "native"}))
      ->capture_default_str();
}

DenseBackend dense_backend(std::string_view name) {
  if (name == "native") return DenseBackend::kNative;
  return name == "xnnpack" ? DenseBackend::kXnnpack : DenseBackend::kAuto;
}

void ModelOptions::add_to(CLI::App& command) {
  command.add_option("-m,--model", path, "GGUF or packed file of an LFM2 model")->required()->type_name("FILE");
  command.add_option("-t,--threads", threads, "threads (default: the physical cores that this process may use)")
      ->check(CLI::Range(1u, 256u));
  add_dense_option(command, dense);
  command.add_option("--load", load, "how packed weights come into memory: map, copy, or auto for the quicker one")
      ->check(CLI::IsMember({"auto", "map", "copy"}))
      ->capture_default_str();
  command
      .add_option("--pack-cache", pack_cache,
                  "folder for packed weights of GGUF files, for quicker starts (default: lfm in the user's cache "
                  "folder); off keeps none")
      ->type_name("DIR|off");
}

EngineOptions ModelOptions::engine() const {
  EngineOptions options;
  options.threads = threads;
  options.dense = dense_backend(dense);
  options.load = load == "map" ? Load::kMap : load == "copy" ? Load::kCopy : Load::kAuto;
  if (pack_cache != "off") options.pack_cache = pack_cache.empty() ? default_pack_cache() : pack_cache;
  return options;
}

std::string bytes_text(double bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.2f %s", bytes, kUnits[unit]);
  return text;
}

Result<Engine> open_engine(const ModelOptions& options, std::size_t chunk_tokens) {
  EngineOptions engine_options = options.engine();
  engine_options.chunk_tokens = chunk_tokens;
  if (engine_options.pack_cache.empty() && options.pack_cache.empty())
    print_note("packed weights aren't kept: HOME isn't set");
  auto engine = Engine::open(options.path, engine_options);
  if (engine.ok()) {
    for (const std::string& note : engine->info().notes) print_note(note);
  }
  return engine;
}

void finish_pack_cache(const Engine& engine) {
  if (const Status status = Diagnostics(engine).finish_pack_cache(); !status.ok())
    print_note("packed weights aren't kept: " + status.error().describe());
}

}  // namespace lfm::cli
