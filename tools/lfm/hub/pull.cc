#include "hub/pull.h"

#include <utility>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/download.h"

namespace lfm::hub {

Result<Pulled> pull(const Name& name, const Environment& environment, const PullOptions& options) {
  if (environment.cache.empty())
    return Error{ErrorCode::kArgument, "set HOME or HF_HUB_CACHE, where models are kept", name.text()};
  const Cache cache(environment.cache);
  if (!options.update || environment.offline) {
    if (auto path = cache.find(name, Cache::Age::kCurrent)) return Pulled{*std::move(path)};
  }
  auto older = cache.find(name, Cache::Age::kAny);
  const auto take_older = [&](const std::string& why) {
    return Pulled{*std::move(older), false, why + ", so an older version of " + name.text() + " is taken"};
  };
  if (environment.offline) {
    if (older) return take_older("HF_HUB_OFFLINE is set");
    return Error{ErrorCode::kArgument, "not in " + base::printable(environment.cache) + ", and HF_HUB_OFFLINE is set",
                 name.text()};
  }
  auto pulled = download(name, environment, cache, options);
  const bool reached = pulled.ok() || pulled.error().code != ErrorCode::kIo;
  if (reached || !older || options.update) return pulled;
  return take_older(pulled.error().describe());
}

}  // namespace lfm::hub
