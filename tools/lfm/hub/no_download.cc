#include "hub/download.h"

namespace lfm::hub {

Result<Pulled> download(const Name& name, const Environment& environment, const Cache&, const PullOptions&) {
  return Error{ErrorCode::kUnsupported,
               "not here, and this lfm was built without downloads: get a file from " + environment.endpoint + "/" +
                   name.repository + ", or build lfm with libcurl4-openssl-dev and nettle-dev",
               name.text()};
}

}  // namespace lfm::hub
