#include "format/pack_writer.h"

#include <array>
#include <cstring>
#include <utility>

#include "base/checksum.h"
#include "base/try.h"

namespace lfm::format {

Result<PackWriter> PackWriter::create(const std::string& path, const PackLayout& layout, const PackSource& source,
                                      std::span<const std::byte> identity, std::span<const std::byte> weights) {
  const PackPlaces places = PackPlaces::of(identity.size(), weights.size());
  LFM_ASSIGN(base::AtomicFile file, base::AtomicFile::create(path, places.file_bytes()));
  return PackWriter(std::move(file), layout, source, places, identity, weights);
}

void PackWriter::keep_origin(std::string path) {
  if (path.size() < PackHeader::kBytes - sizeof(PackHeader)) origin_ = std::move(path);
}

Status PackWriter::write_chunk(std::uint64_t i) {
  const std::span<const std::byte> bytes = weights_.subspan(places_.chunk_begin(i), places_.chunk_bytes(i));
  sums_[i] = base::checksum(bytes);
  return file_.write_at(places_.weights_offset + places_.chunk_begin(i), bytes);
}

Status PackWriter::commit(unsigned mode, base::AtomicFile::Existing existing) {
  const std::span<const std::byte> sums = std::as_bytes(std::span(sums_));
  PackHeader header{};
  std::memcpy(header.magic, PackHeader::kMagic, sizeof header.magic);
  header.version = PackHeader::kVersion;
  header.header_bytes = PackHeader::kBytes;
  header.layout = layout_;
  header.source = source_;
  header.identity_offset = places_.identity_offset;
  header.identity_bytes = places_.identity_bytes;
  header.identity_sum = base::checksum(identity_);
  header.sums_offset = places_.sums_offset;
  header.sums_bytes = sums.size();
  header.sums_sum = base::checksum(sums);
  header.weights_offset = places_.weights_offset;
  header.weights_bytes = places_.weights_bytes;

  std::array<std::byte, PackHeader::kBytes> page{};
  std::memcpy(page.data(), &header, sizeof header);
  std::memcpy(page.data() + sizeof header, origin_.data(), origin_.size());
  header.header_sum = base::checksum(page);
  std::memcpy(page.data(), &header, sizeof header);
  LFM_TRY(file_.write_at(places_.identity_offset, identity_));
  LFM_TRY(file_.write_at(places_.sums_offset, sums));
  LFM_TRY(file_.write_at(0, page));
  return file_.commit(mode, existing);
}

}  // namespace lfm::format
