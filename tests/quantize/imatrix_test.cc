#include "quantize/imatrix.h"

#include <gtest/gtest.h>

#include "support/expect.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace lfm::quantize {
namespace {

using test::expect_error;

class ImatrixFile : public testing::Test {
 protected:
  test::TempFolder folder_;
};

TEST_F(ImatrixFile, SaysWhatWasWritten) {
  const float one[] = {1, 4, 9, 16}, other[] = {2, 2, 2, 2};
  Imatrix written;
  written.add("blk.0.a.weight", 1, 0, one, 2);
  written.add("blk.0.a.weight", 1, 0, one, 2);
  written.add("blk.1.experts.weight", 3, 1, other, 8);
  ASSERT_TRUE(written.write(folder_.path("i.gguf"), "a text", 2, 512, base::AtomicFile::Existing::kKeep).ok());
  const auto read = Imatrix::read(folder_.path("i.gguf"));
  ASSERT_TRUE(read.ok()) << read.error().describe();
  EXPECT_EQ(read->find("blk.0.a.weight", 0, 4), (std::vector<float>{0.5f, 2, 4.5f, 8}));
  EXPECT_EQ(read->find("blk.1.experts.weight", 1, 4), std::vector<float>(4, 0.25f));
  EXPECT_TRUE(read->find("blk.1.experts.weight", 0, 4).empty());  // which no token reached
  EXPECT_TRUE(read->find("blk.1.experts.weight", 3, 4).empty());
  EXPECT_TRUE(read->find("blk.0.a.weight", 0, 8).empty());
  EXPECT_TRUE(read->find("blk.9.a.weight", 0, 4).empty());
}

TEST_F(ImatrixFile, RefusesOthers) {
  const auto expect = [&](test::GgufBuilder& builder, const char* says) {
    const auto read = Imatrix::read(folder_.write("i.gguf", builder.build()));
    expect_error(read, ErrorCode::kFormat, says);
    EXPECT_TRUE(read.error().field.starts_with(folder_.path("i.gguf"))) << read.error().describe();
  };
  test::GgufBuilder builder;
  expect(builder, "not an importance matrix");
  builder.set_string("general.type", "imatrix");
  expect(builder, "holds no sums");
  builder.add_tensor("a.in_sum2", {4, 2});
  expect(builder, "no counts");
  builder.add_tensor("a.counts", {1, 3});
  expect(builder, "don't belong together");
  builder.tensor("a.counts").dims = {1, 2};
  builder.tensor("a.in_sum2").data.replace(8, 4, test::bytes_of(-1.0f));
  expect(builder, "a.in_sum2: a sum of squares or a count is negative or no number (index 2)");
}

}  // namespace
}  // namespace lfm::quantize
