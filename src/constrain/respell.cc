#include "constrain/respell.h"

#include <optional>

#include "constrain/regex/spelling.h"
#include "constrain/schema/decimal.h"

namespace lfm::constrain {
namespace {

class Respeller {
 public:
  Respeller(std::string_view in, bool whole_fractions) : in_(in), whole_fractions_(whole_fractions) {}

  Respelt run() {
    while (at_ < in_.size() && out_.whole) {
      const char c = in_[at_];
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        ++at_;
      } else if (c == '"') {
        string();
      } else if (c == '-' || (c >= '0' && c <= '9')) {
        number();
      } else {
        put(std::string_view(in_).substr(at_, 1), at_);
        if (c == ',' || c == ':') put(" ", at_);
        ++at_;
      }
    }
    out_.from.push_back(static_cast<std::uint32_t>(at_));
    return std::move(out_);
  }

 private:
  void put(std::string_view text, std::size_t from) {
    out_.text += text;
    out_.from.insert(out_.from.end(), text.size(), static_cast<std::uint32_t>(from));
  }

  void stop() { out_.whole = false; }

  void number() {
    const std::size_t begin = at_;
    while (at_ < in_.size() && std::string_view("+-.eE0123456789").find(in_[at_]) != std::string_view::npos) ++at_;
    const std::string_view spelt = in_.substr(begin, at_ - begin);
    if (spelt.find_first_of(".eE") == std::string_view::npos && spelt != "-0") return put(spelt, begin);
    if (!whole_fractions_ || !is_number(spelt)) return put(spelt, begin);
    const auto value = Decimal::parse(spelt);
    const bool plain = value && (value->is_integer() || spelt.find_first_of("eE") != std::string_view::npos);
    put(plain && value->whole.size() + value->fraction.size() <= 60 ? value->text() : std::string(spelt), begin);
  }

  static bool is_number(std::string_view s) {
    std::size_t i = s.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
      const std::size_t first = i;
      while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
      return i > first;
    };
    const bool zero = i < s.size() && s[i] == '0';
    const std::size_t whole = i;
    if (!digits() || (zero && i > whole + 1)) return false;
    if (i < s.size() && s[i] == '.' && (++i, !digits())) return false;
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
      ++i;
      if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
      if (!digits()) return false;
    }
    return i == s.size();
  }

  void string() {
    put("\"", at_++);
    for (;;) {
      if (at_ >= in_.size()) return stop();
      const std::size_t begin = at_;
      const char c = in_[at_];
      if (c == '"') {
        put("\"", at_++);
        return;
      }
      if (c == '\\') {
        std::string meaning;
        if (!escape(meaning)) {
          at_ = begin;
          return stop();
        }
        std::string spelt;
        Spelling{}.append(meaning, spelt);
        put(spelt, begin);
      } else {
        put(in_.substr(at_++, 1), begin);
      }
    }
  }

  bool escape(std::string& out) {
    static constexpr std::string_view kNames = "bfnrt\"\\/";
    static constexpr std::string_view kMeanings = "\b\f\n\r\t\"\\/";
    if (at_ + 1 >= in_.size()) return false;
    const char c = in_[at_ + 1];
    if (const auto i = kNames.find(c); i != std::string_view::npos) {
      out += kMeanings[i];
      at_ += 2;
      return true;
    }
    auto code = unit();
    if (!code) return false;
    if (*code >= 0xd800 && *code < 0xdc00) {
      const auto low = unit();
      if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
      *code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    } else if (*code >= 0xdc00 && *code < 0xe000) {
      return false;
    }
    append(*code, out);
    return true;
  }

  // "\uXXXX" at this place.
  std::optional<std::uint32_t> unit() {
    if (at_ + 6 > in_.size() || in_[at_] != '\\' || in_[at_ + 1] != 'u') return std::nullopt;
    std::uint32_t value = 0;
    for (int i = 2; i < 6; ++i) {
      const char c = in_[at_ + static_cast<std::size_t>(i)];
      const char lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<std::uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
      } else {
        return std::nullopt;
      }
    }
    at_ += 6;
    return value;
  }

  static void append(std::uint32_t c, std::string& out) {
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (c < 0x80) return byte(c);
    if (c < 0x800) {
      byte(0xc0 | (c >> 6));
    } else {
      byte(c < 0x10000 ? 0xe0 | (c >> 12) : 0xf0 | (c >> 18));
      if (c >= 0x10000) byte(0x80 | ((c >> 12) & 0x3f));
      byte(0x80 | ((c >> 6) & 0x3f));
    }
    byte(0x80 | (c & 0x3f));
  }

  std::string_view in_;
  bool whole_fractions_;
  std::size_t at_ = 0;
  Respelt out_;
};

}  // namespace

Respelt respell(std::string_view json, bool whole_fractions) {
  return Respeller(json, whole_fractions).run();
}

}  // namespace lfm::constrain
