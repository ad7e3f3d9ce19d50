// Writes the seeds of the fuzzers for files: make_corpus FOLDER, which has a folder for each of them.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fuzz/small_model.h"
#include "lfm/lfm.h"

namespace {

using lfm::format::TensorType;
using lfm::format::ValueType;
using lfm::test::GgufBuilder;
using lfm::test::smallest;
using lfm::test::smallest_whole;

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

bool write(const std::string& path, const GgufBuilder& file) {
  return static_cast<bool>(std::ofstream(path, std::ios::binary) << file.build());
}

bool write_gguf(const std::string& folder) {
  GgufBuilder version2 = every_value_type();
  version2.version = 2;
  version2.add_tensor("tensor", {2, 2});
  return write(folder + "empty", GgufBuilder()) && write(folder + "values", every_value_type()) &&
         write(folder + "tensors", every_tensor_type()) && write(folder + "version2", version2) &&
         write(folder + "lfm2", smallest(false).builder()) && write(folder + "lfm2moe", smallest(true).builder()) &&
         write(folder + "tokenizer", smallest_whole(false).builder());
}

// For the library's own kernels: what XNNPACK's layout is depends on the machine.
bool write_packs(const std::string& folder) {
  const std::string gguf = folder + "gguf";
  bool written = true;
  for (const bool moe : {false, true}) {
    written = written && write(gguf, smallest_whole(moe).builder()) &&
              lfm::pack(gguf, folder + (moe ? "lfm2moe" : "lfm2"),
                        {.dense = lfm::DenseBackend::kNative, .threads = 1, .overwrite = true})
                  .ok();
  }
  std::filesystem::remove(gguf);
  return written;
}

// For session_fuzz's model.
bool write_sessions(const std::string& folder) {
  const std::string gguf = folder + "gguf";
  if (!write(gguf, smallest_whole(true).builder())) return false;
  const auto engine = lfm::Engine::open(gguf, {.threads = 1, .dense = lfm::DenseBackend::kNative, .chunk_tokens = 8});
  std::filesystem::remove(gguf);
  if (!engine.ok()) return false;
  bool written = true;
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{40}}) {
    auto session = engine->new_session({.context_tokens = 64, .snapshot_bytes = 1 << 16});
    const std::vector<lfm::TokenId> ids(count, 20);
    written = written && session.ok() && session->sync(ids).ok() && session->save(folder + std::to_string(count)).ok();
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_corpus FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  return write_gguf(folder + "gguf/") && write_packs(folder + "pack/") && write_sessions(folder + "session/") ? 0 : 1;
}
