#include "json/write.h"

namespace lfm::json {
namespace {

constexpr char kHex[] = "0123456789abcdef";

}  // namespace

bool escape_shared(char32_t c, std::string& out) {
  switch (c) {
    case '\n':
      out += "\\n";
      return true;
    case '\r':
      out += "\\r";
      return true;
    case '\t':
      out += "\\t";
      return true;
    case '\\':
      out += "\\\\";
      return true;
    default:
      return false;
  }
}

void append_text(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (escape_shared(byte, out)) continue;
    if (c == '"') {
      out += "\\\"";
    } else if (c == '\b' || c == '\f') {
      out += c == '\b' ? "\\b" : "\\f";
    } else if (byte < 0x20) {
      ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_value(const Value& value, std::string& out) {
  switch (value.type) {
    case Value::Type::kNull:
      out += "null";
      break;
    case Value::Type::kBoolean:
      out += value.boolean ? "true" : "false";
      break;
    case Value::Type::kNumber:
      out += value.text;
      break;
    case Value::Type::kString:
      append_text(value.text, out);
      break;
    case Value::Type::kArray:
      out += '[';
      for (const Value& item : value.items) {
        if (&item != &value.items.front()) out += ',';
        append_value(item, out);
      }
      out += ']';
      break;
    case Value::Type::kObject:
      out += '{';
      for (const Value::Member& member : value.members) {
        if (&member != &value.members.front()) out += ',';
        append_text(member.first, out);
        out += ':';
        append_value(member.second, out);
      }
      out += '}';
      break;
  }
}

}  // namespace lfm::json
