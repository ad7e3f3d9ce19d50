// What people name as a model: a file, or what is none: a folder, a name of Ollama's, a file that isn't there.
#pragma once

#include <string>

#include "lfm/result.h"

namespace lfm::cli {

inline constexpr const char* kExampleName = "'lfm chat LiquidAI/LFM2-8B-A1B-GGUF'";

// kIo with what to do where there is no file of that name. What is in it is for the library to say.
Status check_model_path(const std::string& path);

// Whether that is the name of a model on the hub, and not of a file that should be here: there is no such file, nor a
// folder that it might have been in.
bool is_on_the_hub(const std::string& path);

// The name by which clients know a model where nobody says more: "LFM2-8B-A1B-Q4_0" of "models/LFM2-8B-A1B-Q4_0.gguf".
std::string name_for_clients(const std::string& path);

// An error of what is in that file, with its name in front where the error doesn't say it.
Error of_model(Error error, const std::string& path);

}  // namespace lfm::cli
