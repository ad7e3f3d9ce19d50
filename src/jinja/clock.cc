#include "jinja/clock.h"

#include "jinja/compare.h"

namespace lfm::jinja {
namespace {

constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};
constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

std::string digits(int value, std::size_t width, char pad) {
  std::string out = std::to_string(value);
  if (pad != '-' && out.size() < width) out.insert(0, width - out.size(), pad);
  return out;
}

// Appends one directive's text; `pad` is what fills numbers up, '-' nothing.
bool append_directive(const std::tm& t, char directive, char pad, std::string& out) {
  const std::string month = kMonths[(t.tm_mon % 12 + 12) % 12], day = kDays[(t.tm_wday % 7 + 7) % 7];
  const int hour = t.tm_hour % 12 == 0 ? 12 : t.tm_hour % 12;
  const char zeros = pad == '\0' ? '0' : pad, blanks = pad == '\0' ? ' ' : pad;
  switch (directive) {
    case 'Y':
      out += digits(t.tm_year + 1900, 1, zeros);
      return true;
    case 'y':
      out += digits(t.tm_year % 100, 2, zeros);
      return true;
    case 'm':
      out += digits(t.tm_mon + 1, 2, zeros);
      return true;
    case 'd':
      out += digits(t.tm_mday, 2, zeros);
      return true;
    case 'e':
      out += digits(t.tm_mday, 2, blanks);
      return true;
    case 'j':
      out += digits(t.tm_yday + 1, 3, zeros);
      return true;
    case 'H':
      out += digits(t.tm_hour, 2, zeros);
      return true;
    case 'I':
      out += digits(hour, 2, zeros);
      return true;
    case 'M':
      out += digits(t.tm_min, 2, zeros);
      return true;
    case 'S':
      out += digits(t.tm_sec, 2, zeros);
      return true;
    case 'B':
      out += month;
      return true;
    case 'b':
    case 'h':
      out += month.substr(0, 3);
      return true;
    case 'A':
      out += day;
      return true;
    case 'a':
      out += day.substr(0, 3);
      return true;
    case 'p':
      out += t.tm_hour < 12 ? "AM" : "PM";
      return true;
    case 'w':
      out += std::to_string(t.tm_wday);
      return true;
    case 'u':
      out += std::to_string(t.tm_wday == 0 ? 7 : t.tm_wday);
      return true;
    case 'n':
      out += '\n';
      return true;
    case 't':
      out += '\t';
      return true;
    case '%':
      out += '%';
      return true;
    case 'Z':
    case 'z':
      return true;  // times without a zone, as Python's are
    default:
      return false;
  }
}

// What stands for several.
std::string_view several(char directive) noexcept {
  switch (directive) {
    case 'F':
      return "%Y-%m-%d";
    case 'T':
    case 'X':
      return "%H:%M:%S";
    case 'R':
      return "%H:%M";
    case 'D':
    case 'x':
      return "%m/%d/%y";
    case 'c':
      return "%a %b %e %H:%M:%S %Y";
    case 'r':
      return "%I:%M:%S %p";
    default:
      return {};
  }
}

}  // namespace

Result<std::string> format_time(const Clock& clock, std::string_view format) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    char pad = '\0';
    ++i;
    if ((format[i] == '-' || format[i] == '_' || format[i] == '0') && i + 1 < format.size()) {
      pad = format[i] == '_' ? ' ' : format[i];
      ++i;
    }
    if (const std::string_view more = several(format[i]); !more.empty()) {
      auto parts = format_time(clock, more);
      if (!parts.ok()) return parts;
      out += *parts;
    } else if (!append_directive(clock.time, format[i], pad, out)) {
      return failure(std::string("a date has no '%") + format[i] + "'");
    }
  }
  return out;
}

}  // namespace lfm::jinja
