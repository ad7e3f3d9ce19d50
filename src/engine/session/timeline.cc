#include "engine/session/timeline.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/try.h"

namespace lfm::engine {

Result<Timeline> Timeline::create(const model::Config& config, std::size_t room, std::size_t snapshot_bytes,
                                  kernels::KvFormat cache, const model::Config* draft) {
  LFM_ASSIGN(model::State state, model::State::create(config, room, cache, draft));
  LFM_ASSIGN(model::Snapshots snapshots, model::Snapshots::create(state.all_conv().size(), snapshot_bytes, room));
  const std::size_t stride = base::round_up(config.vocab, kernels::kTileRows);
  Timeline timeline{{}, std::move(state), std::move(snapshots), config.vocab, stride, std::vector<float>(stride)};
  timeline.tokens.reserve(room);
  return timeline;
}

Timeline Timeline::fork(std::size_t position) const {
  const bool whole = position == tokens.size();
  const std::span<const float> conv = whole ? state.all_conv() : snapshots.find(position).conv;
  Timeline fork{{}, state.fork(position, conv), snapshots.fork(position), vocab, logits_stride,
                {}, whole && logits_valid};
  fork.tokens.reserve(tokens.capacity());
  fork.tokens.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(position));
  fork.logits.resize(logits.size());
  if (fork.logits_valid) fork.logits = logits;
  return fork;
}

std::size_t Timeline::common(std::span<const TokenId> other) const noexcept {
  const auto differs = std::mismatch(tokens.begin(), tokens.end(), other.begin(), other.end());
  return static_cast<std::size_t>(differs.first - tokens.begin());
}

std::size_t Timeline::reusable(std::span<const TokenId> other) const noexcept {
  const std::size_t alike = common(other);
  if (alike == tokens.size() && (alike < other.size() || logits_valid)) return alike;
  // Where tokens go, or logits are wanted that are no longer there, the last token at least is evaluated again.
  return snapshots.find(std::min(alike, other.empty() ? 0 : other.size() - 1)).position;
}

void Timeline::adopt(const Timeline& other, std::size_t position) {
  state.adopt(other.state, position);
  snapshots.adopt(other.snapshots, position);
}

std::vector<Timeline::Block> Timeline::shared_blocks() const {
  std::vector<Block> blocks;
  const model::KvCache* const draft = state.draft_kv();
  blocks.reserve(state.kv().size() + (draft != nullptr ? draft->size() : 0) + snapshots.size());
  for (const model::KvCache* const kv : {&state.kv(), draft}) {
    for (std::size_t i = 0; kv != nullptr && i < kv->size(); ++i) blocks.push_back({kv->page(i), kv->page_bytes()});
  }
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const std::span<const float> conv = snapshots.at(i).conv;
    blocks.push_back({conv.data(), conv.size_bytes()});
  }
  return blocks;
}

std::size_t Timeline::own_bytes() const noexcept {
  return sizeof *this + tokens.size() * sizeof(TokenId) + (logits.size() + state.all_conv().size()) * sizeof(float) +
         ahead.bytes();
}

void Timeline::keep_state() {
  const model::Snapshots::Found kept = snapshots.find(state.position());
  if (kept.position == state.position() && !kept.conv.empty()) return;
  const std::span<const float> conv = std::as_const(state).all_conv();
  std::copy(conv.begin(), conv.end(), snapshots.add(state.position()).begin());
}

void Timeline::leave_ahead() noexcept {
  state.rewind(tokens.size(), ahead.conv(0));
  std::ranges::copy(ahead.logits(0), logits.begin());
  logits_valid = true;
}

bool Timeline::take_ahead(TokenId token) {
  if (ahead.left().empty() || ahead.left().front() != token) return false;
  const std::size_t row = ahead.take();
  tokens.push_back(token);
  state.advance(1);
  std::ranges::copy(ahead.conv(row), state.all_conv().begin());
  std::ranges::copy(ahead.logits(row), logits.begin());
  return true;
}

void Timeline::rewind(std::size_t position) noexcept {
  ahead.clear();
  const model::Snapshots::Found found = snapshots.find(position);
  state.rewind(found.position, found.conv);
  snapshots.drop_after(found.position);
  tokens.resize(found.position);
  logits_valid = false;
}

void Timeline::settle() noexcept {
  if (state.position() == tokens.size()) {
    snapshots.drop_after(tokens.size());
  } else {
    clear();
  }
}

}  // namespace lfm::engine
