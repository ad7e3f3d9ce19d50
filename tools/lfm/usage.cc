#include "usage.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

#include "not_here.h"

namespace lfm::cli {
namespace {

struct Elsewhere {
  std::string_view command;
  std::string_view answer;
};

constexpr std::string_view kNoStore = "lfm has 'lfm pull', 'lfm list' and 'lfm rm' for models; the rest are files";
constexpr std::string_view kTalks = "'lfm chat MODEL' talks with a model, and 'lfm run -m MODEL' continues a text";
constexpr std::string_view kPulls = "'lfm pull LiquidAI/LFM2-8B-A1B-GGUF' downloads a model from the hub";
constexpr std::string_view kLists = "'lfm list' tells what is kept";

// Commands of llama.cpp's and Ollama's programs.
constexpr std::array kElsewhere = {
    Elsewhere{"download", kPulls},
    Elsewhere{"get", kPulls},
    Elsewhere{"ls", kLists},
    Elsewhere{"ps", "lfm runs no models in the background; 'lfm list' tells what is kept"},
    Elsewhere{"stop", "lfm runs no models in the background"},
    Elsewhere{"remove", "'lfm rm NAME' removes what 'lfm list' shows"},
    Elsewhere{"delete", "'lfm rm NAME' removes what 'lfm list' shows"},
    Elsewhere{"cp", kNoStore},
    Elsewhere{"create", kNoStore},
    Elsewhere{"push", kNoStore},
    Elsewhere{"serve", kServes},
    Elsewhere{"server", kServes},
    Elsewhere{"show", "'lfm inspect FILE' tells what a model is"},
    Elsewhere{"info", "'lfm inspect FILE' tells what a model is"},
    Elsewhere{"cli", kTalks},
    Elsewhere{"generate", kTalks},
    Elsewhere{"completion", kTalks},
    Elsewhere{"simple", kTalks},
    Elsewhere{"ask", kTalks},
};

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

std::string without_value(const std::string& word) {
  return word.starts_with('-') ? word.substr(0, word.find('=')) : word;
}

bool is_model(const std::string& word) {
  std::error_code code;
  return word.ends_with(".gguf") || word.ends_with(".lfm") || std::filesystem::exists(word, code);
}

std::string meant(const std::string& likely) {
  return likely.empty() ? "" : "; did you mean " + likely + "?";
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kMostTyped = 40;
  if (word.size() > kMostTyped) return {};
  std::string plain(word);
  std::replace(plain.begin(), plain.end(), '_', '-');
  std::string best;
  std::size_t least = plain.size() < 4 ? 2 : 3;  // above what is near
  for (const std::string& candidate : known) {
    const std::size_t far = distance(plain, candidate);
    if (far < least) least = far, best = candidate;
  }
  if (!best.empty() || plain.size() < 5) return best;
  const auto begun = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
    return candidate.starts_with(plain) || (candidate.size() >= 5 && plain.starts_with(candidate));
  });
  return begun == known.end() ? "" : *begun;
}

std::string no_command(const std::vector<std::string>& words, const std::vector<std::string>& commands) {
  if (words.empty() || words[0].starts_with('-')) return "name a command first: " + std::string(kTalks);
  const std::string& word = words[0];
  const auto* const known =
      std::find_if(kElsewhere.begin(), kElsewhere.end(), [&](const Elsewhere& row) { return row.command == word; });
  if (known != kElsewhere.end()) return word + ": " + std::string(known->answer);
  if (is_model(word)) return word + ": name a command first: 'lfm chat MODEL' talks with it";
  if (word.find(' ') != word.npos) return word + ": name a command first: 'lfm chat MODEL -p TEXT' asks a question";
  std::string all;
  for (const std::string& command : commands) all += (all.empty() ? "" : ", ") + command;
  const std::string likely = nearest(word, commands);
  return word + ": no such command" + (likely.empty() ? "; there are " + all : meant(likely));
}

std::string no_such_word(const std::string& word, const std::string& command, const std::vector<std::string>& options) {
  const std::string name = without_value(word);
  if (name.starts_with('-') && name.size() > 1)
    return name + ": lfm " + command + " has no such option" + meant(name.size() > 3 ? nearest(name, options) : "");
  if (command == "chat" || command == "run") return word + ": what is it? A text goes behind -p";
  if (command == "tokenize" || command == "detokenize")
    return word + ": lfm " + command + " reads standard input, as in 'echo TEXT | lfm " + command + " -m FILE'";
  if (command == "perplexity") return word + ": what is it? A file with the text goes behind -f";
  if (command == "quantize" || command == "convert")
    return word + ": what is it? The file to write goes behind -o, its type behind --type";
  return word + ": lfm " + command + " has no use for it";
}

std::string without_a_name(const std::string& command) {
  if (command == "rm") return "say what is to go: 'lfm list' has the names";
  return "name a model on the hub, as in 'lfm " + command + " LiquidAI/LFM2-8B-A1B-GGUF'";
}

std::string without_a_model(const std::string& command) {
  return "name the model: 'lfm " + command + " FILE', or one on the hub as in 'lfm " + command +
         " LiquidAI/LFM2-8B-A1B-GGUF'";
}

}  // namespace lfm::cli
