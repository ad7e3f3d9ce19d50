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
  std::string_view answer;  // why there is none, or not in this command
};

constexpr std::string_view kNoGpu = "lfm computes on the CPU alone; leave it out";
constexpr std::string_view kAlways = "lfm does so anyway; leave it out";
constexpr std::string_view kNoBatch = "lfm chooses how many tokens run together; leave it out";
constexpr std::string_view kCacheType = "only what runs a model keeps keys and values";
constexpr std::string_view kOneAtATime = "it is lfm serve that answers several conversations side by side";
constexpr std::string_view kNoDraft =
    "chat, run, serve and bench alone take a draft network; what the others do needs none";
constexpr std::string_view kDraftLength = "lfm finds out how many drafted tokens pay; leave it out";
constexpr std::string_view kTextOnly = "lfm reads text alone; leave it out";
constexpr std::string_view kAtTerminals = "lfm chat talks at a terminal without it; leave it out";
constexpr std::string_view kNoSampler =
    "lfm has --temp, --top-k, --top-p, --min-p, and --repeat-penalty, --presence-penalty and --frequency-penalty";
constexpr std::string_view kRope = "lfm runs a model at the length that it was made for; leave it out";
constexpr std::string_view kNoTemplate =
    "lfm runs the template that is in the model's file; lfm chat --form has others";

constexpr std::string_view kNoGrammar = "lfm reads no GBNF: -j and -jf take a JSON schema, --regex an expression";
constexpr std::string_view kStops = "lfm run has --stop TEXT; in lfm chat the model ends its answer; leave it out";
constexpr std::string_view kNoBias = "lfm favours no single tokens; -j and --regex hold the text to a form";
constexpr std::string_view kKeepsAll = "lfm drops nothing of a full context, but ends the text there; leave it out";
constexpr std::string_view kKeepsTalk = "in lfm chat /save keeps a conversation, and --resume goes on with it";
constexpr std::string_view kNoEscapes = "lfm takes a text as it is; a shell turns $'a\\nb' into two lines";
constexpr std::string_view kFromTemplate = "lfm chat writes messages as the model's template does; leave it out";
constexpr std::string_view kNoLog = "lfm writes no log; leave it out";
constexpr std::string_view kNice = "lfm leaves that to the system: start it with nice or taskset";
constexpr std::string_view kSpecial = "lfm run prints special tokens, lfm chat none; leave it out";
constexpr std::string_view kTimings = "lfm run and lfm chat have --timings";
constexpr std::string_view kNamesModel = "name a command first, as in 'lfm chat -hf LiquidAI/LFM2-8B-A1B-GGUF'";
constexpr std::string_view kRows = "lfm bench prints its rows once, on standard output; leave it out";
constexpr std::string_view kThisMachine = "lfm computes on this machine alone; leave it out";
constexpr std::string_view kLoads = "--load map and --load copy say how a packed file comes into memory";
constexpr std::string_view kNoEmbeddings = "lfm makes no embeddings; leave it out";
constexpr std::string_view kOneCount = "here -t is for prompts too";
constexpr std::string_view kNoPoll = "lfm knows how its threads wait; leave it out";

