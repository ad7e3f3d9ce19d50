// lfm list, lfm rm: the models in Hugging Face's cache, and the packed weights that lfm keeps.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/try.h"
#include "command.h"
#include "hub/cache.h"
#include "hub/environment.h"
#include "io.h"
#include "lfm/pack.h"
#include "model_name.h"
#include "options.h"
#include "talk/terminal_text.h"
#include "user_folders.h"

namespace lfm::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string pack_cache;
  std::vector<std::string> names;
  bool packed = false;
};

std::string real_path(const std::string& path) {
  std::error_code code;
  const fs::path real = fs::canonical(path, code);
  return code ? path : real.string();
}

Result<hub::Cache> hub_cache() {
  LFM_ASSIGN(hub::Environment environment, hub::environment());
  return hub::Cache(std::move(environment.cache));
}

Result<std::vector<CachedPack>> packs_of(const Options& options) {
  const std::string folder = options.pack_cache.empty() ? user_cache_folder() : options.pack_cache;
  if (folder.empty()) return std::vector<CachedPack>();
  return list_pack_cache(folder);
}

void print_row(std::uint64_t bytes, const char* kind, const std::string& name) {
  print_out("%12s  %-10s  %s\n", bytes_text(static_cast<double>(bytes)).c_str(), kind, shown_name(name).c_str());
}

// What the model that it was packed from is called in this list.
std::string name_of(const CachedPack& pack, const hub::Cache::Listing& listing) {
  if (pack.source.empty()) return pack.path;
  for (const hub::Cache::Model& model : listing.models) {
    if (real_path(model.path) == pack.source) return model.name.text();
  }
  return pack.source + (pack.orphaned ? " (gone)" : "");
}

int run_list(const Options& options) {
  const auto cache = hub_cache();
  if (!cache.ok()) return fail(cache.error());
  const auto packs = packs_of(options);
  if (!packs.ok()) return fail(packs.error());
  const hub::Cache::Listing listing = cache->list();
  for (const hub::Cache::Model& model : listing.models) print_row(model.files.bytes, "model", model.name.text());
  for (const hub::Cache::Unfinished& part : listing.unfinished) print_row(part.bytes, "unfinished", part.repository);
  for (const CachedPack& pack : *packs) print_row(pack.bytes, "packed", name_of(pack, listing));
  if (!flush_out()) return fail_to_write();
  if (listing.models.empty() && listing.unfinished.empty() && packs->empty())
    print_note("nothing is kept: 'lfm pull LiquidAI/LFM2-8B-A1B-GGUF' downloads a model into " + cache->folder());
  return kOk;
}

// Bytes that are free then.
template <typename Goes>
Result<std::uint64_t> remove_packs(const std::vector<CachedPack>& packs, Goes&& goes) {
  std::uint64_t bytes = 0;
  for (const CachedPack& pack : packs) {
    if (!goes(pack)) continue;
    std::error_code code;
    fs::remove(pack.path, code);
    if (code) return base::io_error("cannot remove", pack.path, code.value());
    bytes += pack.bytes;
  }
  return bytes;
}

Result<std::uint64_t> remove(const std::string& typed, const hub::Cache& cache, const std::vector<CachedPack>& packs) {
  const std::string path = real_path(typed);
  const auto of_file = [&](const CachedPack& pack) { return pack.source == path || pack.path == typed; };
  if (std::any_of(packs.begin(), packs.end(), of_file)) return remove_packs(packs, of_file);
  std::error_code code;
  if (fs::exists(typed, code))
    return Error{ErrorCode::kArgument, "a file of yours, of which lfm keeps nothing: 'lfm list' shows what it keeps",
                 base::printable(typed)};
  LFM_ASSIGN(const hub::Name name, name_on_the_hub(typed, std::nullopt));
  LFM_ASSIGN(const hub::Cache::Removed removed, cache.remove(name));
  LFM_ASSIGN(const std::uint64_t packed, remove_packs(packs, [&](const CachedPack& pack) {
               return std::find(removed.blobs.begin(), removed.blobs.end(), pack.source) != removed.blobs.end();
             }));
  return removed.bytes + packed;
}

int run_remove(const Options& options) {
  const auto cache = hub_cache();
  if (!cache.ok()) return fail(cache.error());
  const auto packs = packs_of(options);
  if (!packs.ok()) return fail(packs.error());
  const auto report = [](const std::string& what, const Result<std::uint64_t>& bytes) {
    if (!bytes.ok()) return fail(bytes.error());
    print_out("%s: removed, %s are free\n", shown_name(what).c_str(), bytes_text(static_cast<double>(*bytes)).c_str());
    return flush_out() ? kOk : fail_to_write();
  };
  int status = kOk;
  for (const std::string& name : options.names) status = std::max(status, report(name, remove(name, *cache, *packs)));
  if (!options.packed) return status;
  return std::max(status, report("packed weights", remove_packs(*packs, [](const CachedPack&) { return true; })));
}

void add_pack_cache_option(Command& command, Options& options) {
  command.text("--pack-cache", options.pack_cache, "folder of packed weights (default: lfm in the user's cache folder)")
      .type("DIR");
}

}  // namespace

void add_list(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("list", "What is kept: models from the hub, unfinished downloads, and packed weights");
  add_pack_cache_option(command, *options);
  command.runs([options] { return run_list(*options); });
}

void add_remove(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command =
      line.add("rm",
               "Remove models that 'lfm list' shows, with their packed weights\n"
               "A name without a quant removes the repository with everything that other programs keep of "
               "it there. A model's own file elsewhere stays: its packed weights go.");
  command.texts("name", options->names, "as the list has it").type("NAME");
  command.flag("--packed", options->packed, "remove all packed weights; they are written again when they are needed");
  add_pack_cache_option(command, *options);
  command.needs([options] { return options->packed || !options->names.empty() ? nullptr : "name"; });
  command.runs([options] { return run_remove(*options); });
}

}  // namespace lfm::cli
