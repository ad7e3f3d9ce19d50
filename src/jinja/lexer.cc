#include "jinja/lexer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/try.h"
#include "jinja/unicode.h"

namespace lfm::jinja {
namespace {

// Line ends become \n, and one at the end is left out.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      out += '\n';
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool is_word(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr int hex_digit(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

constexpr std::array<std::string_view, 27> kOperators = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                         "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                         ">",  "<",  "=",  ".",  ":",  "|",  ",", ";", "!"};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    while (at_ < source_.size()) LFM_TRY(data());
    push(TokenType::kEnd, {});
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const noexcept { return source_.substr(at_); }
  char peek(std::size_t ahead = 0) const noexcept { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  void push(TokenType type, std::string text) { tokens_.push_back({type, line_, std::move(text)}); }

  void advance(std::size_t bytes) noexcept {
    line_ += static_cast<std::uint32_t>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                   source_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes), '\n'));
    at_ += bytes;
  }

  void skip_space() noexcept { advance(skip_left(rest(), nullptr)); }

  Error failed(std::string message) const { return at_line(ErrorCode::kUnsupported, std::move(message), line_); }

  // Text up to the next tag, and that tag.
  Status data() {
    std::size_t open = at_;
    for (;; ++open) {
      open = source_.find('{', open);
      if (open == std::string_view::npos || open + 1 == source_.size()) {
        text(source_.size(), '\0', false);
        return {};
      }
      const char kind = source_[open + 1];
      if (kind == '{' || kind == '%' || kind == '#') break;
    }
    const char kind = source_[open + 1];
    const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
    const bool signed_tag = sign == '-' || sign == '+';
    text(open, signed_tag ? sign : '\0', kind != '{');
    advance(signed_tag ? 3 : 2);
    if (kind == '#') return comment();
    if (kind == '{') return expression(TokenType::kVariableBegin, TokenType::kVariableEnd, "}}");
    if (is_raw_tag("raw")) return raw();
    return expression(TokenType::kBlockBegin, TokenType::kBlockEnd, "%}");
  }

  // Gives the text before `end`, where a tag begins that strips it (by '-'), leaves it alone ('+') or, being a block,
  // takes the blanks of its own line in front of it.
  void text(std::size_t end, char sign, bool is_block) {
    std::string_view data = source_.substr(at_, end - at_);
    std::size_t kept = data.size();
    if (sign == '-') {
      kept = skip_right(data, nullptr);
    } else if (sign == '\0' && is_block) {
      const std::size_t line = data.rfind('\n') + 1;  // 0 where there is none
      if ((line > 0 || line_starts_) && skip_left(data.substr(line), nullptr) == data.size() - line) kept = line;
    }
    if (kept > 0) push(TokenType::kData, std::string(data.substr(0, kept)));
    advance(data.size());
  }

  // Behind the tag that ends here: "-" takes all white space, and of blocks one line end goes.
  void end_tag(char sign, std::string_view tag, bool is_block) {
    advance((sign != '\0' ? 1 : 0) + tag.size());
    const std::size_t begin = at_;
    if (sign == '-') {
      skip_space();
    } else if (sign == '\0' && is_block && peek() == '\n') {
      advance(1);
    }
    line_starts_ = at_ > begin && source_[at_ - 1] == '\n';
  }

  Status comment() {
    const std::size_t end = source_.find("#}", at_);
    if (end == std::string_view::npos) return failed("a comment without its end");
    const char before = end > at_ ? source_[end - 1] : '\0';
    const char sign = before == '-' || before == '+' ? before : '\0';
    advance(end - at_ - (sign != '\0' ? 1 : 0));
    end_tag(sign, "#}", true);
    return {};
  }

  // Whether the tag that has just begun has this one word in it.
  bool is_raw_tag(std::string_view name) const noexcept {
    std::string_view tag = rest();
    tag.remove_prefix(skip_left(tag, nullptr));
    if (!tag.starts_with(name)) return false;
    tag.remove_prefix(name.size());
    tag.remove_prefix(skip_left(tag, nullptr));
    return tag.starts_with("%}") || tag.starts_with("-%}") || tag.starts_with("+%}");
  }

  void end_raw_tag(std::string_view name, bool trims) {
    skip_space();
    advance(name.size());
    skip_space();
    end_tag(peek() == '%' ? '\0' : peek(), "%}", trims);
  }

  Status raw() {
    end_raw_tag("raw", false);
    for (std::size_t open = at_;; ++open) {
      open = source_.find("{%", open);
      if (open == std::string_view::npos) return failed("raw text without its end");
      const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
      const bool signed_tag = sign == '-' || sign == '+';
      const std::size_t was = std::exchange(at_, open + (signed_tag ? 3 : 2));
      const bool ends = is_raw_tag("endraw");
      at_ = was;
      if (!ends) continue;
      text(open, signed_tag ? sign : '\0', true);
      advance(signed_tag ? 3 : 2);
      end_raw_tag("endraw", true);
      return {};
    }
  }

