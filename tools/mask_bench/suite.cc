#include "suite.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lfm::mask_bench {
namespace {

using Json = nlohmann::ordered_json;

// As Python writes it: a space behind commas and colons.
void write(const Json& value, std::string& out) {
  if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : value.items()) {
      if (!first) out += ", ";
      first = false;
      out += Json(key).dump() + ": ";
      write(member, out);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ", ";
      write(value[i], out);
    }
    out += ']';
  } else {
    out += value.dump();
  }
}

Case read_case(const std::string& name, const Json& from) {
  Case one{.name = name, .schema = from.at("schema").dump(), .texts = {}};
  if (!from.contains("tests")) return one;
  for (const Json& test : from.at("tests")) {
    Text& text = one.texts.emplace_back();
    write(test.at("data"), text.json);
    text.valid = test.at("valid").get<bool>();
  }
  return one;
}

}  // namespace

std::vector<Case> read_folder(const std::string& path, std::size_t limit) {
  std::vector<std::string> files;
  if (std::filesystem::is_regular_file(path)) files.push_back(path);
  else
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    }
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const std::string& file : files) {
    if (cases.size() >= limit) break;
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    const Json json = Json::parse(text.str(), nullptr, false);
    const std::string name = std::filesystem::path(file).stem().string();
    if (json.is_array()) {
      for (const Json& group : json) cases.push_back(read_case(name + ": " + group.value("description", ""), group));
    } else if (json.is_object()) {
      cases.push_back(read_case(name, json));
    }
  }
  return cases;
}

}  // namespace lfm::mask_bench
