// The model that the command line's tests talk to: random, quick, and never at an end by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
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
    model.tied = false;
    GgufBuilder file = model.builder();
    make_endless(file, model);
    path_ = folder_.write("model.gguf", file.build());
  }

  const TempFolder& folder() const noexcept { return folder_; }
  const std::string& path() const noexcept { return path_; }

  // The command with this model and these options more. The likeliest tokens, unless they say otherwise.
  std::vector<std::string> command(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {name, "-m", path_, "-t", "1", "--pack-cache", "off"};
    if (std::find(more.begin(), more.end(), "--temp") == more.end()) {
      arguments.insert(arguments.end(), {"--temp", "0"});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::vector<std::string> chat(const std::vector<std::string>& more = {}) const { return command("chat", more); }

  // Options with which every token is as likely as any other: all bytes come.
  static std::vector<std::string> any_bytes(const std::vector<std::string>& more) {
    std::vector<std::string> options = {"--temp",  "50", "--top-k", "0", "--top-p", "1",
                                        "--min-p", "0",  "-s",      "3", "-n",      "1000"};
    options.insert(options.end(), more.begin(), more.end());
    return options;
  }

  std::vector<Variable> environment() const {
    return {{"HOME", folder_.path("home")},
            {"XDG_STATE_HOME", ""},
            {"HF_HUB_OFFLINE", "1"},
            {"HF_HUB_CACHE", folder_.path("hub")},
            {"TERM", "xterm"},
            {"NO_COLOR", "1"},
            {"LSAN_OPTIONS", "print_suppressions=0:suppressions=" LFM_LEAKS},
            {"LC_ALL", "C.UTF-8"}};
  }

 private:
  // Channel 0 is far above zero for every token, and speaks against those that end an answer, and for none.
  static void make_endless(GgufBuilder& file, const TinyModel& model) {
    const auto set_channel_0 = [&](const std::string& tensor, std::uint32_t token, float value) {
      for (auto& t : file.tensors) {
        if (t.name == tensor) std::memcpy(t.data.data() + token * model.hidden * sizeof value, &value, sizeof value);
      }
    };
    for (std::uint32_t token = 0; token < model.vocab; ++token) {
      const bool ends = token == 2 || token == 7;  // <|endoftext|>, <|im_end|>
      set_channel_0("token_embd.weight", token, 4.0f);
      set_channel_0("output.weight", token, ends ? -1e6f : 0.0f);
    }
  }

  TempFolder folder_;
  std::string path_;
};

}  // namespace lfm::test
