// lfm tokenize, lfm detokenize: text to token ids and back.
#include <CLI/CLI.hpp>
#include <memory>

#include "command.h"
#include "io.h"
#include "talk/model_text.h"

namespace lfm::cli {
namespace {

struct Options {
  std::string model;
  bool no_bos = false;
  bool plain = false;
};

int run_tokenize(const Options& options) {
  auto tokenizer = Tokenizer::open(options.model);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  auto text = read_input("-");
  if (!text.ok()) return fail(text.error());
  auto ids = tokenizer->encode(*text, {.bos = !options.no_bos, .special_tokens = !options.plain});
  if (!ids.ok()) return fail(ids.error());
  std::string line;
  for (const TokenId id : *ids) {
    if (!line.empty()) line += ' ';
    line += std::to_string(id);
  }
  line += '\n';
  return write_out(line) && flush_out() ? kOk : fail("cannot write to standard output");
}

int run_detokenize(const Options& options) {
  auto tokenizer = Tokenizer::open(options.model);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  auto text = read_input("-");
  if (!text.ok()) return fail(text.error());
  auto ids = parse_ids(*text);
  if (!ids.ok()) return fail(ids.error());
  auto bytes = tokenizer->decode(*ids);
  if (!bytes.ok()) return fail(bytes.error());
  ModelText out;
  return out.write(*bytes) && out.finish() ? kOk : fail("cannot write to standard output");
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tokenize", "Turn the text on standard input into token ids");
  command->add_option("-m,--model", options->model, "GGUF or packed file of an LFM2 model")
      ->required()
      ->type_name("FILE");
  command->add_flag("--no-bos", options->no_bos, "don't put the model's first token in front");
  command->add_flag("--plain", options->plain, "take special tokens in the text, such as <|im_end|>, as text");
  command->callback([options, &action] { action = [options] { return run_tokenize(*options); }; });
}

void add_detokenize(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("detokenize", "Turn the token ids on standard input into bytes");
  command->add_option("-m,--model", options->model, "GGUF or packed file of an LFM2 model")
      ->required()
      ->type_name("FILE");
  command->callback([options, &action] { action = [options] { return run_detokenize(*options); }; });
}

}  // namespace lfm::cli
