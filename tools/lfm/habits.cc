#include "habits.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lfm::cli {
namespace {

struct Habit {
  std::string_view word;
  std::string_view ours;    // the option that it is here; empty: none
  std::string_view answer;  // why there is none
};

constexpr std::string_view kNoGpu = "lfm computes on the CPU alone; leave it out";
constexpr std::string_view kAlways = "lfm does so anyway; leave it out";
constexpr std::string_view kNoBatch = "lfm chooses how many tokens run together; leave it out";
constexpr std::string_view kNoCacheType = "lfm keeps keys and values as f16; leave it out";

constexpr std::array kHabits = {
    Habit{"-sys", "--system", ""},
    Habit{"--system-prompt", "--system", ""},
    Habit{"--n-predict", "--predict", ""},
    Habit{"--temperature", "--temp", ""},
    Habit{"-ngl", "", kNoGpu},
    Habit{"--gpu-layers", "", kNoGpu},
    Habit{"--n-gpu-layers", "", kNoGpu},
    Habit{"-dev", "", kNoGpu},
    Habit{"--device", "", kNoGpu},
    Habit{"-sm", "", kNoGpu},
    Habit{"-ts", "", kNoGpu},
    Habit{"-mg", "", kNoGpu},
    Habit{"-ot", "", kNoGpu},
    Habit{"-cmoe", "", kNoGpu},
    Habit{"-ncmoe", "", kNoGpu},
    Habit{"-nkvo", "", kNoGpu},
    Habit{"-fa", "", kAlways},
    Habit{"--flash-attn", "", kAlways},
    Habit{"-cnv", "", "lfm chat is a conversation, lfm run continues a text"},
    Habit{"-no-cnv", "", "lfm run continues a text, lfm chat is a conversation"},
    Habit{"-st", "", "lfm chat -p TEXT asks one question"},
    Habit{"--jinja", "", kAlways},
    Habit{"-b", "", kNoBatch},
    Habit{"--batch-size", "", kNoBatch},
    Habit{"-ub", "", kNoBatch},
    Habit{"--ubatch-size", "", kNoBatch},
    Habit{"-tb", "", "-t is for prompts too"},
    Habit{"--threads-batch", "", "-t is for prompts too"},
    Habit{"-ctk", "", kNoCacheType},
    Habit{"-ctv", "", kNoCacheType},
    Habit{"--cache-type-k", "", kNoCacheType},
    Habit{"--cache-type-v", "", kNoCacheType},
    Habit{"--no-mmap", "", "--load copy does that"},
    Habit{"--mlock", "", "--load copy keeps the weights in memory of their own"},
    Habit{"-np", "", "lfm answers one conversation at a time"},
    Habit{"-co", "", "colours are there at a terminal; NO_COLOR=1 takes them away"},
};

// What comes behind these is text, and no option whatever it looks like.
bool takes_text(std::string_view word) {
  constexpr std::array kTexts = {"-p", "--prompt", "--system", "--stop", "-f", "--file", "-m", "--model"};
  return std::find(kTexts.begin(), kTexts.end(), word) != kTexts.end();
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "-xyz": one of several letters behind one dash, which lfm has none of, and would be taken for -x with a value.
bool is_foreign(std::string_view word) {
  constexpr std::string_view kWithNumbers = "cdnrst";  // options whose value begins with no letter
  return word.size() > 2 && word[0] == '-' && kWithNumbers.find(word[1]) != std::string_view::npos && is_letter(word[2]);
}

}  // namespace

std::string translate_habits(std::vector<std::string>& arguments) {
  bool text = false;
  for (std::string& argument : arguments) {
    const std::string_view word = std::string_view(argument).substr(0, argument.find('='));
    const bool value = text;
    text = !value && takes_text(word) && word.size() == argument.size();
    if (value) continue;
    const auto* const habit =
        std::find_if(kHabits.begin(), kHabits.end(), [word](const Habit& known) { return known.word == word; });
    if (habit != kHabits.end() && !habit->ours.empty()) {
      argument.replace(0, word.size(), habit->ours);
      text = argument == "--system";
    } else if (habit != kHabits.end()) {
      return argument + ": " + std::string(habit->answer);
    } else if (is_foreign(word)) {
      return std::string(word.substr(0, 40)) + ": lfm has no such option";
    }
  }
  return {};
}

}  // namespace lfm::cli
