// Values as a model writes them into its calls: Python's literals and JSON's, to JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/json.h"

namespace lfm::chat {

// A place in a text that is being read, and what is wrong there.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  bool at_end() const noexcept { return at_ == text_.size(); }
  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool looking_at(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }
  void skip(std::size_t bytes) noexcept { at_ += bytes; }
  bool take(char c) noexcept;
  void skip_space() noexcept;
  std::string_view rest() const noexcept { return text_.substr(at_); }

  // All false, so that a function may return it; the first problem stays.
  bool fail(std::string_view problem);
  bool expected(std::string_view what);  // "expected ')' at byte 7"

  const std::string& problem() const noexcept { return problem_; }

  // What was taken as meant though it isn't written so; the first one stays.
  void mended(std::string_view repair) noexcept {
    if (repair_.empty()) repair_ = repair;
  }
  std::string_view repair() const noexcept { return repair_; }
  void forget_repair() noexcept { repair_ = {}; }

  // Has quotes within strings of the same quote read as such, where what follows shows that they don't end them.
  void allow_quotes() noexcept { quotes_ = true; }
  bool quotes_allowed() const noexcept { return quotes_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::string problem_;
  std::string_view repair_;
  bool quotes_ = false;
};

enum class Escapes : bool { kPython, kJson };  // they differ in "\/" alone, which Python leaves as it is

// What stands around a value.
enum class Place { kArgument, kElement, kTuple, kKey, kMember };

// Reads a string and appends what it means: '…', "…", three quotes at each end (but where quotes are allowed in
// strings: three may be an empty string and a quote), prefixes r and u, f where nothing is filled in, several strings
// one after the other, and all escapes of both languages but \N{...}. Half a surrogate pair is an error.
bool read_string(Reader& reader, Escapes escapes, Place place, std::string& out);

// Reads one value and appends it as JSON:
//   strings                 as above
//   True true, None null    and their like
//   numbers                 as they are spelt, but as JSON has it: 007 is 7, 1_000 1000, .5 0.5, 0x1F 31; any size
//   [1, 2], (1, 2)          lists; (1) is 1
//   {'a': 1}                objects; keys that are no strings become such: {1: 2} is {"1": 2}; none may be there twice
//   {1, 2}                  sets, which become lists
// A comma may follow the last element. Time and memory are linear in the text; kMaxDepth deep at most.
bool read_value(Reader& reader, Escapes escapes, Place place, std::string& out);

// Reads an object as above.
bool read_object(Reader& reader, Escapes escapes, std::string& out);

}  // namespace lfm::chat
