// lfm tokenize, lfm detokenize: text to token ids and back.
#include <memory>

#include "command.h"
#include "input.h"
#include "io.h"
#include "lfm/tokenizer.h"
#include "model_name.h"
#include "model_path.h"
#include "talk/model_text.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelName model;
  bool no_bos = false;
  bool plain = false;
};

Result<Tokenizer> open_tokenizer(const std::string& path) {
  auto tokenizer = Tokenizer::open(path);
  if (!tokenizer.ok()) return of_model(std::move(tokenizer).error(), path);
  return tokenizer;
}

int run_tokenize(const Options& options) {
  auto tokenizer = open_tokenizer(options.model.path);
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
  return write_out(line) && flush_out() ? kOk : fail_to_write();
}

int run_detokenize(const Options& options) {
  auto tokenizer = open_tokenizer(options.model.path);
  if (!tokenizer.ok()) return fail(tokenizer.error());
  auto text = read_input("-");
  if (!text.ok()) return fail(text.error());
  auto ids = parse_ids(*text);
  if (!ids.ok()) return fail(ids.error());
  auto bytes = tokenizer->decode(*ids);
  if (!bytes.ok()) return fail(bytes.error());
  ModelText out;
  return out.write(*bytes) && out.finish() ? kOk : fail_to_write();
}

}  // namespace

void add_tokenize(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("tokenize", "Turn the text on standard input into token ids");
  add_model_option(command, options->model);
  command.flag("--no-bos", options->no_bos, "don't put the model's first token in front");
  command.flag("--plain", options->plain, "take special tokens in the text, such as <|im_end|>, as text");
  command.runs([options] { return with_model(options->model, [&] { return run_tokenize(*options); }); });
}

void add_detokenize(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("detokenize", "Turn the token ids on standard input into bytes");
  add_model_option(command, options->model);
  command.runs([options] { return with_model(options->model, [&] { return run_detokenize(*options); }); });
}

}  // namespace lfm::cli
