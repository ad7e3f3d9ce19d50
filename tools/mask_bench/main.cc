// mask_bench FOLDER [--vocabulary N] [--limit N] [--only NAME] [--check] [--verbose]
//
// Compiles every schema of the folder, and runs each of its texts through it a token at a time: mask, is the token in
// it, accept. Prints how many schemas were judged right in all their texts, and how long it took. The vocabulary is
// made of all of the folder's texts, also where only the schemas whose name has something in it are run. With --check
// texts are judged as `lfm schema --check` does: members may be in any order, and formats are what the schema's draft
// makes of them.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "constrain/compile.h"
#include "constrain/match/matcher.h"
#include "constrain/respell.h"
#include "suite.h"
#include "vocabulary.h"

namespace {

using namespace lfm;
using namespace lfm::constrain;
// Of this thread alone, whatever else the machine does.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

double microseconds(double begin) {
  return now() - begin;
}

struct Times {
  std::vector<double> all;

  void print(const char* name) {
    if (all.empty()) return;
    std::sort(all.begin(), all.end());
    double sum = 0;
    for (const double t : all) sum += t;
    const auto at = [this](double part) { return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))]; };
    std::printf("%-8s %9zu   mean %.1f us, p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f\n", name, all.size(),
                sum / static_cast<double>(all.size()), at(0.5), at(0.9), at(0.99), at(0.999), all.back());
  }
};

struct Options {
  std::string folder;
  std::size_t vocabulary = 65'536;
  std::size_t limit = ~std::size_t{0};
  std::string only = {};
  bool verbose = false;
  bool check = false;
};

struct Totals {
  std::size_t schemas = 0, right = 0, unsupported = 0, refused = 0, accepted = 0, wrong = 0, inconsistent = 0;
  std::map<std::string, std::size_t> reasons;
  Times compile, mask;
};

// The longest token that the text goes on with.
TokenId next_token(const TokenTrie& trie, std::string_view text) {
  TokenTrie::NodeIndex node = TokenTrie::kRoot;
  TokenId best = -1;
  for (const char c : text) {
    TokenTrie::NodeIndex child = node + 1;
    while (child < trie.at(node).end && trie.at(child).byte != static_cast<std::uint8_t>(c)) child = trie.at(child).end;
    if (child >= trie.at(node).end) break;
    node = child;
    if (trie.at(node).token >= 0) best = trie.at(node).token;
  }
  return best;
}

// Whether the text is allowed; -1 if mask and acceptance disagree.
int judge(Grammar& grammar, LexemeMasks& masks, const TokenTrie& trie, std::string_view text, const Options& options,
          Times& times, std::size_t& stopped) {
  Matcher matcher(grammar, &masks, &trie, options.check ? Order::kAny : Order::kAsGiven);
  TokenMask mask(trie.tokens());
  for (std::size_t at = 0; at < text.size();) {
    const TokenId token = next_token(trie, text.substr(at));
    const auto begin = now();
    const Status status = matcher.mask(mask);
    times.all.push_back(microseconds(begin));
    if (!status.ok()) return -1;
    const bool in_mask = mask.test(token);
    const auto accepted = matcher.accept(trie.bytes(token));
    if (!accepted.ok() || *accepted != in_mask) return -1;
    stopped = at;
    if (!in_mask) return 0;
    at += trie.bytes(token).size();
  }
  return matcher.is_complete() ? 1 : 0;
}

