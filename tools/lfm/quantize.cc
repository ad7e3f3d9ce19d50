// lfm convert, lfm quantize: models as GGUF files of other types.
#include <charconv>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/try.h"
#include "command.h"
#include "input.h"
#include "interrupt.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "progress_line.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelName model;
  std::string out;
  std::string type;
  unsigned threads = 0;
  bool force = false;
  bool fast = false;
  bool no_data = false;
  std::vector<std::string> texts;
  std::string imatrix, imatrix_out;
  std::size_t tokens = QuantizeOptions{}.calibration_tokens;
  Mix mix = Mix::kNone;
  double mix_bits = 0;
};

// Whether what was calibrated is kept.
bool goes_on(const Options& options) {
  return options.type != "q8_0" && !options.no_data && options.imatrix.empty() && options.imatrix_out.empty();
}

const char* name_of(QuantizePhase phase) {
  switch (phase) {
    case QuantizePhase::kPreparing:
      return "eight bits made";
    case QuantizePhase::kSampling:
      return "text sampled";
    case QuantizePhase::kMeasuring:
      return "matrices measured";
    case QuantizePhase::kCalibrated:
      return "quantised";
    case QuantizePhase::kPlain:
      return "written";
  }
  return "";
}

// "auto", "none" or bits a weight.
std::string read_mix(const std::string& mix, Options& options) {
  options.mix = mix == "none" ? Mix::kNone : mix == "auto" ? Mix::kAuto : Mix::kBits;
  if (options.mix != Mix::kBits) return {};
  constexpr double kMost = 8.5;
  const char* const end = mix.data() + mix.size();
  const auto [stop, code] = std::from_chars(mix.data(), end, options.mix_bits);
  if (code == std::errc() && stop == end && options.mix_bits > 0 && options.mix_bits <= kMost) return {};
  return "expected auto, none, or bits a weight such as 4.8";
}

// Whether an error says that it is about a file of that name.
bool is_of(const Error& error, const std::string& path) {
  return !path.empty() && error.field.starts_with(shown_name(path));
}

// What each tensor costs and brings, without those that cause next to nothing and stay.
void print_mix(const QuantizeInfo& info) {
  constexpr double kShown = 0.005;
  print_out("KL divergence without calibration and mix: %.6f. Of it:\n", info.mix_divergence);
  print_out("  causes   saved  more bytes  becomes  tensor\n");
  for (const MixedTensor& tensor : info.mix) {
    if (tensor.more_bytes == 0 && tensor.divergence < kShown * info.mix_divergence) continue;
    print_out("%7.1f%% %6.1f%%  %10s  %-7s  %s\n", 100 * tensor.divergence / info.mix_divergence,
              100 * tensor.gain / info.mix_divergence, bytes_text(static_cast<double>(tensor.more_bytes)).c_str(),
              tensor.more_bytes > 0 ? tensor.type.c_str() : "", tensor.name.c_str());
  }
}

// The texts of these files as one, in which each begins as a text does: with the model's token for that, or at least on
// a line of its own.
Result<std::string> read_texts(const std::vector<std::string>& paths, const std::string& model) {
  std::string all, begin = "\n";
  if (paths.size() > 1) {
    auto tokenizer = Tokenizer::open(model);
    if (!tokenizer.ok()) return of_model(std::move(tokenizer).error(), model);
    if (const auto bos = tokenizer->bos()) {
      LFM_ASSIGN(begin, tokenizer->decode({&*bos, 1}));
    }
  }
  for (const std::string& path : paths) {
    LFM_ASSIGN(const std::string text, read_input(path));
    if (!all.empty() && !text.empty() && !text.starts_with(begin)) all += begin;
    all += text;
  }
  return all;
}

