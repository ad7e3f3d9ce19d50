// Code points, as Python's strings count them. A byte that isn't UTF-8 counts as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lfm::jinja {

std::size_t code_points(std::string_view text) noexcept;

// The byte at which the n-th code point begins; the end where there are fewer.
std::size_t offset_of(std::string_view text, std::size_t n) noexcept;

std::size_t length_at(std::string_view text, std::size_t at) noexcept;  // bytes of the code point there

bool is_space(char32_t c) noexcept;      // str.isspace()
bool is_printable(char32_t c) noexcept;  // what repr() writes as it is
char32_t to_lower(char32_t c) noexcept;  // Latin, Greek, Cyrillic, Armenian and full-width letters
char32_t to_upper(char32_t c) noexcept;  // likewise; ß stays
bool is_cased(char32_t c) noexcept;
void append_utf8(char32_t c, std::string& out);

// Where a text begins and ends without white space, or without the code points in `chars`.
std::size_t skip_left(std::string_view text, const std::string_view* chars) noexcept;
std::size_t skip_right(std::string_view text, const std::string_view* chars) noexcept;

}  // namespace lfm::jinja
