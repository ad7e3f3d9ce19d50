#include "chat/value.h"

#include <cstdint>
#include <set>

#include "json/write.h"

namespace lfm::chat {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// A byte that may go on with a word or a number.
bool is_word(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class ValueReader {
 public:
  ValueReader(Reader& reader, Escapes escapes, std::string& out) : in_(reader), escapes_(escapes), out_(out) {}

  bool value(std::size_t depth, Place place) {
    in_.skip_space();
    const char c = in_.peek();
    if (c == '{' || c == '[' || c == '(') {
      if (depth == kMaxDepth) return in_.fail("nested too deeply");
      if (c == '{') return is_set(depth) ? set(depth) : object(depth);
      return c == '[' ? list(depth) : tuple(depth);
    }
    if (is_digit(c) || c == '.' || c == '-' || c == '+') return number();
    return word_or_string(place);
  }

  bool object(std::size_t depth) {
    if (!in_.take('{')) return in_.expected("'{'");
    out_ += '{';
    std::set<std::string> keys;
    for (bool first = true;; first = false) {
      in_.skip_space();
      if (in_.take('}')) break;
      if (!first) out_ += ", ";
      if (!key(keys)) return false;
      in_.skip_space();
      if (!in_.take(':')) return in_.expected("':'");
      out_ += ": ";
      if (!value(depth + 1, Place::kMember)) return false;
      if (!comma_or('}', "',' or '}'")) return false;
    }
    out_ += '}';
    return true;
  }

 private:
  // Whether no colon follows the first element, which is no list or object.
  bool is_set(std::size_t depth) {
    Reader ahead = in_;
    std::string element;
    std::set<std::string> keys;
    ahead.skip(1);
    ahead.skip_space();
    if (ahead.peek() == '}' || depth == kMaxDepth) return false;
    if (!ValueReader(ahead, escapes_, element).key(keys)) return false;
    ahead.skip_space();
    return ahead.peek() == ',' || ahead.peek() == '}';
  }

  bool set(std::size_t depth) {
    in_.skip(1);
    in_.mended("a set");
    out_ += '[';
    std::size_t count = 0;
    if (!elements('}', "',' or '}'", Place::kMember, depth, count)) return false;
    out_ += ']';
    return true;
  }

  bool key(std::set<std::string>& keys) {
    const std::size_t begin = out_.size();
    if (in_.looking_at("{") || in_.looking_at("[") || in_.looking_at("(")) return in_.expected("a key");
    if (!value(kMaxDepth, Place::kKey)) return false;
    if (out_[begin] != '"') {
      out_.insert(begin, 1, '"');
      out_ += '"';
    }
    return keys.insert(out_.substr(begin)).second || in_.fail("a key is there twice");
  }

  bool list(std::size_t depth) {
    in_.skip(1);
    out_ += '[';
    std::size_t count = 0;
    if (!elements(']', "',' or ']'", Place::kElement, depth, count)) return false;
    out_ += ']';
    return true;
  }

  // Also what is in parentheses only to keep it together.
  bool tuple(std::size_t depth) {
    in_.skip(1);
    const std::size_t begin = out_.size();
    out_ += '[';
    std::size_t count = 0;
    if (!elements(')', "',' or ')'", Place::kTuple, depth, count)) return false;
    if (count == 1 && !comma_taken_) {
      out_.erase(begin, 1);
    } else {
      out_ += ']';
    }
    return true;
  }

  bool elements(char close, std::string_view wanted, Place place, std::size_t depth, std::size_t& count) {
    for (;; ++count) {
      in_.skip_space();
      if (in_.take(close)) return true;
      if (count > 0) out_ += ", ";
      if (!value(depth + 1, place)) return false;
      if (!comma_or(close, wanted)) return false;
    }
  }

  // Takes a comma, or leaves the bracket that closes.
  bool comma_or(char close, std::string_view wanted) {
    in_.skip_space();
    comma_taken_ = in_.take(',');
    return comma_taken_ || in_.peek() == close || in_.expected(wanted);
  }

  bool word_or_string(Place place) {
    const std::string_view rest = in_.rest();
    std::size_t length = 0;
    while (length < rest.size() && is_word(rest[length])) ++length;
    const char next = length < rest.size() ? rest[length] : '\0';
    if (next == '"' || next == '\'') return string(place);
    const std::string_view word = rest.substr(0, length);
    if (word.empty()) return in_.expected("a value");
    if (word == "True" || word == "true") {
      out_ += "true";
    } else if (word == "False" || word == "false") {
      out_ += "false";
    } else if (word == "None" || word == "null") {
      out_ += "null";
    } else if (word == "set" && rest.substr(length).starts_with("()")) {  // the one way to write an empty set
      in_.mended("a set");
      out_ += "[]";
      length += 2;
    } else {
      return in_.expected("a value, and not a name,");
    }
    in_.skip(length);
    return true;
  }

  bool string(Place place) {
    std::string meant;
    if (!read_string(in_, escapes_, place, meant)) return false;
    json::append_text(meant, out_);
    return true;
  }

  bool number() {
    const std::size_t begin = out_.size();
    bool negative = false;
    if (in_.peek() == '-' || in_.peek() == '+') {
      negative = in_.peek() == '-';
      in_.skip(1);
    }
    if (negative) out_ += '-';
    const std::string_view rest = in_.rest();
    const char base = rest.size() > 1 && rest[0] == '0' ? static_cast<char>(rest[1] | 0x20) : '\0';
    if (base == 'x' || base == 'o' || base == 'b') return based(base == 'x' ? 16 : base == 'o' ? 8 : 2);
    const std::size_t whole = digits();
    std::size_t fraction = 0;
    if (whole == 0) out_ += '0';
    if (in_.take('.')) {
      out_ += '.';
      fraction = digits(false);
      if (fraction == 0) out_ += '0';
    }
    if (whole + fraction == 0) return in_.expected("a number");
    if ((in_.peek() | 0x20) == 'e') {
      out_ += 'e';
      in_.skip(1);
      if (in_.peek() == '-' || in_.peek() == '+') {
        out_ += in_.peek();
        in_.skip(1);
      }
      if (digits(false) == 0) return in_.expected("an exponent");
    }
    if (is_word(in_.peek())) return in_.expected("the end of a number");
    return json::accept(std::string_view(out_).substr(begin)) || in_.fail("a number too large for JSON");
  }

  // Appends digits, underscores between them left out, and tells how many there were. Zeros before others are left out
  // of a whole number.
  std::size_t digits(bool whole = true) {
    std::size_t count = 0;
    const std::size_t begin = out_.size();
    for (;; in_.skip(1)) {
      const char c = in_.peek();
      if (is_digit(c)) {
        if (whole && out_.size() == begin + 1 && out_[begin] == '0') out_.pop_back();
        out_ += c;
        ++count;
      } else if (c != '_' || count == 0 || in_.rest().size() < 2 || !is_digit(in_.rest()[1])) {
        return count;
      }
    }
  }

  bool based(unsigned base) {
    in_.skip(2);
    std::uint64_t value = 0;
    std::size_t count = 0;
    for (; is_word(in_.peek()); in_.skip(1)) {
      const char c = in_.peek();
      if (c == '_') continue;
      const unsigned digit =
          is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a' + 10);
      if (digit >= base || (value >> 60) != 0) return in_.expected("a number of 64 bits");
      value = value * base + digit;
      ++count;
    }
    if (count == 0) return in_.expected("digits");
    out_ += std::to_string(value);
    return true;
  }

  Reader& in_;
  Escapes escapes_;
  std::string& out_;
  bool comma_taken_ = false;  // by the last comma_or()
};

}  // namespace

bool Reader::take(char c) noexcept {
  if (at_end() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void Reader::skip_space() noexcept {
  while (!at_end() && (peek() == ' ' || (peek() >= '\t' && peek() <= '\r'))) ++at_;
}

bool Reader::fail(std::string_view problem) {
  if (problem_.empty()) problem_.append(problem).append(" at byte ").append(std::to_string(at_));
  return false;
}

bool Reader::expected(std::string_view what) {
  std::string problem = "expected ";
  return fail(problem.append(what));
}

bool read_value(Reader& reader, Escapes escapes, Place place, std::string& out) {
  return ValueReader(reader, escapes, out).value(0, place);
}

bool read_object(Reader& reader, Escapes escapes, std::string& out) {
  return ValueReader(reader, escapes, out).object(0);
}

}  // namespace lfm::chat
