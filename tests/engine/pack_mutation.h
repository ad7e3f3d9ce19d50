// Systematic damage to a packed file, with checksums that are right all the same: what somebody can do who writes one.
// Whatever comes of it must be a clean result within a second of processor time and 64 MiB beside the file.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>

#include "base/checksum.h"
#include "engine/open_cleanly.h"
#include "format/pack_file.h"
#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::test {

class PackMutation : public testing::Test {
 protected:
  using Header = format::PackHeader;

  PackMutation() {
    const TinyModel tiny = smallest_that_talks();
    const std::string gguf = folder_.write("model.gguf", tiny.builder().build(&gguf_fields_));
    expect_ok(pack(gguf, folder_.path("model.lfm"), {.dense = DenseBackend::kNative, .threads = 1}));
    whole_ = read_all(folder_.path("model.lfm"));
    std::memcpy(&header_, whole_.data(), sizeof header_);
    places_ = format::PackPlaces::of(header_.identity_bytes, header_.weights_bytes);
  }

  // Puts the checksums right.
  void mend(std::string& bytes) const {
    const auto sum = [&](std::uint64_t at, std::uint64_t size) {
      return base::checksum(as_bytes(bytes).subspan(at, size));
    };
    const auto put = [&](std::uint64_t at, std::uint64_t value) {
      std::memcpy(bytes.data() + at, &value, sizeof value);
    };
    for (std::uint64_t i = 0; i < places_.chunks; ++i)
      put(places_.sums_offset + 8 * i, sum(places_.weights_offset + places_.chunk_begin(i), places_.chunk_bytes(i)));
    put(offsetof(Header, identity_sum), sum(places_.identity_offset, places_.identity_bytes));
    put(offsetof(Header, sums_sum), sum(places_.sums_offset, 8 * places_.chunks));
    put(offsetof(Header, header_sum), 0);
    put(offsetof(Header, header_sum), sum(0, Header::kBytes));
  }

  // Opens the file in every way that there is. Returns whether it was accepted as a model.
  bool expect_clean(const std::string& what) const {
    const std::string path = folder_.path("model.lfm");
    const bool accepted = opens_cleanly(path, runs_++ % 2 == 0 ? Load::kCopy : Load::kMap, what);
    const std::clock_t start = std::clock();
    (void)inspect(path).ok();
    (void)Tokenizer::open(path).ok();
    (void)verify_pack(path, {.threads = 1}).ok();
    EXPECT_LE(std::clock() - start, CLOCKS_PER_SEC) << what;
    return accepted;
  }

  // Every value in the place of every `stride`-th number of the header (with `mended` checksums, or as it is) and of
  // the identity Returns how many files that were.
  std::size_t mutate_fields(std::size_t stride, bool mended) {
    std::vector<Field> fields = {{"version", 8, 4}, {"header bytes", 12, 4}};
    for (std::size_t at = 16; at < 32; at += 4) fields.push_back({"layout at " + std::to_string(at), at, 4});
    for (std::size_t at = 32; at < sizeof(Header); at += 8)
      fields.push_back({"header at " + std::to_string(at), at, 8});
    const std::uint64_t identity = places_.identity_offset;
    fields.push_back({"identity's format", identity, 4});
    fields.push_back({"identity's parts", identity + 4, 4});
    fields.push_back({"identity's file bytes", identity + 8, 8});
    fields.push_back({"identity's kept bytes", identity + 16, 8});
    for (std::size_t i = 0; i < gguf_fields_.size(); i += stride) {
      fields.push_back(gguf_fields_[i]);
      fields.back().offset += identity + 24;
    }
    std::size_t files = 0;
    for (const Field& field : fields) {
      std::uint64_t value = 0;
      std::memcpy(&value, whole_.data() + field.offset, field.width);
      for (const std::uint64_t replacement : replacements(value, field.width)) {
        std::string bytes = whole_;
        std::memcpy(bytes.data() + field.offset, &replacement, field.width);
        if (mended) mend(bytes);
        folder_.write("model.lfm", bytes);
        const bool accepted = expect_clean(field.name + " = " + std::to_string(replacement));
        EXPECT_FALSE(accepted && !mended) << field.name << " = " << replacement;
        ++files;
      }
    }
    return files;
  }

  // Cut after every `stride`-th byte.
  std::size_t truncate(std::size_t stride) {
    std::size_t files = 0;
    folder_.write("model.lfm", whole_);
    for (std::size_t size = whole_.size(); size > 0; size -= std::min(size, stride), ++files) {
      std::filesystem::resize_file(folder_.path("model.lfm"), size - 1);
      EXPECT_FALSE(Engine::open(folder_.path("model.lfm"), {.threads = 1}).ok()) << size - 1;
    }
    return files;
  }

  TempFolder folder_;
  std::vector<Field> gguf_fields_;
  std::string whole_;
  Header header_;
  format::PackPlaces places_;
  mutable std::size_t runs_ = 0;
};

}  // namespace lfm::test