constexpr std::array kHabits = {
    Habit{"--grammar", "", kNoGrammar},
    Habit{"--grammar-file", "", kNoGrammar},
    Habit{"-r", "--stop", kStops},
    Habit{"--reverse-prompt", "--stop", kStops},
    Habit{"--top-n-sigma", "", kNoSampler},
    Habit{"--top-nsigma", "", kNoSampler},
    Habit{"--sampling-seq", "", kNoSampler},
    Habit{"-l", "", kNoBias},
    Habit{"--logit-bias", "", kNoBias},
    Habit{"--keep", "", kKeepsAll},
    Habit{"--context-shift", "", kKeepsAll},
    Habit{"--no-context-shift", "", kAlways},
    Habit{"--prompt-cache", "", kKeepsTalk},
    Habit{"--prompt-cache-all", "", kKeepsTalk},
    Habit{"--prompt-cache-ro", "", kKeepsTalk},
    Habit{"-e", "", kNoEscapes},
    Habit{"--escape", "", kNoEscapes},
    Habit{"--no-escape", "", kAlways},
    Habit{"--in-prefix", "", kFromTemplate},
    Habit{"--in-prefix-bos", "", kFromTemplate},
    Habit{"--in-suffix", "", kFromTemplate},
    Habit{"--no-warmup", "", "lfm bench alone warms up; leave it out"},
    Habit{"--warmup", "", "lfm bench alone warms up; leave it out"},
    Habit{"-v", "--timings", kTimings},
    Habit{"--perf", "--timings", kTimings},
    Habit{"--no-perf", "", kAlways},
    Habit{"-lv", "", kNoLog},
    Habit{"--verbosity", "", kNoLog},
    Habit{"--log-disable", "", kNoLog},
    Habit{"--log-file", "", kNoLog},
    Habit{"-sp", "", kSpecial},
    Habit{"--special", "", kSpecial},
    Habit{"--override-kv", "", "lfm takes a model as its file says; leave it out"},
    Habit{"--mmproj-url", "", kTextOnly},
    Habit{"-mmproj", "", kTextOnly},
    Habit{"--no-mmproj", "", kAlways},
    Habit{"--offline", "", "what is here is never asked for; HF_HUB_OFFLINE=1 has lfm ask for nothing"},
    Habit{"--prio", "", kNice},
    Habit{"--prio-batch", "", kNice},
    Habit{"-C", "", kNice},
    Habit{"--cpu-mask", "", kNice},
    Habit{"-Cr", "", kNice},
    Habit{"--cpu-range", "", kNice},
    Habit{"--poll", "", kNoPoll},
    Habit{"--poll-batch", "", kNoPoll},
    Habit{"-jf", "--json-schema-file", ""},
    Habit{"-pg", "--pg", ""},
    Habit{"-hf", "--hf-repo", kNamesModel},
    Habit{"-hfr", "--hf-repo", kNamesModel},
    Habit{"--hf-repo", "", kNamesModel},
    Habit{"-hff", "--hf-file", kNamesModel},
    Habit{"--hf-file", "", kNamesModel},
    Habit{"-hft", "", "the variable HF_TOKEN holds the token; an option would be seen by others of this machine"},
    Habit{"--hf-token", "", "the variable HF_TOKEN holds the token; an option would be seen by others of this machine"},
    Habit{"-mu", "", kOneHub},
    Habit{"--model-url", "", kOneHub},
    Habit{"-dr", "", kOneHub},
    Habit{"--docker-repo", "", kOneHub},
    Habit{"-md", "--model-draft", kNoDraft},
    Habit{"--model-draft", "", kNoDraft},
    Habit{"--draft-max", "", kDraftLength},
    Habit{"--draft-n", "", kDraftLength},
    Habit{"--draft-min", "", kDraftLength},
    Habit{"--draft-p-min", "", kDraftLength},
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
    Habit{"--host", "", kServes},
    Habit{"--port", "", kServes},
    Habit{"--api-key", "", kServes},
    Habit{"--keepalive", "", kServes},
    Habit{"--parallel", "", kOneAtATime},
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
    Habit{"--verbose", "--timings", kTimings},
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
    Habit{"-tb", "--threads-batch", kOneCount},
    Habit{"--threads-batch", "", kOneCount},
    Habit{"-ctk", "--cache-type-k", kCacheType},
    Habit{"-ctv", "--cache-type-v", kCacheType},
    Habit{"--cache-type-k", "", kCacheType},
    Habit{"--cache-type-v", "", kCacheType},
    Habit{"--no-mmap", "", "--load copy does that"},
    Habit{"--mlock", "", "--load copy keeps the weights in memory of their own"},
    Habit{"-np", "--parallel", kOneAtATime},
    Habit{"-to", "--timeout", kServes},
    Habit{"-cram", "--cache-ram", kServes},
    Habit{"-fit", "", kNoGpu},
    Habit{"-fitt", "", kNoGpu},
    Habit{"-fitc", "", kNoGpu},
    Habit{"--fit", "", kNoGpu},
    Habit{"--delay", "", "lfm bench measures the machine around each run instead of waiting; leave it out"},
    Habit{"-oe", "", kRows},
    Habit{"--output-err", "", kRows},
    Habit{"--list-devices", "", kNoGpu},
    Habit{"--progress", "", "lfm bench tells at a terminal how far it is; leave it out"},
    Habit{"-rpc", "", kThisMachine},
    Habit{"--rpc", "", kThisMachine},
    Habit{"--cpu-strict", "", kNice},
    Habit{"-mmp", "", kLoads},
    Habit{"-dio", "", kLoads},
    Habit{"--direct-io", "", kLoads},
    Habit{"-embd", "", kNoEmbeddings},
    Habit{"--embeddings", "", kNoEmbeddings},
    Habit{"-nopo", "", kNoGpu},
    Habit{"--no-op-offload", "", kNoGpu},
    Habit{"--no-host", "", kNoGpu},
    Habit{"-co", "", "colours are there at a terminal; NO_COLOR=1 takes them away"},
};

