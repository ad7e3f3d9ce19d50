// The public classes, on top of their insides.
#include "lfm/engine.h"

#include <algorithm>
#include <utility>

#include "api/alone.h"
#include "api/guarded.h"
#include "base/try.h"
#include "engine/load/cache_folder.h"
#include "engine/load/load.h"
#include "engine/session/session.h"
#include "lfm/inspect.h"
#include "lfm/pack.h"

namespace lfm {

using engine::alone;
using engine::guarded;

Result<Engine> Engine::open(const std::string& path, const EngineOptions& options) {
  return guarded([&]() -> Result<Engine> {
    LFM_ASSIGN(auto model, engine::load_model(path, options));
    return Engine(std::move(model));
  });
}

Status Engine::finish_pack_cache() const {
  return guarded([&]() -> Status {
    LFM_TRY(model_->check_process());
    if (model_->draft != nullptr && model_->draft->cache != nullptr) LFM_TRY(model_->draft->cache->finish());
    return model_->cache != nullptr ? model_->cache->finish() : Status();
  });
}

Result<Session> Engine::new_session(const SessionOptions& options) const {
  return guarded([&]() -> Result<Session> {
    LFM_TRY(model_->check_process());
    LFM_ASSIGN(auto state, engine::SessionState::create(model_, options));
    return Session(std::move(state));
  });
}

const ModelInfo& Engine::info() const noexcept {
  return model_->info;
}

Tokenizer Engine::tokenizer() const noexcept {
  return Tokenizer(std::shared_ptr<const text::Tokenizer>(model_, &model_->tokenizer));
}

SamplingOptions Engine::recommended_sampling() const {
  return model_->sampling;
}

Result<FileDescription> inspect(const std::string& path) {
  return guarded([&] { return engine::describe_file(path); });
}

Result<PackInfo> pack(const std::string& model, const std::string& out, const PackOptions& options) {
  return guarded([&] { return engine::pack_model(model, out, options); });
}

Result<PackInfo> verify_pack(const std::string& path, const VerifyOptions& options) {
  return guarded([&] { return engine::verify_model(path, options); });
}

Result<std::vector<CachedPack>> list_pack_cache(const std::string& folder) {
  return guarded([&]() -> Result<std::vector<CachedPack>> {
    LFM_ASSIGN(std::vector<CachedPack> packs, engine::cached_packs(folder));
    std::sort(packs.begin(), packs.end(), [](const CachedPack& a, const CachedPack& b) { return a.path < b.path; });
    return packs;
  });
}

Result<Tokenizer> Tokenizer::open(const std::string& path) {
  return guarded([&]() -> Result<Tokenizer> {
    LFM_ASSIGN(text::Tokenizer inner, engine::load_tokenizer(path));
    return Tokenizer(std::make_shared<const text::Tokenizer>(std::move(inner)));
  });
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  return guarded([&] {
    text::EncodeOptions inner;
    inner.added_tokens = options.special_tokens ? text::AddedTokens::kAll : text::AddedTokens::kUserDefined;
    inner.bos = options.bos && inner_->adds_bos();
    return inner_->encode(text, inner);
  });
}

Result<std::string> Tokenizer::decode(std::span<const TokenId> ids) const {
  return guarded([&] { return inner_->decode(ids); });
}

std::size_t Tokenizer::size() const noexcept {
  return inner_->vocabulary().size();
}

Result<std::size_t> Tokenizer::count(std::string_view text, const EncodeOptions& options) const {
  LFM_ASSIGN(const auto ids, encode(text, options));
  return ids.size();
}

std::span<const TokenId> Tokenizer::end_tokens() const noexcept {
  return inner_->end_tokens();
}

std::optional<TokenId> Tokenizer::bos() const noexcept {
  return inner_->bos();
}

std::optional<TokenId> Tokenizer::eos() const noexcept {
  return inner_->eos();
}

std::optional<TokenId> Tokenizer::find_special(std::string_view name) const noexcept {
  const TokenId id = inner_->vocabulary().find_plain(name);
  return id != text::Vocabulary::kNone ? std::optional(id) : std::nullopt;
}

bool Tokenizer::ends_generation(TokenId id) const noexcept {
  return inner_->ends_generation(id);
}

Session::Session(std::unique_ptr<engine::SessionState> state) noexcept : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<SyncInfo> Session::sync(std::span<const TokenId> tokens, const SyncOptions& options) {
  return alone(*state_, [&] { return state_->sync(tokens, options); });
}

Status Session::append(std::span<const TokenId> tokens, const LogitsCallback& each, std::size_t from) {
  return alone(*state_, [&] { return state_->append(tokens, each, from); });
}

Result<Finish> Session::generate(const GenerateOptions& options, const std::function<bool(const Piece&)>& callback) {
  return alone(*state_, [&] { return state_->generate(options, callback); });
}

void Session::cancel() noexcept {
  state_->cancel();
}

void Session::clear_cancel() noexcept {
  state_->clear_cancel();
}

Result<Session> Session::fork() const {
  return alone(*state_, [&]() -> Result<Session> { return Session(state_->fork()); });
}

Status Session::save(const std::string& path) const {
  return alone(*state_, [&] { return state_->save(path); });
}

Status Session::load(const std::string& path) {
  return alone(*state_, [&] { return state_->load(path); });
}

std::span<const TokenId> Session::tokens() const noexcept {
  return state_->tokens();
}
std::span<const float> Session::logits() const noexcept {
  return state_->logits();
}
const SessionStats& Session::stats() const noexcept {
  return state_->stats();
}
std::size_t Session::context_tokens() const noexcept {
  return state_->context_tokens();
}

}  // namespace lfm