  Status expression(TokenType begin, TokenType end, std::string_view tag) {
    push(begin, {});
    std::string open;  // the brackets that are to be closed
    while (true) {
      skip_space();
      if (at_ == source_.size()) return failed("a tag without its end");
      if (open.empty()) {
        const bool is_signed = peek() == '-' || (peek() == '+' && tag == "%}");
        if (rest().substr(is_signed ? 1 : 0).starts_with(tag)) {
          push(end, {});
          end_tag(is_signed ? peek() : '\0', tag, tag == "%}");
          return {};
        }
      }
      if (is_digit(peek())) {
        number();
      } else if (is_word(peek())) {
        const auto word = std::find_if_not(rest().begin(), rest().end(), is_word);
        const auto length = static_cast<std::size_t>(word - rest().begin());
        push(TokenType::kName, std::string(rest().substr(0, length)));
        advance(length);
      } else if (peek() == '\'' || peek() == '"') {
        LFM_TRY(string());
      } else {
        LFM_TRY(operation(open));
      }
    }
  }

  Status operation(std::string& open) {
    const auto* found = std::find_if(kOperators.begin(), kOperators.end(),
                                     [&](std::string_view each) { return rest().starts_with(each); });
    if (found == kOperators.end() || *found == "!") return failed("an unexpected character");
    const char c = (*found)[0];
    if (c == '(' || c == '[' || c == '{') {
      open += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) return failed(std::string("unexpected '") + c + "'");
      open.pop_back();
    }
    push(TokenType::kOperator, std::string(*found));
    advance(found->size());
    return {};
  }

  void number() {
    std::string digits;
    std::size_t end = at_;
    const auto take = [&](auto is) {
      while (end < source_.size() &&
             (is(source_[end]) || (source_[end] == '_' && end + 1 < source_.size() && is(source_[end + 1])))) {
        if (source_[end] != '_') digits += source_[end];
        ++end;
      }
    };
    const auto digit_at = [&](std::size_t at) { return at < source_.size() && is_digit(source_[at]); };
    TokenType type = TokenType::kInteger;
    const char base = peek(1);
    if (peek() == '0' && (base == 'x' || base == 'X' || base == 'o' || base == 'O' || base == 'b' || base == 'B')) {
      end += 2;
      digits = std::string("0") + base;
      take([](char c) { return hex_digit(c) >= 0; });
    } else {
      take(is_digit);
      // "1.5" and "1e5", but not the attribute in "a.0.b"
      const bool attribute =
          !tokens_.empty() && tokens_.back().type == TokenType::kOperator && tokens_.back().text == ".";
      if (!attribute && end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
        type = TokenType::kFloat;
        digits += '.';
        ++end;
        take(is_digit);
      }
      if (!attribute && end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
        const std::size_t sign =
            end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-') ? 1 : 0;
        if (digit_at(end + 1 + sign)) {
          type = TokenType::kFloat;
          digits += source_.substr(end, 1 + sign);
          end += 1 + sign;
          take(is_digit);
        }
      }
    }
    push(type, std::move(digits));
    advance(end - at_);
  }

  Status string() {
    const char quote = peek();
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return failed("a string without its end");
    LFM_ASSIGN(std::string meant, unescaped(source_.substr(at_ + 1, end - at_ - 1)));
    push(TokenType::kString, std::move(meant));
    advance(end + 1 - at_);
    return {};
  }

  // As in Python's strings.
  Result<std::string> unescaped(std::string_view in) const {
    constexpr std::string_view kPlain = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";
    std::string out;
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (in[i] != '\\' || i + 1 == in.size()) {
        out += in[i];
        continue;
      }
      const char c = in[++i];
      std::size_t known = 0;
      while (known < kPlain.size() && kPlain[known] != c) known += 2;
      const std::size_t hex = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
      if (known < kPlain.size()) {
        out += kPlain[known + 1];
      } else if (hex > 0) {
        char32_t value = 0;
        for (std::size_t k = 1; k <= hex; ++k) {
          const int digit = i + k < in.size() ? hex_digit(in[i + k]) : -1;
          if (digit < 0) return failed("an escape that isn't whole");
          value = value * 16 + static_cast<char32_t>(digit);
        }
        if (value > 0x10ffff) return failed("an escape of no character");
        append_utf8(value, out);
        i += hex;
      } else if (c >= '0' && c <= '7') {
        char32_t value = 0;
        std::size_t k = 0;
        for (; k < 3 && i + k < in.size() && in[i + k] >= '0' && in[i + k] <= '7'; ++k) {
          value = value * 8 + static_cast<char32_t>(in[i + k] - '0');
        }
        append_utf8(value, out);
        i += k - 1;
      } else if (c == 'N') {
        return failed("an escape by name");
      } else if (c != '\n') {
        out += '\\';
        out += c;
      }
    }
    return out;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  bool line_starts_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

Error at_line(ErrorCode code, std::string message, std::uint64_t line) {
  return {code, std::move(message), {}, line};
}

Result<std::vector<Token>> tokenize(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) return at_line(ErrorCode::kLimit, "the template is too long", 1);
  const std::string text = normalized(source);
  return Lexer(text).run();
}

}  // namespace lfm::jinja
