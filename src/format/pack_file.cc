#include "format/pack_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/try.h"

namespace lfm::format {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as the file has them");

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 48;
constexpr std::uint64_t kSamples = 64;
constexpr std::uint64_t kSampleBytes = 4096;

Error damaged(const base::File& file, std::string message, std::uint64_t offset) {
  return Error{ErrorCode::kFormat, std::move(message), base::printable(file.path()), Error::kNone, offset};
}

Status check_header(const base::File& file, std::array<std::byte, PackHeader::kBytes>& bytes,
                    const PackHeader& header) {
  if (std::memcmp(header.magic, PackHeader::kMagic, sizeof header.magic) != 0)
    return damaged(file, "not a packed model file", 0);
  if (header.version != PackHeader::kVersion) {
    return Error{ErrorCode::kUnsupported,
                 "version " + std::to_string(header.version) + " of packed model files can't be read, version " +
                     std::to_string(PackHeader::kVersion) + " can: pack the model again",
                 base::printable(file.path()), Error::kNone, offsetof(PackHeader, version)};
  }
  std::memset(bytes.data() + offsetof(PackHeader, header_sum), 0, sizeof header.header_sum);
  if (base::checksum(bytes) != header.header_sum || header.header_bytes != PackHeader::kBytes)
    return damaged(file, "the header is damaged: its checksum is another", offsetof(PackHeader, header_sum));
  return {};
}

// The sizes that the header gives are checked before anything is computed or sized by them.
Status check_places(const base::File& file, const PackHeader& header) {
  if (header.identity_bytes > PackFile::kMaxIdentityBytes)
    return damaged(file, "what is kept of the source is too large", offsetof(PackHeader, identity_bytes));
  if (header.weights_bytes > kMaxBytes)
    return damaged(file, "the weights are too large", offsetof(PackHeader, weights_bytes));
  const PackPlaces places = PackPlaces::of(header.identity_bytes, header.weights_bytes);
  if (header.identity_offset != places.identity_offset || header.sums_offset != places.sums_offset ||
      header.sums_bytes != places.chunks * sizeof(std::uint64_t) || header.weights_offset != places.weights_offset) {
    return damaged(file, "the header contradicts itself", offsetof(PackHeader, identity_offset));
  }
  if (file.size() != places.file_bytes()) {
    return damaged(file,
                   "the file is truncated or longer than written: " + std::to_string(file.size()) + " bytes, not " +
                       std::to_string(places.file_bytes()),
                   std::min(file.size(), places.file_bytes()));
  }
  return {};
}

struct HeaderPage {
  std::array<std::byte, PackHeader::kBytes> bytes;
  PackHeader header;
};

Status read_header(const base::File& file, HeaderPage& page) {
  if (file.size() < page.bytes.size()) return damaged(file, "the file is truncated", file.size());
  LFM_TRY(file.read_at(0, page.bytes));
  std::memcpy(&page.header, page.bytes.data(), sizeof page.header);
  LFM_TRY(check_header(file, page.bytes, page.header));
  return check_places(file, page.header);
}

}  // namespace

Result<PackSource> PackSource::of(std::span<const base::File> files, std::span<const std::byte> identity) {
  PackSource source{0, base::checksum(identity)};
  std::array<std::byte, kSampleBytes> sample;
  for (const base::File& file : files) {
    source.stamps = base::checksum(std::as_bytes(std::span(&file.stamp(), 1)), source.stamps);
    // From the first to the last bytes, at most kSamples pieces; those of a small file are all of it.
    const std::uint64_t last = file.size() - std::min(file.size(), kSampleBytes);
    const std::uint64_t steps = std::min(kSamples - 1, (last + kSampleBytes - 1) / kSampleBytes);
    for (std::uint64_t i = 0; i <= steps; ++i) {
      const std::uint64_t at = steps == 0 ? 0 : last / steps * i + last % steps * i / steps;
      const std::span<std::byte> bytes(sample.data(), std::min(kSampleBytes, file.size() - at));
      LFM_TRY(file.read_at(at, bytes));
      source.samples = base::checksum(bytes, source.samples);
    }
  }
  return source;
}

