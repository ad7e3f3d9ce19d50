// Loads the module.
#include "hub/transport.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "hub/module/module.h"

namespace lfm::hub {
namespace {

namespace fs = std::filesystem;

using Make = Transport* (*)(const char* version);

// Beside the program, or where an installed one has it.
fs::path module_path() {
  std::error_code code;
  const fs::path folder = fs::read_symlink("/proc/self/exe", code).parent_path();
  const std::array<fs::path, 2> places = {folder / kModuleFile, folder / LFM_MODULE_FOLDER / kModuleFile};
  for (const fs::path& place : places) {
    if (fs::exists(place, code)) return place;
  }
  return places[1];
}

Result<Transport*> load() {
  const auto cannot = [](const std::string& why) {
    return Error{ErrorCode::kUnsupported, "downloads need the module " + std::string(kModuleFile) + ": " + why};
  };
  const fs::path path = module_path();
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return cannot(::dlerror());
  const auto make = reinterpret_cast<Make>(::dlsym(module, kModuleFunction));
  Transport* const made = make == nullptr ? nullptr : make(LFM_VERSION);
  if (made == nullptr) return cannot(path.string() + " is of another version");
  return made;
}

}  // namespace

Result<Transport*> transport() {
  static const Result<Transport*> loaded = load();
  return loaded;
}

}  // namespace lfm::hub
