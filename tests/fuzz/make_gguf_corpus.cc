// Writes the seeds of gguf_fuzz into a folder: make_gguf_corpus FOLDER
#include <cstdio>
#include <fstream>
#include <string>

#include "support/tiny_model.h"

namespace {

using lfm::format::TensorType;
using lfm::format::ValueType;
using lfm::test::GgufBuilder;
using lfm::test::TinyModel;

GgufBuilder every_value_type() {
  GgufBuilder file;
  for (std::uint32_t type = 0; type <= 12; ++type) {
    const auto value_type = static_cast<ValueType>(type);
    if (value_type == ValueType::kArray || value_type == ValueType::kString) continue;
    std::string value = lfm::test::bytes_of(std::uint64_t{1});
    const std::size_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    value.resize(widths[type]);
    file.set("n" + std::to_string(type), value_type, value);
    file.set("a" + std::to_string(type), ValueType::kArray, lfm::test::array_bytes(type, 2, value + value));
  }
  file.set_string("s", "text");
  file.set_strings("ss", {"a", "", "b"});
  return file;
}

GgufBuilder every_tensor_type() {
  GgufBuilder file;
  file.alignment = 8;
  file.set_u32("general.alignment", 8);
  for (std::uint32_t number = 0; number < 42; ++number) {
    const auto type = lfm::format::tensor_type(number);
    if (!type) continue;
    const std::uint64_t columns = lfm::format::block_columns(*type);
    file.tensors.push_back({"t", {columns}, number, std::string(lfm::format::block_bytes(*type), '\0')});
    file.tensors.back().name += std::to_string(number);
  }
  return file;
}

TinyModel smallest(bool moe) {
  TinyModel model;
  model.moe = moe;
  model.hidden = model.ffn_width = model.expert_width = 32;
  model.heads = 1;
  model.kv_heads = {0, 1};
  model.experts = model.experts_used = 1;
  model.vocab = 2;
  model.tokenizer = false;
  model.matrices = model.embedding = TensorType::kQ4_0;
  return model;
}

bool write(const std::string& path, const GgufBuilder& file) {
  return static_cast<bool>(std::ofstream(path, std::ios::binary) << file.build());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_gguf_corpus FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  GgufBuilder version2 = every_value_type();
  version2.version = 2;
  version2.add_tensor("tensor", {2, 2});
  const bool written = write(folder + "empty", GgufBuilder()) && write(folder + "values", every_value_type()) &&
                       write(folder + "tensors", every_tensor_type()) && write(folder + "version2", version2) &&
                       write(folder + "lfm2", smallest(false).builder()) &&
                       write(folder + "lfm2moe", smallest(true).builder());
  return written ? 0 : 1;
}
