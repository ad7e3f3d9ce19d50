// Packing of whole files.
#include <utility>

#include "base/cores.h"
#include "base/folder.h"
#include "base/try.h"
#include "engine/load/load.h"
#include "engine/load/model_parts.h"
#include "format/pack_writer.h"

namespace lfm::engine {
namespace {

constexpr unsigned kReadOnly = 0444;  // and so checked by samples when it is opened

Error refused(const std::string& out, std::string message) {
  return Error{ErrorCode::kArgument, std::move(message), base::printable(out)};
}

Result<base::Team> team_of(unsigned threads) {
  return base::Team::create(threads != 0 ? threads : base::usable_cores().all);
}

Status write_all(format::PackWriter& writer, base::Team& team, base::Work& work) {
  const format::PackPlaces& places = writer.places();
  return work.run(team, places.chunks, [&](base::Worker&, std::size_t i) {
    work.add(places.chunk_bytes(i));
    return writer.write_chunk(i);
  });
}

PackInfo info_of(const ModelParts& parts, const format::PackPlaces& places, bool xnnpack) {
  return {base::printable(parts.config.name), places.file_bytes(), places.weights_bytes,
          xnnpack ? "xnnpack" : "native"};
}

}  // namespace

Status check_new_file(const std::string& path, const std::string& out, bool overwrite) {
  if (base::exists(out) && base::same_file(path, out)) return refused(out, "is the model itself");
  LFM_TRY(base::AtomicFile::check_target(out));
  if (!base::exists(out)) return {};
  if (!overwrite) return refused(out, "is there already");
  return {};
}

Result<PackInfo> pack_model(const std::string& path, const std::string& out, const PackOptions& options) {
  LFM_ASSIGN(base::Team team, team_of(options.threads));
  LFM_ASSIGN(const ModelParts parts, ModelParts::open(path));
  if (parts.model.packed) return refused(path, "is packed already");
  LFM_TRY(check_new_file(path, out, options.overwrite));
  LFM_TRY(parts.tokenizer());
  std::vector<std::string> notes;
  LFM_ASSIGN(const std::optional<ops::XnnLayout> xnn, choose_dense(parts.model, options.dense, notes));
  const model::PackPlan plan = model::plan_weights(parts.table, xnn);
  LFM_ASSIGN(base::Memory packed, base::Memory::allocate(plan.bytes, base::Memory::Pages::kHuge));
  const std::vector<base::File>& files = parts.model.source->files;
  const std::vector<std::byte> identity = parts.model.source->identity();
  LFM_ASSIGN(const format::PackSource source, format::PackSource::of(files, identity));
  // Before the work, so that a full disk is seen at once.
  LFM_ASSIGN(format::PackWriter writer,
             format::PackWriter::create(out, pack_layout(xnn), source, identity, {packed.data(), packed.size()}));
  base::Work work(parts.table.totals.bytes + plan.bytes, options.progress, options.cancel);
  LFM_TRY(work.step());
  LFM_TRY(model::pack_weights(files, plan, team, work, {packed.data(), packed.size()}));
  LFM_TRY(write_all(writer, team, work));
  using Existing = base::AtomicFile::Existing;
  LFM_TRY(writer.commit(kReadOnly, options.overwrite ? Existing::kReplace : Existing::kKeep));
  return info_of(parts, writer.places(), xnn.has_value());
}

Result<PackInfo> verify_model(const std::string& path, const VerifyOptions& options) {
  LFM_ASSIGN(base::Team team, team_of(options.threads));
  LFM_ASSIGN(const ModelParts parts, ModelParts::open(path));
  if (!parts.model.packed) return refused(path, "isn't a packed model file");
  const std::optional<ops::XnnLayout> xnn = layout_of(parts.model);
  LFM_TRY(parts.tokenizer());
  base::Work work(parts.model.packed->pack.places().weights_bytes, options.progress, options.cancel);
  LFM_TRY(verify_packed(*parts.model.packed, team, work));
  LFM_TRY(parts.model.packed->pack.check_padding(parts.model.packed->file));
  LFM_TRY(check_size(parts, model::plan_weights(parts.table, xnn)));
  // That it is whole doesn't mean that it can be used here.
  std::vector<std::string> notes;
  LFM_TRY(choose_dense(parts.model, DenseBackend::kAuto, notes));
  return info_of(parts, parts.model.packed->pack.places(), xnn.has_value());
}

}  // namespace lfm::engine
