#include "hub/name.h"

#include <algorithm>

namespace lfm::hub {
namespace {

constexpr std::size_t kMostPart = 255;
constexpr std::size_t kMostPath = 1024;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Takes what comes in front of the next `end`, and that.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

// What the address of a page about a repository goes on with: /resolve/REVISION/FILE, /blob/..., /tree/REVISION
std::optional<Name> parse_address(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  std::string repository(take_until(text, '/'));
  repository += "/" + std::string(take_until(text, '/'));
  if (!is_repository(repository)) return std::nullopt;
  Name name{.repository = std::move(repository)};
  if (text.empty()) return name;
  const std::string_view what = take_until(text, '/');
  if (what != "resolve" && what != "blob" && what != "raw" && what != "tree") return std::nullopt;
  name.revision = take_until(text, '/');
  if (what != "tree") name.file = text;
  const bool good = stays_inside(name.revision) && (text.empty() || (what != "tree" && stays_inside(text)));
  return good ? std::optional(std::move(name)) : std::nullopt;
}

}  // namespace

std::string Name::text() const {
  if (!file.empty()) return repository + " " + file;
  return quant.empty() ? repository : repository + ":" + quant;
}

std::optional<Name> parse_name(std::string_view text) {
  for (const std::string_view front : {"https://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/"}) {
    if (!text.starts_with(front)) continue;
    text.remove_prefix(front.size());
    if (std::count(text.begin(), text.end(), '/') > 1) return parse_address(text);
    break;
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  Name name{.repository = std::string(text.substr(0, colon))};
  if (!is_repository(name.repository)) return std::nullopt;
  if (colon == text.size()) return name;
  name.quant = text.substr(colon + 1);
  const bool good =
      !name.quant.empty() && name.quant.size() <= kMostPart &&
      std::all_of(name.quant.begin(), name.quant.end(), [](char c) { return is_word(c) || c == '-' || c == '.'; });
  return good ? std::optional(std::move(name)) : std::nullopt;
}

bool is_repository(std::string_view text) {
  if (text.size() > kMostPart - std::string_view("models----").size()) return false;
  bool after_word = false;
  for (const char c : text) {
    if (!is_word(c) && (!after_word || (c != '/' && c != '-' && c != '.'))) return false;
    after_word = is_word(c);
  }
  return after_word && std::count(text.begin(), text.end(), '/') == 1;
}

bool stays_inside(std::string_view path) {
  if (path.empty() || path.size() > kMostPath) return false;
  const bool odd = std::any_of(path.begin(), path.end(),
                               [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '\\'; });
  if (odd || path.ends_with('/')) return false;
  while (!path.empty()) {
    const std::string_view part = take_until(path, '/');
    if (part.empty() || part == "." || part == ".." || part.size() > kMostPart) return false;
  }
  return true;
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_commit(std::string_view text) {
  return is_hex(text, 40);
}

}  // namespace lfm::hub
