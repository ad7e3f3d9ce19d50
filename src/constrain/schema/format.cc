#include "constrain/schema/format.h"

#include <array>
#include <string>
#include <utility>

namespace lfm::constrain {
namespace {

std::string joined(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

// Days that exist, 29 February in leap years alone.
std::string date() {
  const std::string leap = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
  return joined({"(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|",
                 "02-(?:0[1-9]|1\\d|2[0-8]))|", leap, "-02-29)"});
}

// Without leap seconds, which exist at few times only. Lower case "t" and "z" are left out.
std::string time() {
  return "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
}

// ISO 8601 as RFC 3339 has it in appendix A.
std::string duration() {
  const std::string clock = "T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S)";
  const std::string days = "(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)";
  return joined({"P(?:", days, "(?:", clock, ")?|", clock, "|\\d{1,9}W)"});
}

std::string hostname() {
  const std::string label = "(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  return "(?=.{1,253}$)" + joined({label, "(?:\\.", "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", ")*"});
}

std::string ipv4() {
  const std::string byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d|\\d)";
  return joined({"(?:", byte, "\\.){3}", byte});
}

std::string ipv6() {
  const std::string group = "[0-9A-Fa-f]{1,4}";
  const std::string tail = joined({"(?:", group, ":", group, "|", ipv4(), ")"});
  std::string all = joined({"(?:(?:", group, ":){6}", tail, "|::(?:", group, ":){5}", tail});
  for (int before = 1; before <= 5; ++before) {  // groups in front of "::", at most
    const std::string front = joined({"(?:(?:", group, ":){0,", std::to_string(before - 1), "}", group, ")?::"});
    const int behind = 5 - before;
    all += joined({"|", front, "(?:", group, ":){", std::to_string(behind), "}", tail});
  }
  all += joined({"|(?:(?:", group, ":){0,5}", group, ")?::", group});
  all += joined({"|(?:(?:", group, ":){0,6}", group, ")?::)"});
  return all;
}

std::string email() {
  const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  const std::string label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  return joined({"(?=[^@]{1,64}@)", atom, "(?:\\.", atom, ")*@", label, "(?:\\.", label, ")*"});
}

std::string uuid() {
  return "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";
}

// OpenAPI's name for RFC 4648, bits that don't count being 0.
std::string base64() {
  return "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?";
}

// Parts of RFC 3986.
const char* const kPathChar = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const char* const kQuery = "(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?";
const char* const kFragment = "(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?";

std::string authority() {
  return joined({"(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?", "(?:\\[", ipv6(),
                 "\\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\\d*)?"});
}

std::string uri() {
  const std::string segments = joined({"(?:/", kPathChar, "*)*"});
  const std::string rootless = joined({kPathChar, "+", segments});
  return joined({"[A-Za-z][A-Za-z0-9+.-]*:(?://", authority(), segments, "|/(?:", rootless, ")?|(?:", rootless, ")?)",
                 kQuery, kFragment});
}

std::string uri_reference() {
  const std::string segments = joined({"(?:/", kPathChar, "*)*"});
  const std::string no_colon = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+";
  const std::string relative = joined({"(?://", authority(), segments, "|/(?:", kPathChar, "+", segments,
                                       ")?|(?:", no_colon, segments, ")?)", kQuery, kFragment});
  return joined({"(?:", uri(), "|", relative, ")"});
}

std::string json_pointer() {
  return "(?:/(?:[^/~]|~[01])*)*";
}

}  // namespace

std::string_view format_pattern(std::string_view name) {
  static const std::array<std::pair<std::string_view, std::string>, 15> kPatterns = {{
      {"date-time", date() + "T" + time()},
      {"date", date()},
      {"time", time()},
      {"duration", duration()},
      {"email", email()},
      {"hostname", hostname()},
      {"ipv4", ipv4()},
      {"ipv6", ipv6()},
      {"uri", uri()},
      {"uri-reference", uri_reference()},
      {"uuid", uuid()},
      {"json-pointer", json_pointer()},
      {"byte", base64()},
      {"password", "[\\s\\S]*"},  // a remark to those who show it
      {"relative-json-pointer", "(?:0|[1-9]\\d{0,15})(?:#|" + json_pointer() + ")"},
  }};
  for (const auto& [known, pattern] : kPatterns)
    if (known == name) return pattern;
  return {};
}

}  // namespace lfm::constrain
