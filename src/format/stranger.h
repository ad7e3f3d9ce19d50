// What a file is that was meant to be a model and isn't one: people save a web page under a model's name, clone
// repositories without their large files, stop downloads, and mix up formats.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::format {

// Of a file that begins with these bytes: "a page of HTML: ...", with what to do about it; empty where it isn't known.
std::string what_it_is(std::string_view beginning);

// kFormat about the path where the file is known to be something else than GGUF; kIo
Status refuse_strangers(const base::File& file);

}  // namespace lfm::format
