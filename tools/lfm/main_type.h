// What a model's file is called by: its weights' type.
#pragma once

#include <string>

namespace lfm::cli {

// The type that most of the file's bytes have: "Q4_K"; empty where it can't be read any more.
std::string main_type(const std::string& path);

}  // namespace lfm::cli
