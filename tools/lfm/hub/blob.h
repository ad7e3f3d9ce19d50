// One file into the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hub/cache.h"
#include "hub/json.h"
#include "hub/name.h"
#include "hub/pull.h"
#include "hub/web.h"
#include "lfm/result.h"

namespace lfm::hub {

// How many of the file's bytes are here, where that changes.
using BlobCallback = std::function<void(Step step, std::uint64_t bytes)>;

// Whether the cache has that blob, in full as far as its size tells.
bool has_blob(const Cache& cache, const Name& name, const RemoteFile& file);

// How many of its bytes an earlier download left.
std::uint64_t left_of_blob(const Cache& cache, const Name& name, const RemoteFile& file);

// Downloads it, goes on with what an earlier download left, or waits for a process that does so already. What comes is
// a blob only once it has the digest that the hub lists.
//   kFormat  it has another one, or isn't as long as the hub lists;   kIo, and as Web::get
Status fetch_blob(Web& web, const Cache& cache, const Name& name, const std::string& commit, const RemoteFile& file,
                  const BlobCallback& tell);

}  // namespace lfm::hub
