#include "text/utf8_stream.h"

#include <algorithm>

namespace lfm::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

void Utf8Stream::push(std::string_view bytes, std::string& out) {
  if (mode_ == Mode::kRaw) {
    out += bytes;
    return;
  }
  // Byte by byte until what is held is decided, which the first byte that doesn't fit does without being part of it.
  while (held_size_ > 0 && !bytes.empty()) {
    held_[held_size_++] = bytes.front();
    const std::string_view held(held_.data(), held_size_);
    const CodePoint point = decode_utf8(held, 0);
    if (point.form == Utf8Form::kTruncated) {
      bytes.remove_prefix(1);
      continue;
    }
    if (point.form == Utf8Form::kWhole) {
      out += held;
      bytes.remove_prefix(1);
    } else {
      out += kReplacement;
    }
    held_size_ = 0;
  }
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint point = decode_utf8(bytes, at);
    const std::string_view form = bytes.substr(at, point.length);
    at += point.length;
    if (point.form == Utf8Form::kTruncated) {
      std::copy(form.begin(), form.end(), held_.begin());
      held_size_ = form.size();
      return;
    }
    out += point.form == Utf8Form::kWhole ? form : kReplacement;
  }
}

void Utf8Stream::flush(std::string& out) {
  if (held_size_ > 0) out += kReplacement;
  held_size_ = 0;
}

}  // namespace lfm::text
