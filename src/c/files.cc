#include <memory>
#include <utility>
#include <vector>

#include "base/try.h"
#include "c/convert.h"
#include "c/sized.h"

struct lfm_description {
  lfm::FileDescription file;
};

namespace c = lfm::c;

namespace lfm::c {
namespace {

lfm_pack_info to_c(const PackInfo& info) {
  lfm_pack_info out{};
  out.size = sizeof out;
  copy_text(out.source_name, info.source_name);
  out.file_bytes = info.file_bytes;
  out.weight_bytes = info.weight_bytes;
  out.xnnpack = info.dense_backend == "xnnpack";
  return out;
}

// Work that fills in `info`, which may be null.
template <typename Body>
Status work(const lfm_pack_options* options, lfm_pack_info* info, Body&& body) {
  if (info != nullptr) LFM_TRY(check_size(*info, "info"));
  LFM_ASSIGN(const lfm_pack_options given, read_sized(options, "options"));
  LFM_ASSIGN(const PackInfo done, body(given));
  return info != nullptr ? write_sized(to_c(done), info, "info") : Status();
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_inspect(const char* path, lfm_description** description, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{path, "path"}, {description, "description"}}));
    LFM_ASSIGN(lfm::FileDescription file, lfm::inspect(path));
    *description = new lfm_description{std::move(file)};
    return {};
  });
}

void lfm_description_free(lfm_description* description) {
  delete description;
}

lfm_code lfm_description_info(const lfm_description* description, lfm_model_info* info, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{description, "description"}}));
    return c::write_sized(c::to_c(description->file.info), info, "info");
  });
}

uint32_t lfm_description_gguf_version(const lfm_description* description) {
  return description != nullptr ? description->file.gguf_version : 0;
}

size_t lfm_description_tensors(const lfm_description* description) {
  return description != nullptr ? description->file.tensors.size() : 0;
}

lfm_code lfm_description_tensor(const lfm_description* description, size_t i, lfm_tensor* tensor, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{description, "description"}}));
    if (i >= description->file.tensors.size())
      return lfm::Error{lfm::ErrorCode::kArgument, "the file has no such tensor", "tensor", i};
    const lfm::TensorDescription& inner = description->file.tensors[i];
    lfm_tensor out{};
    out.name = inner.name.c_str();
    out.type = inner.type.c_str();
    out.shape = inner.shape.data();
    out.rank = inner.shape.size();
    out.bytes = inner.bytes;
    out.offset = inner.offset;
    return c::write_sized(out, tensor, "tensor");
  });
}

lfm_code lfm_pack(const char* model, const char* out, const lfm_pack_options* options, lfm_pack_info* info,
                  lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{model, "model"}, {out, "out"}}));
    return c::work(options, info, [&](const lfm_pack_options& given) -> lfm::Result<lfm::PackInfo> {
      lfm::PackOptions inner;
      LFM_ASSIGN(inner.dense, c::dense_of(given.dense));
      inner.threads = given.threads;
      inner.overwrite = given.overwrite;
      inner.progress = c::progress_of(given.progress, given.progress_user);
      inner.cancel = c::token_of(given.cancel);
      return lfm::pack(model, out, inner);
    });
  });
}

lfm_code lfm_verify_pack(const char* path, const lfm_pack_options* options, lfm_pack_info* info, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{path, "path"}}));
    return c::work(options, info, [&](const lfm_pack_options& given) -> lfm::Result<lfm::PackInfo> {
      LFM_TRY(c::dense_of(given.dense));
      lfm::VerifyOptions inner;
      inner.threads = given.threads;
      inner.progress = c::progress_of(given.progress, given.progress_user);
      inner.cancel = c::token_of(given.cancel);
      return lfm::verify_pack(path, inner);
    });
  });
}

lfm_code lfm_list_pack_cache(const char* folder, lfm_cached_pack_callback each, void* user, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{folder, "folder"}, {reinterpret_cast<const void*>(each), "each"}}));
    LFM_ASSIGN(const std::vector<lfm::CachedPack> packs, lfm::list_pack_cache(folder));
    for (const lfm::CachedPack& pack : packs) {
      const lfm_cached_pack out{.size = sizeof out,
                                .path = pack.path.c_str(),
                                .source = pack.source.c_str(),
                                .orphaned = pack.orphaned,
                                .bytes = pack.bytes,
                                .last_used = pack.last_used};
      if (!each(&out, user)) break;
    }
    return {};
  });
}
