// The model that the command line's tests talk to: random, and quick.
#pragma once

#include <string>
#include <vector>

#include "program.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::test {

// A folder with the model, which is also home for what the program keeps.
class ChatModel {
 public:
  ChatModel() {
    TinyModel model;
    model.context_length = 1 << 20;
    path_ = folder_.write("model.gguf", model.build());
  }

  const TempFolder& folder() const noexcept { return folder_; }
  const std::string& path() const noexcept { return path_; }

  // lfm chat with these options more. The likeliest tokens, unless they say otherwise.
  std::vector<std::string> chat(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"chat", "-m", path_, "-t", "1", "--pack-cache", "off", "--temp", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::vector<Variable> environment() const {
    return {{"HOME", folder_.path("home")},
            {"XDG_STATE_HOME", ""},
            {"TERM", "xterm"},
            {"NO_COLOR", "1"},
            {"LSAN_OPTIONS", "print_suppressions=0:suppressions=" LFM_LEAKS},
            {"LC_ALL", "C.UTF-8"}};
  }

 private:
  TempFolder folder_;
  std::string path_;
};

}  // namespace lfm::test
