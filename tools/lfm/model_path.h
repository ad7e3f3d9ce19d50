// What people name as a model that is none: a folder, a repository, a name of Ollama's, a file that isn't there.
#pragma once

#include <string>

#include "lfm/result.h"

namespace lfm::cli {

// kIo with what to do where there is no file of that name. What is in it is for the library to say.
Status check_model_path(const std::string& path);

// An error of what is in that file, with its name in front where the error doesn't say it.
Error of_model(Error error, const std::string& path);

}  // namespace lfm::cli
