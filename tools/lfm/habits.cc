#include "habits.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "not_here.h"

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
constexpr std::string_view kNoDraft = "lfm has no second model that drafts; leave it out";
constexpr std::string_view kTextOnly = "lfm reads text alone; leave it out";
constexpr std::string_view kAtTerminals = "lfm chat talks at a terminal without it; leave it out";
constexpr std::string_view kNoSampler = "lfm has --temp, --top-k, --top-p, --min-p and --repeat-penalty";
constexpr std::string_view kRope = "lfm runs a model at the length that it was made for; leave it out";
constexpr std::string_view kNoTemplate = "lfm reads the template in the model's file; --form chooses another";

constexpr std::array kHabits = {
    Habit{"-jf", "--json-schema-file", ""},
    Habit{"-hf", "", kNoDownload},
    Habit{"-hfr", "", kNoDownload},
    Habit{"--hf-repo", "", kNoDownload},
    Habit{"-hff", "", kNoDownload},
    Habit{"--hf-file", "", kNoDownload},
    Habit{"-hft", "", kNoDownload},
    Habit{"--hf-token", "", kNoDownload},
    Habit{"-mu", "", kNoDownload},
    Habit{"--model-url", "", kNoDownload},
    Habit{"-dr", "", kNoDownload},
    Habit{"-md", "", kNoDraft},
    Habit{"--model-draft", "", kNoDraft},
    Habit{"--draft", "", kNoDraft},
    Habit{"-mm", "", kTextOnly},
    Habit{"-mmu", "", kTextOnly},
    Habit{"--mmproj", "", kTextOnly},
    Habit{"--image", "", kTextOnly},
    Habit{"--audio", "", kTextOnly},
    Habit{"--color", "", "colours are there at a terminal; NO_COLOR=1 takes them away"},
    Habit{"-i", "", kAtTerminals},
    Habit{"--interactive", "", kAtTerminals},
    Habit{"-if", "", kAtTerminals},
    Habit{"--interactive-first", "", kAtTerminals},
    Habit{"--conversation", "", kAtTerminals},
    Habit{"-mli", "", "in lfm chat a backslash at a line's end, \"\"\" or a paste make several lines one message"},
    Habit{"--multiline-input", "",
          "in lfm chat a backslash at a line's end, \"\"\" or a paste make several lines one message"},
    Habit{"--single-turn", "", "lfm chat -p TEXT asks one question"},
    Habit{"--no-conversation", "", "lfm run continues a text, lfm chat is a conversation"},
    Habit{"--reasoning-budget", "--thinking-budget", ""},
    Habit{"--reasoning-format", "", "--thinking says what becomes of thinking: auto, show or hide"},
    Habit{"--think", "", "--thinking says what becomes of thinking: auto, show or hide"},
    Habit{"--hidethinking", "", "--thinking hide does that"},
    Habit{"--seq-len", "--ctx-size", ""},
    Habit{"--num-predict", "--predict", ""},
    Habit{"--max-tokens", "--predict", ""},
    Habit{"--max_tokens", "--predict", ""},
    Habit{"--repetition-penalty", "--repeat-penalty", ""},
    Habit{"--repeat-last-n", "", "the penalty is for all tokens of the context; leave it out"},
    Habit{"--samplers", "", kNoSampler},
    Habit{"--mirostat", "", kNoSampler},
    Habit{"--typical", "", kNoSampler},
    Habit{"--dry-multiplier", "", kNoSampler},
    Habit{"--xtc-probability", "", kNoSampler},
    Habit{"--rope-scaling", "", kRope},
    Habit{"--rope-scale", "", kRope},
    Habit{"--rope-freq-base", "", kRope},
    Habit{"--rope-freq-scale", "", kRope},
    Habit{"--chat-template", "", kNoTemplate},
    Habit{"--chat-template-file", "", kNoTemplate},
    Habit{"--host", "", kNoServer},
    Habit{"--port", "", kNoServer},
    Habit{"--api-key", "", kNoServer},
    Habit{"--keepalive", "", kNoServer},
    Habit{"--parallel", "", "lfm answers one conversation at a time"},
    Habit{"--lora", "", "lfm runs a model as it is; merge the adapter into it"},
    Habit{"--numa", "", "lfm doesn't place memory by node; leave it out"},
    Habit{"--cpu-moe", "", kNoGpu},
    Habit{"--n-cpu-moe", "", kNoGpu},
    Habit{"--split-mode", "", kNoGpu},
    Habit{"--tensor-split", "", kNoGpu},
    Habit{"--main-gpu", "", kNoGpu},
    Habit{"--override-tensor", "", kNoGpu},
    Habit{"--no-kv-offload", "", kNoGpu},
    Habit{"-cb", "", kAlways},
    Habit{"--cont-batching", "", kAlways},
    Habit{"--cache-prompt", "", kAlways},
    Habit{"--no-display-prompt", "", kAlways},
    Habit{"--mmap", "", kAlways},
    Habit{"--simple-io", "", kAlways},
    Habit{"--verbose", "--timings", ""},
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
    Habit{"-fit", "", kNoGpu},
    Habit{"-fitt", "", kNoGpu},
    Habit{"-fitc", "", kNoGpu},
    Habit{"--fit", "", kNoGpu},
    Habit{"-co", "", "colours are there at a terminal; NO_COLOR=1 takes them away"},
};

// What comes behind these is text, and no option whatever it looks like.
bool takes_text(std::string_view word) {
  constexpr std::array kTexts = {"-j",       "--json-schema", "--json-schema-file",
                                 "--regex",  "--check",       "-p",
                                 "--prompt", "--system",      "--stop",
                                 "-f",       "--file",        "-m",
                                 "--model"};
  return std::find(kTexts.begin(), kTexts.end(), word) != kTexts.end();
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "-xyz": one of several letters behind one dash, which lfm has none of, and would be taken for -x with a value. Not so
// where -x has a text as its value.
bool is_foreign(std::string_view word) {
  constexpr std::string_view kWithTexts = "mpfo";
  return word.size() > 2 && word[0] == '-' && is_letter(word[1]) && is_letter(word[2]) &&
         kWithTexts.find(word[1]) == std::string_view::npos;
}

// "lfm help chat" and "lfm inspect -m FILE" are understood.
void translate_words(std::vector<std::string>& words) {
  if (words.empty()) return;
  if (words[0] == "version") words[0] = "--version";
  if (words[0] == "help") words[0] = "--help";
  if (words[0] == "--help" && words.size() == 2) std::swap(words[0], words[1]);
  if (words[0] != "inspect" && words[0] != "pack") return;
  const auto name = std::find_if(words.begin(), words.end(),
                                 [](const std::string& word) { return word == "-m" || word == "--model"; });
  if (name != words.end()) words.erase(name);
}

}  // namespace

std::string translate_habits(std::vector<std::string>& arguments) {
  translate_words(arguments);
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
      text = takes_text(argument);
    } else if (habit != kHabits.end()) {
      return argument + ": " + std::string(habit->answer);
    } else if (is_foreign(word)) {
      return std::string(word.substr(0, 40)) + ": lfm has no such option";
    }
  }
  return {};
}

}  // namespace lfm::cli
