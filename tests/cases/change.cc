#include "cases/change.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <map>
#include <stdexcept>

#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using format::TensorType;
using format::ValueType;
using Words = std::vector<std::string>;

[[noreturn]] void unknown(const std::string& what, std::string_view word) {
  throw std::invalid_argument("unknown " + what + " '" + std::string(word) + "'");
}

// What no table could hold, or what would end a word: \xNN, and `c*300` for a character many times.
std::string text_of(const std::string& word) {
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 3 < word.size() && word[i + 1] == 'x') {
      text += static_cast<char>(std::stoi(word.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else if (word[i] == '*' && !text.empty() && i + 1 < word.size()) {
      return std::string(static_cast<std::size_t>(number_of(std::string_view(word).substr(i + 1))), text.back());
    } else {
      text += word[i];
    }
  }
  return text == "\"\"" ? "" : text;
}

const std::map<std::string, ValueType>& value_types() {
  static const std::map<std::string, ValueType> types = {
      {"u8", ValueType::kUint8},    {"i8", ValueType::kInt8},    {"u16", ValueType::kUint16},
      {"i16", ValueType::kInt16},   {"u32", ValueType::kUint32}, {"i32", ValueType::kInt32},
      {"f32", ValueType::kFloat32}, {"bool", ValueType::kBool},  {"str", ValueType::kString},
      {"array", ValueType::kArray}, {"u64", ValueType::kUint64}, {"i64", ValueType::kInt64},
      {"f64", ValueType::kFloat64}};
  return types;
}

ValueType value_type(const std::string& word) {
  const auto at = value_types().find(word);
  if (at == value_types().end()) unknown("type", word);
  return at->second;
}

std::uint32_t tensor_type_of(const std::string& word) {
  for (std::uint32_t number = 0; number < 64; ++number) {
    const auto type = format::tensor_type(number);
    if (type && format::to_string(*type) == word) return number;
  }
  return static_cast<std::uint32_t>(number_of(word));
}

std::string value_bytes(ValueType type, const std::string& word) {
  switch (type) {
    case ValueType::kUint8:
    case ValueType::kInt8:
    case ValueType::kBool:
      return bytes_of(static_cast<std::uint8_t>(number_of(word)));
    case ValueType::kUint16:
    case ValueType::kInt16:
      return bytes_of(static_cast<std::uint16_t>(number_of(word)));
    case ValueType::kUint32:
    case ValueType::kInt32:
      return bytes_of(static_cast<std::uint32_t>(number_of(word)));
    case ValueType::kFloat32:
      return bytes_of(std::stof(word));
    case ValueType::kFloat64:
      return bytes_of(std::stod(word));
    case ValueType::kString:
      return string_bytes(text_of(word));
    default:
      return bytes_of(number_of(word));
  }
}

std::string nested_arrays(std::uint64_t depth) {
  std::string value = array_bytes(static_cast<std::uint32_t>(ValueType::kUint8), 1, "x");
  for (; depth > 0; --depth) value = array_bytes(static_cast<std::uint32_t>(ValueType::kArray), 1, value);
  return value;
}

// KEY = TYPE VALUE, KEY = TYPE[] VALUE VALUE*COUNT ..., KEY = array ELEMENT COUNT [BYTES]
void set_value(GgufBuilder& file, const Words& words) {
  const std::string& type = words.at(2);
  if (type == "nested") return file.set(words[0], ValueType::kArray, nested_arrays(number_of(words.at(3))));
  if (type == "longer") return file.set(words[0], ValueType::kString, bytes_of(number_of(words.at(3))));
  if (type == "array") {
    const auto element = value_types().contains(words.at(3)) ? static_cast<std::uint32_t>(value_type(words[3]))
                                                             : static_cast<std::uint32_t>(number_of(words[3]));
    const std::string rest = words.size() > 5 ? text_of(words[5]) : "";
    return file.set(words[0], ValueType::kArray, array_bytes(element, number_of(words.at(4)), rest));
  }
  if (!type.ends_with("[]")) return file.set(words[0], value_type(type), value_bytes(value_type(type), words.at(3)));
  const ValueType element = value_type(type.substr(0, type.size() - 2));
  std::string elements;
  std::uint64_t count = 0;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::size_t star = words[i].find('*');
    const std::uint64_t times = star == std::string::npos ? 1 : number_of(std::string_view(words[i]).substr(star + 1));
    const std::string value = value_bytes(element, words[i].substr(0, star));
    for (std::uint64_t n = 0; n < times; ++n) elements += value;
    count += times;
  }
  file.set(words[0], ValueType::kArray, array_bytes(static_cast<std::uint32_t>(element), count, elements));
}

GgufBuilder::Entry& entry(GgufBuilder& file, const std::string& key) {
  const auto at = std::find_if(file.entries.begin(), file.entries.end(), [&](const auto& e) { return e.key == key; });
  if (at == file.entries.end()) unknown("key", key);
  return *at;
}

