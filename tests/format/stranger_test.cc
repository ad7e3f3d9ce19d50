// Files under a model's name that are something else.
#include "format/stranger.h"

#include <gtest/gtest.h>

#include "support/expect.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

using namespace std::string_literals;

struct Stranger {
  std::string bytes;
  const char* says;
};

std::string padded(std::string bytes) {
  return bytes + std::string(600, '\x01');
}

TEST(Stranger, IsNamedForWhatItIs) {
  const Stranger all[] = {
      {"<!DOCTYPE html>\n<html><head><title>Sign in</title>", "a page of HTML"},
      {"\n\n  <!doctype HTML><html>", "a page of HTML"},
      {"\xEF\xBB\xBF<HTML lang=\"en\">", "a page of HTML"},
      {"<!-- made by hand --><html>", "a page of HTML"},
      {"<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC>", "a page of HTML"},
      {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "XML"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4700000000\n", "git lfs pull"},
      {"version https://hawser.github.com/spec/v1\noid sha256:00\n", "git lfs pull"},
      {"/annex/objects/SHA256E-s100--00.gguf\n", "git annex get"},
      {"../.git/annex/objects/SHA256E-s100--00.gguf\n", "git annex get"},
      {R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"})", "Ollama"},
      {R"({"error":"Repository not found"})", "begins with '{\"error\":\"Repository not found\"}'"},
      {"Entry not found", "begins with 'Entry not found'"},
      {"Invalid username or password.\r\n", "begins with 'Invalid username or password.'"},
      {"no", "text"},
      {padded("\x2a\x10\0\0\0\0\0\0{\"__metadata__\":"s), "a safetensors file"},
      {padded("PK\x03\x04"), "a zip archive"},
      {padded("\x80\x02\x8a\x0al\xfc"), "PyTorch"},
      {padded("\x1f\x8b\x08"), "compressed"},
      {padded("\x28\xb5\x2f\xfd"), "compressed"},
      {padded("tjgg\x03"), "before GGUF"},
      {std::string(5000, '\0'), "zeros"},
  };
  const TempFolder folder;
  for (const Stranger& stranger : all) {
    const std::string path = folder.write("model.gguf", stranger.bytes);
    const auto file = base::File::open_read(path);
    ASSERT_TRUE(file.ok());
    expect_error(format::refuse_strangers(*file), ErrorCode::kFormat, stranger.says);
    EXPECT_EQ(format::refuse_strangers(*file).error().field, path);
  }
}

// What isn't known is for the reader of GGUF to refuse, and so is what a GGUF file may be the beginning of.
TEST(Stranger, NothingIsSaidOfOthers) {
  const TempFolder folder;
  for (const std::string& bytes :
       {std::string(), "G"s, "GGU"s, "GGUF"s, "FUGG\x03\0\0\0"s, "\xff\xfe\x01\x02"s, GgufBuilder().build(), "\n\n"s}) {
    const auto file = base::File::open_read(folder.write("model.gguf", bytes));
    ASSERT_TRUE(file.ok());
    expect_ok(format::refuse_strangers(*file));
  }
}

}  // namespace
}  // namespace lfm::test
