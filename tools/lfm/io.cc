#include "io.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include "base/descriptor.h"
#include "command.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

constexpr std::size_t kKept = std::size_t{64} << 10;

// What the library calls options, and what they are here.
constexpr std::pair<std::string_view, const char*> kOptions[] = {
    {"threads", "--threads"},
    {"chunk_tokens", "--chunk"},
    {"context_tokens", "--ctx-size"},
    {"max_tokens", "--predict"},
    {"temperature", "--temp"},
    {"top_k", "--top-k"},
    {"top_p", "--top-p"},
    {"min_p", "--min-p"},
    {"repetition_penalty", "--repeat-penalty"},
    {"stop", "--stop"},
    {"date", "--date"},
    {"thinking_budget", "--thinking-budget"},
    {"dense", "--dense"},
    {"batch_threads", "--threads-batch"},
    {"calibration", "--calibrate"},
    {"imatrix", "--imatrix"},
    {"imatrix_out", "--imatrix-out"},
    {"mix", "--mix"},
    {"mix_bits", "--mix"},
    {"base", "--kl-divergence-base"},
    {"base_out", "--kl-divergence-base"},
    {"base_likeliest", "--likeliest"},
    {"window_tokens", "--ctx-size"},
};

std::string kept;
bool failed = false;

std::string formatted(const char* format, std::va_list arguments) {
  std::va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<std::size_t>(std::max(std::vsnprintf(nullptr, 0, format, arguments), 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

}  // namespace

int fail(const Error& error) {
  if (error.code != ErrorCode::kArgument && error.code != ErrorCode::kLimit) return fail(error.describe());
  Error named = error;
  for (const auto& [field, option] : kOptions) {
    if (error.field == field) named.field = option;
  }
  return fail(named.describe());
}

int fail(std::string_view sentence) {
  write_err("lfm: " + shown_name(sentence) + "\n");
  return kFailure;
}

int fail_to_write() {
  return fail("cannot write to standard output");
}

void print_note(std::string_view note) {
  write_err("lfm: note: " + shown_name(note) + "\n");
}

bool write_out(std::string_view bytes) {
  kept += bytes;
  return kept.size() < kKept ? !failed : flush_out();
}

bool print_out(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const std::string text = formatted(format, arguments);
  va_end(arguments);
  return write_out(text);
}

bool flush_out() {
  failed = failed || !base::write_all(STDOUT_FILENO, kept);
  kept.clear();
  return !failed;
}

void write_err(std::string_view bytes) {
  (void)base::write_all(STDERR_FILENO, bytes);
}

void print_err(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  write_err(formatted(format, arguments));
  va_end(arguments);
}

bool out_is_err() {
  struct stat out;
  struct stat err;
  return ::fstat(STDOUT_FILENO, &out) == 0 && ::fstat(STDERR_FILENO, &err) == 0 && out.st_dev == err.st_dev &&
         out.st_ino == err.st_ino;
}

std::string bytes_text(double bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.2f %s", bytes, kUnits[unit]);
  return text;
}

}  // namespace lfm::cli