PackPlaces PackPlaces::of(std::uint64_t identity_bytes, std::uint64_t weights_bytes) noexcept {
  PackPlaces places;
  places.identity_offset = PackHeader::kBytes;
  places.identity_bytes = identity_bytes;
  places.sums_offset = base::round_up(places.identity_offset + identity_bytes, kPage);
  places.chunks = (weights_bytes + kPackChunk - 1) / kPackChunk;
  const std::uint64_t sums_end = places.sums_offset + places.chunks * sizeof(std::uint64_t);
  places.weights_offset = base::round_up(sums_end, weights_bytes < kPackChunk ? kPage : kPackChunk);
  places.weights_bytes = weights_bytes;
  return places;
}

std::uint64_t PackPlaces::chunk_bytes(std::uint64_t i) const noexcept {
  return std::min(kPackChunk, weights_bytes - chunk_begin(i));
}

Result<bool> PackFile::begins(const base::File& file) {
  std::array<std::byte, sizeof PackHeader::kMagic> magic;
  if (file.size() < magic.size()) return false;
  LFM_TRY(file.read_at(0, magic));
  return std::memcmp(magic.data(), PackHeader::kMagic, magic.size()) == 0;
}

Result<std::string> PackFile::origin(const base::File& file) {
  HeaderPage page;
  LFM_TRY(read_header(file, page));
  const char* const begin = reinterpret_cast<const char*>(page.bytes.data()) + sizeof(PackHeader);
  return std::string(begin, ::strnlen(begin, PackHeader::kBytes - sizeof(PackHeader)));
}

Result<PackFile> PackFile::open(const base::File& file) {
  HeaderPage page;
  LFM_TRY(read_header(file, page));
  const PackHeader& header = page.header;
  PackFile pack;
  pack.path_ = file.path();
  pack.layout_ = header.layout;
  pack.source_ = header.source;
  pack.places_ = PackPlaces::of(header.identity_bytes, header.weights_bytes);
  pack.identity_.resize(pack.places_.identity_bytes);
  LFM_TRY(file.read_at(pack.places_.identity_offset, pack.identity_));
  if (base::checksum(pack.identity_) != header.identity_sum)
    return damaged(file, "what is kept of the source is damaged: its checksum is another",
                   pack.places_.identity_offset);
  pack.sums_.resize(pack.places_.chunks);
  LFM_TRY(file.read_at(pack.places_.sums_offset, std::as_writable_bytes(std::span(pack.sums_))));
  pack.weights_sum_ = base::checksum(std::as_bytes(std::span(pack.sums_)));
  if (pack.weights_sum_ != header.sums_sum)
    return damaged(file, "the table of checksums is damaged", pack.places_.sums_offset);
  return pack;
}

Status PackFile::check_padding(const base::File& file) const {
  const std::uint64_t identity_end = places_.identity_offset + places_.identity_bytes;
  const std::uint64_t sums_end = places_.sums_offset + places_.chunks * sizeof(std::uint64_t);
  for (const auto& [begin, end] : {std::pair{identity_end, places_.sums_offset}, {sums_end, places_.weights_offset}}) {
    std::vector<std::byte> padding(end - begin);
    LFM_TRY(file.read_at(begin, padding));
    const auto at = std::ranges::find_if(padding, [](std::byte byte) { return byte != std::byte{0}; });
    if (at == padding.end()) continue;
    return damaged(file, "the file is damaged: what lies between its parts isn't zero",
                   begin + static_cast<std::uint64_t>(at - padding.begin()));
  }
  return {};
}

Status PackFile::check_chunk(std::uint64_t i, std::span<const std::byte> bytes) const {
  if (base::checksum(bytes) == sums_[i]) return {};
  return Error{ErrorCode::kFormat, "the weights are damaged: a checksum is another", base::printable(path_),
               Error::kNone, places_.weights_offset + places_.chunk_begin(i)};
}

}  // namespace lfm::format
