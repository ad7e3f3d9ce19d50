// Reading of patterns.
#include <algorithm>
#include <array>

#include "constrain/regex/pattern.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lfm::constrain {
namespace {

using NodePtr = std::unique_ptr<PatternNode>;
using Kind = PatternNode::Kind;

constexpr std::size_t kMaxDepth = 64;

const CodeSet kDigits = {{'0', '9'}};
const CodeSet kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CodeSet kSpaces = {{0x9, 0xd},       {0x20, 0x20},     {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
                         {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
const CodeSet kLineEnds = {{0xa, 0xa}, {0xd, 0xd}, {0x2028, 0x2029}};

// All of a general category, looked up once.
CodeSet of_class(text::CharClass wanted) {
  CodeSet set;
  for (std::uint32_t c = 0; c <= kLastCode; ++c) {
    if (text::char_class(c) != wanted) continue;
    if (!set.empty() && set.back().last + 1 == c) {
      set.back().last = c;
    } else {
      set.push_back({c, c});
    }
  }
  return set;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NodePtr parse() {
    NodePtr root = choice(0);
    if (root && at_ < text_.size()) return fail("a ')' without a '('");
    return root;
  }

  Error error() const { return {code_, problem_, {}, Error::kNone, offset_}; }

 private:
  NodePtr fail(const char* problem, ErrorCode code = ErrorCode::kArgument) {
    if (problem_.empty()) {
      problem_ = problem;
      code_ = code;
      offset_ = at_;
    }
    return nullptr;
  }
  bool refuse(const char* problem, ErrorCode code = ErrorCode::kArgument) {
    fail(problem, code);
    return false;
  }

  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ == text_.size(); }

  std::uint32_t code_point() {
    const auto decoded = text::decode_utf8(text_, at_);
    at_ += decoded.length;
    return static_cast<std::uint32_t>(decoded.value);
  }

  static NodePtr make(Kind kind) { return std::make_unique<PatternNode>(PatternNode{.kind = kind}); }
  static NodePtr chars(CodeSet set) {
    NodePtr node = make(Kind::kChars);
    node->chars = std::move(set);
    return node;
  }

  NodePtr choice(std::size_t depth) {
    if (depth > kMaxDepth) return fail("groups within each other too deeply", ErrorCode::kLimit);
    NodePtr all = make(Kind::kChoice);
    do {
      NodePtr one = sequence(depth);
      if (!one) return nullptr;
      all->parts.push_back(std::move(one));
    } while (take("|"));
    return all->parts.size() == 1 ? std::move(all->parts[0]) : std::move(all);
  }

  NodePtr sequence(std::size_t depth) {
    NodePtr all = make(Kind::kSequence);
    while (!at_end() && peek() != '|' && peek() != ')') {
      NodePtr atom = term(depth);
      if (!atom) return nullptr;
      atom = quantified(std::move(atom));
      if (!atom) return nullptr;
      all->parts.push_back(std::move(atom));
    }
    return all;
  }

  NodePtr term(std::size_t depth) {
    if (take("^")) return make(Kind::kBegin);
    if (take("$")) return make(Kind::kEnd);
    if (take(".")) return chars(complement(kLineEnds));
    if (take("(")) return group(depth);
    if (take("[")) return brackets();
    if (take("\\")) return escape();
    const char c = peek();
    if (c == '*' || c == '+' || c == '?') return fail("nothing to repeat");
    const std::uint32_t code = code_point();
    return chars({{code, code}});
  }

  NodePtr group(std::size_t depth) {
    Kind kind = Kind::kSequence;
    if (take("?=")) {
      kind = Kind::kAhead;
    } else if (take("?!")) {
      kind = Kind::kNotAhead;
    } else if (take("?<=") || take("?<!")) {
      return fail("look-behind isn't supported", ErrorCode::kUnsupported);
    } else if (take("?<")) {
      at_ = std::min(text_.find('>', at_), text_.size());
      if (!take(">")) return fail("a group's name without an end");
    } else if (!take("?:") && peek() == '?') {
      return fail("this kind of group isn't supported", ErrorCode::kUnsupported);
    }
    NodePtr inner = choice(depth + 1);
    if (!inner) return nullptr;
    if (!take(")")) return fail("a '(' without a ')'");
    if (kind == Kind::kSequence) return inner;
    NodePtr node = make(kind);
    node->parts.push_back(std::move(inner));
    return node;
  }

  bool number(std::uint32_t& value) {
    const std::size_t begin = at_;
    std::uint64_t sum = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      sum = std::min<std::uint64_t>(sum * 10 + static_cast<std::uint64_t>(peek() - '0'), 1u << 30);
    }
    value = static_cast<std::uint32_t>(sum);
    return at_ > begin;
  }

  NodePtr quantified(NodePtr atom) {
    std::uint32_t min = 0, max = RegexPool::kNoMax;
    if (take("*")) {
    } else if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (peek() == '{') {
      const std::size_t before = at_++;
      const bool counted = number(min);
      max = min;
      if (counted && take(",")) {
        if (!number(max)) max = RegexPool::kNoMax;
      }
      if (!counted || !take("}")) {  // a brace like any character
        at_ = before;
        return atom;
      }
      if (max < min) return fail("a repeat with more at least than at most");
      if (min > Pattern::kMaxRepeat || (max != RegexPool::kNoMax && max > Pattern::kMaxRepeat)) {
        return fail("more than 1000000 repeats", ErrorCode::kLimit);
      }
    } else {
      return atom;
    }
    take("?");  // a lazy one finds the same texts
    if (atom->kind != Kind::kChars && atom->kind != Kind::kSequence && atom->kind != Kind::kChoice &&
        atom->kind != Kind::kRepeat) {
      return fail("an assertion is repeated", ErrorCode::kUnsupported);
    }
    NodePtr node = make(Kind::kRepeat);
    node->min = min;
    node->max = max;
    node->parts.push_back(std::move(atom));
    if (peek() == '*' || peek() == '+' || peek() == '?') return fail("nothing to repeat");
    return node;
  }

  NodePtr escape() {
    if (peek() == 'b' || peek() == 'B') return fail("word boundaries aren't supported", ErrorCode::kUnsupported);
    if ((peek() >= '1' && peek() <= '9') || peek() == 'k') {
      return fail("back references aren't supported", ErrorCode::kUnsupported);
    }
    CodeSet set;
    if (!escaped_set(set)) return nullptr;
    return chars(std::move(set));
  }

  bool hex(int digits, std::uint32_t& value) {
    value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      static constexpr std::string_view kDigitsOfHex = "0123456789abcdef";
      const auto digit = kDigitsOfHex.find(static_cast<char>(peek() | (peek() >= 'A' ? 0x20 : 0)));
      if (at_end() || digit == std::string_view::npos) return refuse("expected hexadecimal digits");
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  // After a backslash: a class or one character.
  bool escaped_set(CodeSet& set) {
    if (at_end()) return refuse("a backslash at the end");
    const char c = peek();
    if (static_cast<unsigned char>(c) >= 0x80) {
      const std::uint32_t code = code_point();
      set = {{code, code}};
      return true;
    }
    ++at_;
    std::uint32_t code = static_cast<unsigned char>(c);
    switch (c) {
      case 'd':
        set = kDigits;
        return true;
      case 'D':
        set = complement(kDigits);
        return true;
      case 'w':
        set = kWord;
        return true;
      case 'W':
        set = complement(kWord);
        return true;
      case 's':
        set = kSpaces;
        return true;
      case 'S':
        set = complement(kSpaces);
        return true;
      case 'p':
      case 'P':
        return property(c == 'P', set);
      case 'n':
        code = '\n';
        break;
      case 'r':
        code = '\r';
        break;
      case 't':
        code = '\t';
        break;
      case 'f':
        code = '\f';
        break;
      case 'v':
        code = '\v';
        break;
      case '0':
        code = 0;
        break;
      case 'c':
        if (!((peek() | 0x20) >= 'a' && (peek() | 0x20) <= 'z')) return refuse("expected a letter after \\c");
        code = static_cast<std::uint32_t>(text_[at_++]) % 32;
        break;
      case 'x':
        if (!hex(2, code)) return false;
        break;
      case 'u':
        if (!unicode(code)) return false;
        break;
      default:
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
          --at_;
          return refuse("an unknown escape", ErrorCode::kUnsupported);
        }
    }
    set = {{code, code}};
    return true;
  }

  bool unicode(std::uint32_t& code) {
    if (take("{")) {
      code = 0;
      for (int digits = 0; !take("}"); ++digits) {
        std::uint32_t digit = 0;
        if (digits == 6) return refuse("no character of Unicode");
        if (!hex(1, digit)) return false;
        code = code * 16 + digit;
      }
      return code <= kLastCode || refuse("no character of Unicode");
    }
    if (!hex(4, code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      const std::size_t before = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (hex(4, low) && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      } else {
        at_ = before;
      }
    }
    return true;
  }

  bool property(bool negated, CodeSet& set) {
    static const CodeSet kLetters = of_class(text::CharClass::kLetter);
    static const CodeSet kNumbers = of_class(text::CharClass::kNumber);
    if (take("{L}") || take("{Letter}")) {
      set = kLetters;
    } else if (take("{N}") || take("{Number}")) {
      set = kNumbers;
    } else {
      return refuse("of \\p only L and N are supported", ErrorCode::kUnsupported);
    }
    if (negated) set = complement(set);
    return true;
  }

  // One character or class within brackets.
  bool bracket_atom(CodeSet& set) {
    if (take("\\")) {
      if (take("b")) {
        set = {{8, 8}};
        return true;
      }
      if (take("-")) {
        set = {{'-', '-'}};
        return true;
      }
      return escaped_set(set);
    }
    const std::uint32_t code = code_point();
    set = {{code, code}};
    return true;
  }

  NodePtr brackets() {
    const bool negated = take("^");
    CodeSet all;
    while (!take("]")) {
      if (at_end()) return fail("a '[' without a ']'");
      CodeSet first;
      if (!bracket_atom(first)) return nullptr;
      const bool one = first.size() == 1 && first[0].first == first[0].last;
      if (one && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        CodeSet last;
        if (!bracket_atom(last)) return nullptr;
        if (last.size() == 1 && last[0].first == last[0].last) {
          if (last[0].first < first[0].first) return fail("a range whose end is before its beginning");
          first[0].last = last[0].first;
        } else {
          first.push_back({'-', '-'});
          first.insert(first.end(), last.begin(), last.end());
        }
      }
      all.insert(all.end(), first.begin(), first.end());
    }
    all = normalized(std::move(all));
    return chars(negated ? complement(all) : std::move(all));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string problem_;
  ErrorCode code_ = ErrorCode::kArgument;
  std::uint64_t offset_ = 0;
};

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return Error{ErrorCode::kLimit, "a pattern of more than 16384 bytes"};
  if (!text::is_utf8(text)) return Error{ErrorCode::kArgument, "a pattern that isn't UTF-8"};
  Parser parser(text);
  NodePtr root = parser.parse();
  if (!root) return parser.error();
  return Pattern(std::move(root));
}

}  // namespace lfm::constrain
