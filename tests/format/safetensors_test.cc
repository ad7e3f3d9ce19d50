#include "format/safetensors.h"

#include <gtest/gtest.h>

#include <string>

#include "support/expect.h"
#include "support/gguf_builder.h"

namespace lfm::format {
namespace {

using test::expect_error;

std::string with_length(const std::string& header) {
  return bytes_of(std::uint64_t{header.size()}) + header;
}

Result<SafeTensors> parse(const std::string& header, std::uint64_t data_bytes) {
  const std::string bytes = with_length(header);
  return SafeTensors::parse(test::as_bytes(bytes), bytes.size() + data_bytes);
}

std::string tensor(const char* name, const char* dtype, const char* shape, const char* offsets) {
  return std::string("\"") + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST(SafeTensors, PlacesEveryTensor) {
  const auto file = parse("{\"__metadata__\":{\"format\":\"pt\"}," + tensor("a", "BF16", "[2,3]", "[8,20]") + "," +
                              tensor("b", "F32", "[2]", "[0,8]") + "," + tensor("n", "I64", "[]", "[20,28]") + "} ",
                          28);
  ASSERT_TRUE(file.ok()) << file.error().describe();
  ASSERT_EQ(file->tensors().size(), 3u);
  const SafeTensor& a = file->tensors()[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.type, TensorType::kBF16);
  EXPECT_EQ(a.shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(a.offset, file->header().size() + 8);
  EXPECT_EQ(a.bytes, 12u);
  EXPECT_EQ(file->tensors()[2].type, std::nullopt);
}

TEST(SafeTensors, RefusesWhatContradictsItself) {
  struct Case {
    std::string header;
    const char* says;
  };
  const std::string a = tensor("a", "F32", "[2]", "[0,8]");
  const Case cases[] = {
      {"[1]", "not an object"},
      {"{" + a, "isn't JSON"},
      {"{" + a + "," + a + "}", "there twice"},
      {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "there twice"},
      {"{" + a + "," + tensor("b", "F32", "[2]", "[4,12]") + "}", "overlap"},
      {"{" + tensor("a", "F32", "[2]", "[8,0]") + "}", "don't lie in the file"},
      {"{" + tensor("a", "F32", "[8]", "[0,32]") + "}", "don't lie in the file"},
      {"{" + tensor("a", "F32", "[8]", "[0,18446744073709551615]") + "}", "don't lie in the file"},
      {"{" + tensor("a", "F32", "[3]", "[0,8]") + "}", "type and shape"},
      {"{" + tensor("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}", "type and shape"},
      {"{" + tensor("a", "F32", "[-2]", "[0,8]") + "}", "whole number"},
      {"{" + tensor("a", "F32", "[2.0]", "[0,8]") + "}", "whole number"},
      {"{" + tensor("a", "Q4", "[2]", "[0,8]") + "}", "unknown dtype"},
      {"{" + tensor("a", "F32", "2", "[0,8]") + "}", "no shape"},
      {"{" + tensor("a", "F32", "[2]", "[0]") + "}", "no data_offsets"},
      {"{\"a\":3}", "no dtype"},
      {std::string(100, '['), "deeper"},
  };
  for (const Case& wrong : cases) expect_error(parse(wrong.header, 16), ErrorCode::kFormat, wrong.says);
}

TEST(SafeTensors, RefusesCutHeaders) {
  const std::string whole = with_length("{" + tensor("a", "F32", "[2]", "[0,8]") + "}");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string cut = whole.substr(0, n);
    expect_error(SafeTensors::parse(test::as_bytes(cut), cut.size()), ErrorCode::kFormat, "truncated");
  }
}

}  // namespace
}  // namespace lfm::format
