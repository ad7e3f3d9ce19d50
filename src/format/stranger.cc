#include "format/stranger.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/try.h"

namespace lfm::format {
namespace {

struct Known {
  std::string_view begins;
  const char* what;
};

constexpr const char* kCompressed = "a compressed file: unpack it first";
constexpr const char* kBeforeGguf = "a model in a format from before GGUF: download it as GGUF";

constexpr Known kBinaries[] = {
    {"PK\x03\x04", "a zip archive, which is how PyTorch keeps weights: download the model as GGUF, or unpack it"},
    {"\x80\x02", "what PyTorch pickled: download the model as GGUF"},
    {"\x1f\x8b", kCompressed},
    {"BZh", kCompressed},
    {"\xfd"
     "7zXZ",
     kCompressed},
    {"7z\xbc\xaf", kCompressed},
    {"\x28\xb5\x2f\xfd", kCompressed},
    {"lmgg", kBeforeGguf},  // "ggml" and its kin as little-endian numbers
    {"fmgg", kBeforeGguf},
    {"tjgg", kBeforeGguf},
    {"algg", kBeforeGguf},
};

constexpr const char* kHtmlPage =
    "a page of HTML, which web sites send in place of a file that they don't give: download the file itself (at "
    "Hugging "
    "Face its address has /resolve/ in it, and not /blob/)";
constexpr const char* kXml = "XML, in which servers say why they don't give a file: download the file itself";
constexpr const char* kLfs = "a Git LFS pointer, which stands for the file: 'git lfs pull' fetches it";
constexpr const char* kAnnex = "a git-annex pointer, which stands for the file: 'git annex get' fetches it";
constexpr const char* kManifest = "a manifest of Ollama: the model is the largest of the blobs that it names";
constexpr const char* kSafetensors =
    "a safetensors file: name the folder that it is in, with its config.json and tokenizer.json";
constexpr const char* kZeros = "zeros, as in a download that was given room and broke off: download it again";

constexpr std::size_t kBeginning = 512;  // bytes that tell them apart

bool begins(std::string_view text, std::string_view with) {
  const auto equal = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  return text.size() >= with.size() && std::equal(with.begin(), with.end(), text.begin(),
                                                  [&](char wanted, char found) { return equal(found, wanted); });
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && std::strchr("\t\n\f\r", c) == nullptr) || c == '\0';
  });
}

bool is_safetensors(std::string_view bytes) {
  constexpr std::uint64_t kMostHeader = std::uint64_t{1} << 32;
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length + 2) return false;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length < kMostHeader && bytes[sizeof length] == '{' && (bytes[9] == '"' || bytes[9] == '}' || bytes[9] == ' ');
}

std::string what_text_it_is(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  constexpr std::array kHtml = {"<!doctype html", "<html", "<head", "<body", "<!--"};
  if (std::any_of(kHtml.begin(), kHtml.end(), [&](const char* tag) { return begins(text, tag); })) return kHtmlPage;
  if (begins(text, "<?xml"))
    return begins(text.substr(std::min(text.find('>'), text.size())), ">\n<!doctype html") ? kHtmlPage : kXml;
  if (text.starts_with("version https://git-lfs") || text.starts_with("version https://hawser")) return kLfs;
  if (text.find("/annex/objects/") != std::string_view::npos && text[0] != '{') return kAnnex;
  if (text[0] == '{' && text.find("docker.distribution.manifest") != std::string_view::npos) return kManifest;
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return "text that begins with '" + base::printable(line, 60) + "': download the file itself";
}

}  // namespace

std::string what_it_is(std::string_view beginning) {
  for (const Known& known : kBinaries) {
    if (beginning.starts_with(known.begins)) return known.what;
  }
  if (is_safetensors(beginning)) return kSafetensors;
  if (beginning.size() > 262 && beginning.substr(257).starts_with("ustar")) return kCompressed;
  if (!beginning.empty() && beginning.find_first_not_of('\0') == std::string_view::npos) return kZeros;
  if (beginning.find_first_not_of(" \t\r\n") != std::string_view::npos && is_text(beginning))
    return what_text_it_is(beginning);
  return {};
}

Status refuse_strangers(const base::File& file) {
  std::array<char, kBeginning> bytes;
  const std::string_view beginning(bytes.data(), std::min<std::uint64_t>(file.size(), bytes.size()));
  LFM_TRY(file.read_at(0, std::as_writable_bytes(std::span(bytes).first(beginning.size()))));
  constexpr std::string_view kMagic = "GGUF";
  if (beginning.starts_with(kMagic) || kMagic.starts_with(beginning)) return {};
  const std::string what = what_it_is(beginning);
  if (what.empty()) return {};
  return Error{ErrorCode::kFormat, "not a GGUF file, but " + what, base::printable(file.path())};
}

}  // namespace lfm::format
