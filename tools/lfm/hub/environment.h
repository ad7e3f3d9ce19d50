// Where the hub is, where its cache is, and who asks: the variables that Hugging Face's own programs read.
#pragma once

#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::hub {

struct Environment {
  std::string endpoint;  // HF_ENDPOINT: "https://huggingface.co", without a slash behind it
  std::string cache;     // HF_HUB_CACHE, HF_HOME/hub, or ~/.cache/huggingface/hub; empty where the system tells no home
  std::string token;     // HF_TOKEN, or what is in HF_TOKEN_PATH or HF_HOME/token; may be empty
  std::string token_place;  // which of those it was
  bool offline = false;     // HF_HUB_OFFLINE
};

// kArgument  the endpoint is no https address (or http of this machine), or the token has characters that none has
Result<Environment> environment();

// "https://example.org:443" of an address, in lower case; empty where it is no address of https, or of http on this
// machine, or names a user.
std::string origin_of(std::string_view address);

}  // namespace lfm::hub
