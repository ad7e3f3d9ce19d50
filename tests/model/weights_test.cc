// Packing: the same bytes from whatever way the files have of the same weights.
#include "model/weights.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "base/memory.h"
#include "support/expect.h"
#include "support/loaded.h"
#include "support/temp_file.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

constexpr std::uint32_t kF16 = 1, kBF16 = 30;

std::vector<std::byte> packed(const std::string& bytes, const model::TensorTable& table) {
  const TempFile temp(bytes);
  std::vector<base::File> files;
  files.push_back(base::File::open_read(temp.path()).value());
  auto team = base::Team::create(2);
  const model::PackPlan plan = model::plan_weights(table, std::nullopt);
  auto memory = base::Memory::allocate(plan.bytes);
  EXPECT_TRUE(team.ok() && memory.ok());
  base::Work work;
  expect_ok(model::pack_weights(files, plan, *team, work, {memory->data(), memory->size()}));
  return {memory->data(), memory->data() + plan.bytes};
}

std::vector<std::byte> packed(const GgufBuilder& file) {
  const auto loaded = load(file);
  EXPECT_TRUE(loaded.ok()) << loaded.error().describe();
  return packed(file.build(), loaded->table);
}

bool is_vector_or_taps(const GgufBuilder::Tensor& tensor) {
  return tensor.dims.size() == 1 || tensor.name.ends_with("shortconv.conv.weight");
}

// Numbers that both formats hold: one bit of mantissa, exponents -4 to 3.
float simple(std::size_t i) {
  return (i % 2 == 0 ? 1.0f : -1.5f) * std::bit_cast<float>(static_cast<std::uint32_t>(123 + i % 8) << 23);
}

TEST(WeightsTest, VectorsInSixteenBitsAreTheirFloats) {
  GgufBuilder wide = TinyModel().builder();
  GgufBuilder half = wide, brain = wide;
  for (std::size_t t = 0; t < wide.tensors.size(); ++t) {
    if (!is_vector_or_taps(wide.tensors[t])) continue;
    const std::size_t count = wide.tensors[t].data.size() / sizeof(float);
    wide.tensors[t].data = half.tensors[t].data = brain.tensors[t].data = "";
    half.tensors[t].type = kF16;
    brain.tensors[t].type = kBF16;
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(simple(i + t));
      wide.tensors[t].data += bytes_of(bits);
      brain.tensors[t].data += bytes_of(static_cast<std::uint16_t>(bits >> 16));
      const std::uint32_t exponent = (bits >> 23 & 0xff) - 112;
      half.tensors[t].data +=
          bytes_of(static_cast<std::uint16_t>((bits >> 16 & 0x8000) | exponent << 10 | (bits >> 13 & 0x3ff)));
    }
  }
  const std::vector<std::byte> expected = packed(wide);
  EXPECT_TRUE(packed(half) == expected);
  EXPECT_TRUE(packed(brain) == expected);
}

// As checkpoints of Hugging Face's have them, in any order.
TEST(WeightsTest, ExpertsOneByOneAreTheSame) {
  for (const format::TensorType type : {format::TensorType::kF32, format::TensorType::kBF16}) {
    const GgufBuilder file = TinyModel{.matrices = type}.builder();
    const std::string bytes = file.build();
    const auto loaded = load(file);
    ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
    std::string other = "something before";
    std::vector<std::string> names;
    std::vector<model::FileTensor> listed;
    for (std::size_t t = loaded->table.tensors.size(); t-- > 0;) {
      const model::Tensor& tensor = loaded->table.tensors[t];
      const std::size_t count = tensor.row->kind == model::Kind::kExperts ? tensor.count() : 1;
      for (std::size_t i = count; i-- > 0;) {
        names.push_back(name_of(*tensor.row, model::Naming::kHuggingFace, tensor.layer, i));
        model::FileTensor one = tensor.file;
        one.dims = {tensor.rows, tensor.columns};
        one.rank = 2;
        if (tensor.row->kind == model::Kind::kTaps) one.dims = {tensor.rows, 1, tensor.columns}, one.rank = 3;
        one.bytes = tensor.bytes() / count;
        one.place = {0, other.size()};
        other += bytes.substr(tensor.places[i].offset, one.bytes) + "and between";
        listed.push_back(one);
      }
    }
    for (std::size_t i = 0; i < names.size(); ++i) listed[i].name = names[i];
    const auto table = match_tensors(listed, model::Naming::kHuggingFace, loaded->config);
    ASSERT_TRUE(table.ok()) << table.error().describe();
    EXPECT_TRUE(packed(other, *table) == packed(file));
  }
}

// Of which tensor, and where: also in a later matrix of one.
TEST(WeightsTest, ANumberThatIsNoneIsLocated) {
  GgufBuilder file = TinyModel().builder();
  auto& experts = file.tensor("blk.1.ffn_up_exps.weight");
  const std::size_t index = 2 * 64 * 64 + 5 * 64 + 7;
  const std::string infinity = bytes_of(std::uint32_t{0x7f800000});
  experts.data.replace(index * 4, 4, infinity);
  const std::string bytes = file.build();
  const auto loaded = load(file);
  ASSERT_TRUE(loaded.ok());
  const TempFile temp(bytes);
  std::vector<base::File> files;
  files.push_back(base::File::open_read(temp.path()).value());
  auto team = base::Team::create(1);
  const model::PackPlan plan = model::plan_weights(loaded->table, std::nullopt);
  auto memory = base::Memory::allocate(plan.bytes);
  base::Work work;
  const Status status = model::pack_weights(files, plan, *team, work, {memory->data(), memory->size()});
  expect_error(status, ErrorCode::kFormat, "isn't a finite number");
  EXPECT_EQ(status.error().field, "blk.1.ffn_up_exps.weight");
  EXPECT_EQ(status.error().index, index);
  EXPECT_EQ(bytes.substr(status.error().offset, 4), infinity);
}

}  // namespace
}  // namespace lfm::test