void run(const mask_bench::Case& one, const TokenTrie& trie, const Options& options, Totals& totals) {
  ++totals.schemas;
  const auto begin = now();
  const auto grammar = compile_json_schema(one.schema, options.check);
  const double took = microseconds(begin);
  totals.compile.all.push_back(took);
  if (options.verbose && took > 50'000) std::printf("slow compile: %s %.0f us\n", one.name.c_str(), took);
  if (!grammar.ok() && grammar.error().message == "nothing satisfies the schema" &&
      std::none_of(one.texts.begin(), one.texts.end(), [](const mask_bench::Text& text) { return text.valid; })) {
    ++totals.right;  // refused with all their texts
    return;
  }
  if (!grammar.ok()) {
    ++totals.unsupported;
    const std::string& message = grammar.error().message;
    ++totals.reasons[message.substr(0, 60)];
    if (options.verbose) std::printf("unsupported: %s: %s\n", one.name.c_str(), grammar.error().describe().c_str());
    return;
  }
  LexemeMasks masks(**grammar, trie);
  const std::size_t before = totals.mask.all.size();
  bool right = true;
  for (const mask_bench::Text& text : one.texts) {
    const Respelt respelt = respell(text.json, (*grammar)->whole_fractions);
    std::size_t stopped = 0;
    const int verdict = judge(**grammar, masks, trie, respelt.text, options, totals.mask, stopped);
    if (verdict == (text.valid ? 1 : 0)) continue;
    right = false;
    const char* kind = verdict < 0 ? "inconsistent" : verdict == 1 ? "accepted wrongly" : "refused wrongly";
    ++(verdict < 0 ? totals.inconsistent : verdict == 1 ? totals.accepted : totals.refused);
    if (options.verbose) {
      std::printf("%s: %s: %s at %zu (%s)\n", kind, one.name.c_str(), respelt.text.substr(0, 300).c_str(), stopped,
                  respelt.text.substr(stopped, 30).c_str());
    }
  }
  ++(right ? totals.right : totals.wrong);
  if (!options.verbose || totals.mask.all.size() == before) return;
  const double slowest = *std::max_element(totals.mask.all.begin() + static_cast<std::ptrdiff_t>(before), totals.mask.all.end());
  if (slowest > 1'000)
    std::printf("slow mask: %s %.0f us, %zu states\n", one.name.c_str(), slowest, (*grammar)->dfa.states());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--vocabulary" && i + 1 < argc) {
      options.vocabulary = static_cast<std::size_t>(std::stoul(argv[++i]));
    } else if (argument == "--limit" && i + 1 < argc) {
      options.limit = static_cast<std::size_t>(std::stoul(argv[++i]));
    } else if (argument == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if (argument == "--check") {
      options.check = true;
    } else if (argument == "--verbose") {
      options.verbose = true;
    } else {
      options.folder = argument;
    }
  }
  const std::vector<mask_bench::Case> cases = mask_bench::read_folder(options.folder, options.limit);
  std::vector<std::string> texts;
  for (const mask_bench::Case& one : cases) {
    texts.push_back(one.schema);
    for (const mask_bench::Text& text : one.texts) texts.push_back(text.json);
  }
  const text::Tokenizer tokenizer = mask_bench::make_tokenizer(texts, options.vocabulary);
  const auto begin = now();
  const TokenTrie trie(tokenizer);
  static_cast<void>(trie.text(Spelling{}));
  std::printf("tree of %zu tokens: %.1f ms, %zu nodes\n", trie.tokens(), microseconds(begin) / 1000, trie.nodes());

  Totals totals;
  for (const mask_bench::Case& one : cases) {
    if (one.name.find(options.only) != std::string::npos) run(one, trie, options, totals);
  }
  std::printf("schemas %zu: right %zu, wrong %zu, unsupported %zu\n", totals.schemas, totals.right, totals.wrong,
              totals.unsupported);
  std::printf("texts: refused wrongly %zu, accepted wrongly %zu, inconsistent %zu\n", totals.refused, totals.accepted,
              totals.inconsistent);
  totals.compile.print("compile");
  totals.mask.print("mask");
  std::vector<std::pair<std::size_t, std::string>> reasons;
  for (const auto& [reason, count] : totals.reasons) reasons.emplace_back(count, reason);
  std::sort(reasons.rbegin(), reasons.rend());
  for (const auto& [count, reason] : reasons) std::printf("  %5zu %s\n", count, reason.c_str());
  return totals.accepted == 0 && totals.inconsistent == 0 ? 0 : 1;
}
