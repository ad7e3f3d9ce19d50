#include "chat/quotes.h"

#include "chat/name.h"

namespace lfm::chat {
namespace {

bool is_one_of(char c, std::string_view set) noexcept {
  return c != '\0' && set.find(c) != std::string_view::npos;
}

bool begins_value(char c) noexcept {
  return is_one_of(c, "'\"[{(-.0123456789");
}

// Behind a comma: another argument, or the end of the call.
Ending behind_comma(Reader in) {
  in.skip_space();
  if (in.peek() == ')' || in.looking_at("**")) return Ending::kEnd;
  if (begins_value(in.peek())) return Ending::kUnclear;  // an argument without a name?
  if (take_name(in, is_name_byte).empty()) return Ending::kInside;
  in.skip_space();
  return in.take('=') && in.peek() != '=' ? Ending::kEnd : Ending::kInside;
}

// Behind the parenthesis that would end the call: nothing, the end of the list, or another call.
bool ends_call(Reader in) {
  in.skip_space();
  if (in.at_end() || in.take(']')) return true;
  if (!in.take(',')) return false;
  in.skip_space();
  return in.peek() == '{' || in.peek() == ']' || (!take_name(in, is_function_byte).empty() && in.take('('));
}

// Behind the bracket that would close a list or an object.
bool ends_brackets(Reader in) {
  in.skip_space();
  return in.at_end() || is_one_of(in.peek(), ",)]}");
}

bool begins_element(Reader in, char close) {
  in.skip_space();
  if (begins_value(in.peek()) || in.peek() == close) return true;
  for (const std::string_view word : {"True", "False", "None", "true", "false", "null"}) {
    if (in.looking_at(word)) return true;
  }
  return false;
}

Ending ending_within(Reader in, char close) {
  if (in.take(',')) return begins_element(in, close) ? Ending::kEnd : Ending::kInside;
  return in.take(close) && ends_brackets(in) ? Ending::kEnd : Ending::kInside;
}

// Takes a bracket into account; false where it closes what isn't open.
bool count_bracket(char c, std::string& open) {
  if (is_one_of(c, "([{")) open += c == '(' ? ')' : c == '[' ? ']' : '}';
  if (!is_one_of(c, ")]}")) return true;
  if (open.empty() || open.back() != c) return false;
  open.pop_back();
  return true;
}

// The string that begins here; false where it doesn't end, or what follows can't.
bool skip_string(Reader& in) {
  const std::size_t quotes = in.looking_at("\"\"\"") || in.looking_at("'''") ? 3 : 1;
  const std::string_view end = in.rest().substr(0, quotes);
  in.skip(quotes);
  while (!in.at_end() && !in.looking_at(end)) in.skip(in.peek() == '\\' && in.rest().size() > 1 ? 2 : 1);
  if (in.at_end()) return false;
  in.skip(quotes);
  in.skip_space();
  return is_one_of(in.peek(), ",)]}:");
}

}  // namespace

Ending ending_of(Reader behind, Place place) {
  behind.skip_space();
  switch (place) {
    case Place::kArgument:
      if (behind.take(',')) return behind_comma(behind);
      return behind.take(')') && ends_call(behind) ? Ending::kEnd : Ending::kInside;
    case Place::kElement:
      return ending_within(behind, ']');
    case Place::kTuple:
      return ending_within(behind, ')');
    case Place::kKey:
      return behind.peek() == ':' ? Ending::kEnd : Ending::kInside;
    case Place::kMember:
      return ending_within(behind, '}');
  }
  return Ending::kUnclear;
}

bool Balance::add(char c) {
  if (c == '\'' && !escaped_) single_ = !single_;
  if (c == '"' && !escaped_) double_ = !double_;
  escaped_ = c == '\\' && !escaped_;
  return count_bracket(c, brackets_);
}

bool is_balanced(std::string_view text) {
  std::string open;
  for (const char c : text) {
    if (!count_bracket(c, open)) return false;
  }
  return open.empty();
}

bool is_plainly_bounded(std::string_view call) {
  std::string open;
  char before = '\0';  // the last byte that isn't white space
  for (Reader in(call); !in.at_end();) {
    const char c = in.peek();
    if (c == '\'' || c == '"') {
      const bool prefixed = is_one_of(static_cast<char>(before | 0x20), "rubf");
      if ((!prefixed && !is_one_of(before, "(,[{=:")) || !skip_string(in)) return false;
      before = c;
      continue;
    }
    in.skip(1);
    if (!count_bracket(c, open)) return false;
    if (is_one_of(c, ")]}") && open.empty()) return in.at_end();
    if (!is_one_of(c, " \t\n\v\f\r")) before = c;
  }
  return false;
}

}  // namespace lfm::chat