int run_quantize(const Options& options) {
  QuantizeOptions quantize;
  quantize.type = weight_type(options.type).value_or(quantize.type);
  quantize.threads = options.threads;
  quantize.overwrite = options.force;
  if (options.fast) quantize.method = QuantizeMethod::kOneStream;
  if (options.no_data) quantize.method = QuantizeMethod::kNoData;
  quantize.mix = options.mix;
  quantize.mix_bits = options.mix_bits;
  quantize.calibration_tokens = options.tokens;
  quantize.imatrix = options.imatrix;
  quantize.imatrix_out = options.imatrix_out;
  auto calibration = read_texts(options.texts, options.model.path);
  if (!calibration.ok()) return fail(calibration.error());
  quantize.calibration = *std::move(calibration);
  if (options.type == "q8_0" && options.fast)
    return fail(Error{ErrorCode::kArgument, "Q8_0 is rounded to what is nearest: there is nothing quicker", "--fast"});
  // To the library no text means the model's own.
  if (!options.texts.empty() && quantize.calibration.empty())
    return fail(Error{ErrorCode::kArgument, "a text of 0 tokens; at least 16 are needed", "calibration"});
  std::unique_ptr<ProgressLine> line;
  QuantizePhase shown = QuantizePhase::kPlain;
  quantize.progress = [&](QuantizePhase phase, double part) {
    if (line == nullptr || phase != shown) line = std::make_unique<ProgressLine>();
    shown = phase;
    line->show(part, name_of(phase));
    return true;
  };
  end_on_interrupt(goes_on(options)
                       ? "interrupted; the same command goes on behind the last layer that was done"
                       : "interrupted; the same command begins anew");
  auto info = quantize_model(options.model.path, options.out, quantize);
  line.reset();
  if (!info.ok())
    return fail(is_of(info.error(), options.imatrix) ? info.error() : of_model(info.error(), options.model.path));
  if (!info->mix.empty()) print_mix(*info);
  const double bits = 8 * static_cast<double>(info->weight_bytes) / static_cast<double>(info->parameters);
  print_out("%s: %s, %.2f bits a weight\n", shown_name(options.out).c_str(),
            bytes_text(static_cast<double>(info->file_bytes)).c_str(), bits);
  return flush_out() ? kOk : fail_to_write();
}

Command& add(CommandLine& line, const char* name, const char* help, const char* model,
             const std::shared_ptr<Options>& options) {
  Command& command = line.add(name, help);
  add_model_option(command, options->model, model);
  command.text("-o,--out", options->out, "GGUF file to write").required().type("FILE");
  add_threads_option(command, options->threads);
  command.flag("--force", options->force, "replace a file that is there already");
  command.runs([options] { return with_model(options->model, [&] { return run_quantize(*options); }); });
  return command;
}

}  // namespace

void add_convert(CommandLine& line) {
  auto options = std::make_shared<Options>();
  options->type = "bf16";
  add(line, "convert", "Write a Hugging Face folder as a GGUF file", "the folder, or a GGUF file", options)
      .choice("--type", options->type, {"f32", "f16", "bf16", "q8_0"}, "what weights become");
}

void add_quantize(CommandLine& line) {
  auto options = std::make_shared<Options>();
  options->type = "q4_0";
  Command& command =
      add(line, "quantize", "Write a model with smaller weights", "GGUF file or Hugging Face folder", options);
  command.choice("--type", options->type, {"q4_0", "iq4_nl", "q4_k", "q5_k", "q6_k", "q8_0"}, "what weights become");
  const Option texts =
      command
          .texts("--calibrate", options->texts, "text like what the model is for (default: the model writes it itself)")
          .type("FILE");
  command.number("--tokens", options->tokens, {64, 1 << 22}, "tokens to calibrate with at most")
      .shows(std::to_string(options->tokens));
  command
      .value(
          "--mix", [options](const std::string& mix) { return read_mix(mix, *options); },
          "matrices with more bits, where it brings most by measured divergence: auto (5 % more bytes), none, or bits "
          "a weight for the whole file")
      .shows("none")
      .type("auto|none|BITS");
  const Option fast = command.flag("--fast", options->fast, "half the work, and not as near to the original");
  const Option imatrix = command
                             .text("--imatrix", options->imatrix,
                                   "llama.cpp's importance matrix, instead of calibrating: mean squared inputs alone")
                             .type("FILE")
                             .excludes(texts)
                             .excludes(fast);
  const Option out =
      command.text("--imatrix-out", options->imatrix_out, "importance matrix to write of what calibrating saw")
          .type("FILE")
          .excludes(imatrix);
  command
      .flag("--no-data", options->no_data,
            "in minutes, and not as near: no text, and no making good of what rounding does")
      .excludes(texts)
      .excludes(fast)
      .excludes(imatrix)
      .excludes(out);
}

}  // namespace lfm::cli