// What comes behind these is text, and no option whatever it looks like.
bool takes_text(std::string_view word) {
  constexpr std::array kTexts = {"-j",       "--json-schema", "--json-schema-file",
                                 "--regex",  "--check",       "-p",
                                 "--prompt", "--system",      "--stop",
                                 "-f",       "--file",        "-m",
                                 "--model",  "--hf-repo",     "--hf-file",
                                 "-o",       "--out"};
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

std::string lower(std::string word) {
  for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return word;
}

bool is_type(const std::string& word) {
  const std::string name = lower(word);
  return name.size() <= 8 && name.find('.') == std::string::npos &&
         (name.starts_with("q") || name.starts_with("iq") || name.ends_with("f16")) &&
         name.find_first_of("123456789") != std::string::npos;
}

// llama-quantize's "IN OUT TYPE THREADS", with its options in front.
void translate_quantize(std::vector<std::string>& words) {
  const auto is_plain = [&](std::size_t at) { return at < words.size() && !words[at].starts_with('-'); };
  std::size_t in = is_plain(1) && is_plain(2) ? 1 : 0;
  for (std::size_t type = 3; in == 0 && type < words.size(); ++type) {
    if (is_type(words[type]) && words[type - 1].ends_with(".gguf") && is_plain(type - 2)) in = type - 2;
  }
  if (words[0] != "quantize" || in == 0 || is_type(words[in + 1])) return;  // "IN TYPE" names no file
  constexpr std::array kNames = {"", "--out", "--type", "--threads"};
  std::vector<std::string> named;
  std::size_t end = in;
  for (; end - in < kNames.size() && is_plain(end); ++end) {
    if (end > in) named.emplace_back(kNames[end - in]);
    named.push_back(words[end]);
  }
  const auto begin = words.begin() + static_cast<std::ptrdiff_t>(in);
  words.erase(begin, begin + static_cast<std::ptrdiff_t>(end - in));
  words.insert(words.begin() + 1, named.begin(), named.end());
}

// "lfm help chat" is understood.
void translate_words(std::vector<std::string>& words) {
  if (words.empty()) return;
  if (words[0] == "version") words[0] = "--version";
  if (words[0] == "help") words[0] = "--help";
  if (words[0] == "--help" && words.size() == 2) std::swap(words[0], words[1]);
  translate_quantize(words);
}

}  // namespace

std::vector<std::string> translate_habits(std::vector<std::string>& arguments, const HasOption& has) {
  translate_words(arguments);
  const std::string command = arguments.empty() ? "" : arguments[0];
  std::vector<std::string> problems;
  const auto tell = [&problems](std::string line) {  // once, however often it was typed
    if (std::find(problems.begin(), problems.end(), line) == problems.end()) problems.push_back(std::move(line));
  };
  bool text = false;
  for (std::string& argument : arguments) {
    const std::string_view word = std::string_view(argument).substr(0, argument.find('='));
    const bool value = text;
    text = !value && takes_text(word) && word.size() == argument.size();
    if (value || has(command, word)) continue;
    const auto* const habit =
        std::find_if(kHabits.begin(), kHabits.end(), [word](const Habit& known) { return known.word == word; });
    if (habit != kHabits.end() && !habit->ours.empty() && (habit->answer.empty() || has(command, habit->ours))) {
      argument.replace(0, word.size(), habit->ours);
      text = takes_text(argument);
    } else if (habit != kHabits.end()) {
      tell(argument + ": " + std::string(habit->answer));
    } else if (is_foreign(word)) {
      tell(std::string(word.substr(0, 40)) + ": lfm has no such option");
    }
  }
  return problems;
}

}  // namespace lfm::cli