// Replaces one string of an array.
void set_element(GgufBuilder& file, const std::string& key, std::uint64_t index, const std::string& text) {
  std::string& value = entry(file, key).value;
  std::size_t at = 12;
  const auto length_at = [&] {
    std::uint64_t length;
    std::memcpy(&length, value.data() + at, sizeof length);
    return static_cast<std::size_t>(length);
  };
  for (std::uint64_t i = 0; i < index; ++i) at += 8 + length_at();
  value.replace(at, 8 + length_at(), string_bytes(text));
}

std::vector<std::uint64_t> numbers(const Words& words, std::size_t from) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = from; i < words.size(); ++i) all.push_back(number_of(words[i]));
  return all;
}

// Zeros, as many as dimensions and type ask for.
void fill(GgufBuilder::Tensor& tensor) {
  std::uint64_t rows = 1;
  for (std::size_t i = 1; i < tensor.dims.size(); ++i) rows *= tensor.dims[i];
  tensor.data.assign(*format::row_bytes(*format::tensor_type(tensor.type), tensor.dims.at(0)) * rows, '\0');
}

// tensor NAME WORD ...
void change_tensor(GgufBuilder& file, const Words& words) {
  GgufBuilder::Tensor& tensor = file.tensor(words.at(1));
  const std::string& word = words.at(2);
  const auto argument = [&](std::size_t i) { return number_of(words.at(i)); };
  if (word == "gone") return file.erase_tensor(words[1]);
  if (word == "name") return void(tensor.name = text_of(words.at(3)));
  if (word == "namelength") return void(tensor.name_length = argument(3));
  if (word == "rank") return void(tensor.rank = static_cast<std::uint32_t>(argument(3)));
  if (word == "dims") return void(tensor.dims = numbers(words, 3));
  if (word == "type") return void(tensor.type = tensor_type_of(words.at(3)));
  if (word == "at") return void(tensor.offset = argument(3));
  if (word == "empty") return tensor.data.clear();
  if (word == "shape" || word == "typed") {
    word == "shape" ? void(tensor.dims = numbers(words, 3)) : void(tensor.type = tensor_type_of(words.at(3)));
    return fill(tensor);
  }
  const std::string value =
      word == "f32" ? bytes_of(std::stof(words.at(4))) : bytes_of(static_cast<std::uint16_t>(number_of(words.at(4))));
  if (word != "f32" && word != "u16") unknown("change of a tensor", word);
  if (words[3] == "all") {
    for (std::size_t at = 0; at < tensor.data.size(); at += value.size()) tensor.data.replace(at, value.size(), value);
  } else {
    const std::size_t at = words[3] == "last" ? tensor.data.size() - value.size() : argument(3);
    tensor.data.replace(at, value.size(), value);
  }
}

using Change = std::function<void(GgufBuilder&, const Words&)>;

const std::map<std::string, Change>& changes_by_name() {
  static const std::map<std::string, Change> changes = {
      {"magic", [](GgufBuilder& f, const Words& w) { f.magic = text_of(w.at(1)); }},
      {"version", [](GgufBuilder& f, const Words& w) { f.version = static_cast<std::uint32_t>(number_of(w.at(1))); }},
      {"keys", [](GgufBuilder& f, const Words& w) { f.entry_count = number_of(w.at(1)); }},
      {"tensors", [](GgufBuilder& f, const Words& w) { f.tensor_count = number_of(w.at(1)); }},
      {"nothing", [](GgufBuilder& f, const Words&) { f.entries.clear(), f.tensors.clear(); }},
      {"notensors", [](GgufBuilder& f, const Words&) { f.tensors.clear(); }},
      {"nodata",
       [](GgufBuilder& f, const Words&) {
         for (auto& tensor : f.tensors) tensor.data.clear();
       }},
      {"align", [](GgufBuilder& f, const Words& w) { f.alignment = number_of(w.at(1)); }},
      {"drop", [](GgufBuilder& f, const Words& w) { entry(f, w.at(1)), f.erase(w[1]); }},
      {"again", [](GgufBuilder& f, const Words& w) { f.entries.push_back(entry(f, w.at(1))); }},
      {"rename", [](GgufBuilder& f, const Words& w) { entry(f, w.at(1)).key = text_of(w.at(2)); }},
      {"keylength", [](GgufBuilder& f, const Words& w) { entry(f, w.at(1)).key_length = number_of(w.at(2)); }},
      {"valuetype",
       [](GgufBuilder& f, const Words& w) { entry(f, w.at(1)).type = static_cast<std::uint32_t>(number_of(w.at(2))); }},
      {"tensor", change_tensor},
      {"add",
       [](GgufBuilder& f, const Words& w) {
         const std::uint64_t count = w.at(1).ends_with("*") ? number_of(w.at(2)) : 1;
         for (std::uint64_t i = 0; i < count; ++i)
           f.add_tensor(count == 1 ? w[1] : w[1].substr(0, w[1].size() - 1) + std::to_string(i),
                        numbers(w, count == 1 ? 2 : 3));
       }},
      {"token", [](GgufBuilder& f,
                   const Words& w) { set_element(f, "tokenizer.ggml.tokens", number_of(w.at(1)), text_of(w.at(2))); }},
      {"kind",
       [](GgufBuilder& f, const Words& w) {
         entry(f, "tokenizer.ggml.token_type")
             .value.replace(12 + 4 * number_of(w.at(1)), 4, bytes_of(static_cast<std::int32_t>(number_of(w.at(2)))));
       }},
      {"merge", [](GgufBuilder& f,
                   const Words& w) { set_element(f, "tokenizer.ggml.merges", number_of(w.at(1)), text_of(w.at(2))); }},
  };
  return changes;
}

