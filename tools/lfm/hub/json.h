// What the hub and its files say in JSON. Nothing that they say is taken for good: digests and commits are such, and
// paths stay inside the folder that they are meant for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/files.h"
#include "lfm/result.h"

namespace lfm::hub {

struct RemoteFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string digest;  // SHA-256 in 64 digits of what is kept as a large file; otherwise Git's SHA-1 of it, in 40
};

// kFormat: the answer isn't what the hub answers to that, or not to be trusted.
Result<std::string> read_commit(std::string_view answer);
Result<std::vector<RemoteFile>> read_tree(std::string_view answer);

// The sentence in an answer that refuses; empty where there is none.
std::string read_refusal(std::string_view answer);

// The files that an index of safetensors names; model.safetensors where there is no index.
Result<std::vector<std::string>> files_of_index(const std::string& path);

// Whether a config.json is of a family that lfm runs.
bool is_lfm2(const std::string& path);

}  // namespace lfm::hub
