#include "tests/text/sample.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace lfm::text {
namespace {

std::ifstream open_or_die(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "can't read " << path << "\n";
    std::abort();
  }
  return file;
}

std::size_t read_count(std::istream& file, const std::string& name) {
  std::string word;
  std::size_t count = 0;
  file >> word >> count;
  file.get();
  if (word != name) {
    std::cerr << "expected '" << name << "', found '" << word << "'\n";
    std::abort();
  }
  return count;
}

OwnedTokenizerData read_vocabulary(const std::string& path) {
  OwnedTokenizerData data;
  std::ifstream file = open_or_die(path);
  std::string line;
  for (std::size_t left = read_count(file, "tokens"); left > 0; --left) {
    std::getline(file, line);
    const std::size_t space = line.find(' ');
    data.types.push_back(std::stoi(line.substr(0, space)));
    data.tokens.push_back(line.substr(space + 1));
  }
  for (std::size_t left = read_count(file, "merges"); left > 0; --left) {
    std::getline(file, line);
    data.merges.push_back(line);
  }
  data.rest.model = "gpt2";
  data.rest.pre = "lfm2";
  data.rest.bos_id = 1;
  data.rest.eos_id = 7;
  data.rest.pad_id = 0;
  data.rest.add_bos = true;
  return data;
}

std::string unescape(std::string_view escaped) {
  std::string text;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    char c = escaped[i];
    if (c == '\\') {
      c = escaped[++i];
      if (c == 'n') c = '\n';
      if (c == 'r') c = '\r';
      if (c == 't') c = '\t';
    }
    text += c;
  }
  return text;
}

}  // namespace

TokenizerData OwnedTokenizerData::view() const {
  TokenizerData data = rest;
  data.tokens.assign(tokens.begin(), tokens.end());
  data.types = types;
  data.merges.assign(merges.begin(), merges.end());
  return data;
}

const OwnedTokenizerData& sample_data() {
  static const OwnedTokenizerData data = read_vocabulary(LFM_TEXT_DATA "/vocabulary.txt");
  return data;
}

const Tokenizer& sample_tokenizer() {
  static const Tokenizer tokenizer = [] {
    auto created = Tokenizer::create(sample_data().view());
    if (!created.ok()) {
      std::cerr << created.error().describe() << "\n";
      std::abort();
    }
    return *std::move(created);
  }();
  return tokenizer;
}

std::vector<TokenizerCase> read_cases(const std::string& path) {
  std::vector<TokenizerCase> cases;
  std::ifstream file = open_or_die(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    TokenizerCase& added = cases.emplace_back();
    std::istringstream ids(line.substr(0, tab));
    for (TokenId id = 0; ids >> id;) added.ids.push_back(id);
    added.text = unescape(std::string_view(line).substr(tab + 1));
  }
  return cases;
}

}  // namespace lfm::text