// Changes of the finished file: cut, append. False where the word is another.
bool change_bytes(std::string& bytes, const Words& words, std::size_t data) {
  if (words[0] == "append") return bytes.append(number_of(words.at(1)), 'x'), true;
  if (words[0] != "cut") return false;
  const std::string& where = words.at(1);
  const std::size_t size = where == "half"   ? data + (bytes.size() - data) / 2
                           : where == "data" ? data
                           : where == "-1"   ? bytes.size() - 1
                                             : number_of(where);
  bytes.resize(size);
  return true;
}

GgufBuilder base_file(const std::string& kind) {
  TinyModel tiny;
  if (kind == "dense") tiny.moe = false;
  if (kind == "q8_0") tiny.matrices = TensorType::kQ8_0;
  if (kind == "q4_0") tiny.matrices = TensorType::kQ4_0;
  if (kind == "f16") tiny.matrices = TensorType::kF16;
  if (kind == "bf16") tiny.matrices = TensorType::kBF16;
  if (kind == "wide" || kind == "q4_k" || kind == "q6_k") {
    tiny.hidden = tiny.ffn_width = tiny.expert_width = 256;
    tiny.heads = 8;
    tiny.matrices = kind == "wide" ? TensorType::kQ4_0 : kind == "q4_k" ? TensorType::kQ4_K : TensorType::kQ6_K;
  }
  GgufBuilder file = tiny.builder();
  if (kind != "large") return file;
  // The sizes of LFM2-8B-A1B, without a tensor.
  file.tensors.clear();
  file.erase("tokenizer.ggml.tokens");
  std::vector<std::int32_t> kv_heads(24, 0);
  for (const std::size_t layer : {2u, 6u, 10u, 14u, 18u, 21u}) kv_heads[layer] = 8;
  file.set_i32s("lfm2moe.attention.head_count_kv", kv_heads);
  const std::pair<const char*, std::uint32_t> sizes[] = {{"block_count", 24},
                                                         {"context_length", 128000},
                                                         {"embedding_length", 2048},
                                                         {"feed_forward_length", 7168},
                                                         {"vocab_size", 65536},
                                                         {"attention.head_count", 32},
                                                         {"expert_count", 32},
                                                         {"expert_used_count", 4},
                                                         {"expert_feed_forward_length", 1792},
                                                         {"leading_dense_block_count", 2}};
  for (const auto& [name, value] : sizes) file.set_u32("lfm2moe." + std::string(name), value);
  return file;
}

std::size_t end_of_list(const std::vector<Field>& fields) {
  return fields.back().offset + fields.back().width;
}

}  // namespace

std::uint64_t number_of(std::string_view text) {
  const std::size_t sign = text.find_last_of("+-");
  if (sign != std::string_view::npos && sign > 0) {
    const std::uint64_t left = number_of(text.substr(0, sign)), right = number_of(text.substr(sign + 1));
    return text[sign] == '+' ? left + right : left - right;
  }
  if (text.starts_with('-')) return 0 - number_of(text.substr(1));
  if (text.starts_with("2^")) {
    const std::uint64_t power = number_of(text.substr(2));
    return power == 64 ? 0 : std::uint64_t{1} << power;
  }
  const bool hex = text.starts_with("0x");
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + (hex ? 2 : 0), end, value, hex ? 16 : 10);
  if (parsed.ec != std::errc() || parsed.ptr != end) unknown("number", text);
  return value;
}

std::vector<std::string> parts_of(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    if (end == text.size()) return parts;
    text.remove_prefix(end + separator.size());
  }
}

CaseFile make_case_file(const std::string& kind, const std::string& changes) {
  GgufBuilder file = base_file(kind);
  std::vector<Words> later;
  for (const std::string& change : parts_of(changes, "; ")) {
    Words words = parts_of(change, " ");
    std::erase(words, "");
    if (words.empty()) continue;
    const auto named = changes_by_name().find(words[0]);
    if (words.size() > 3 && words[1] == "=") {
      set_value(file, words);
    } else if (named != changes_by_name().end()) {
      named->second(file, words);
    } else {
      later.push_back(words);
    }
  }
  CaseFile made;
  made.bytes = file.build(&made.fields);
  for (const Words& words : later) {
    if (!change_bytes(made.bytes, words, end_of_list(made.fields))) unknown("change", words[0]);
  }
  return made;
}

}  // namespace lfm::test
