// What the sub-commands share: saying what there is to say, on standard output and on standard error.
#pragma once

#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::cli {

// Prints "lfm: sentence" on standard error and returns kFailure.
int fail(const Error& error);
int fail(std::string_view sentence);
int fail_to_write();  // standard output

// Prints "lfm: note: sentence" on standard error.
void print_note(std::string_view note);

// Standard output, kept until flush_out(); false once a write failed (a closed pipe, a full disk). Where it is a pipe
// that doesn't block, it is waited for.
bool write_out(std::string_view bytes);
[[gnu::format(printf, 1, 2)]] bool print_out(const char* format, ...);
bool flush_out();

// Standard error, at once.
void write_err(std::string_view bytes);
[[gnu::format(printf, 1, 2)]] void print_err(const char* format, ...);

// Whether both go to the same place, so that a line begun on the one goes on with the other.
bool out_is_err();

// "4.41 GiB"
std::string bytes_text(double bytes);

}  // namespace lfm::cli
