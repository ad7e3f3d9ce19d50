#include "engine/pool/answer_memory.h"

#include <iterator>
#include <string_view>

#include "base/checksum.h"
#include "base/entropy.h"
#include "chat/json.h"

namespace lfm::engine {
namespace {

// Without white space around it, which clients cut.
std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void add(std::string_view text, std::string& out) {
  out += std::to_string(text.size());
  out += ' ';
  out += text;
}

// Spelt in one way, whatever way a client's library writes JSON in; as it is where it isn't any.
std::string spelt(const std::string& arguments) {
  const auto objects = chat::read_objects("[" + arguments + "]", "arguments");
  return objects.ok() && objects->size() == 1 ? objects->front() : arguments;
}

// What tells a message from others: all but thinking and tokens.
std::string told(const Message& message) {
  std::string out(1, static_cast<char>('0' + static_cast<int>(message.role)));
  add(trimmed(message.content), out);
  for (const ToolCall& call : message.tool_calls) {
    add(call.name, out);
    add(spelt(call.arguments), out);
  }
  return out;
}

std::uint64_t bytes_of(const Message& message) noexcept {
  std::uint64_t bytes = message.content.size() + message.reasoning.size() + message.tokens.size() * sizeof(TokenId);
  for (const ToolCall& call : message.tool_calls) bytes += call.name.size() + call.arguments.size() + sizeof call;
  return bytes;
}

}  // namespace

AnswerMemory::AnswerMemory(std::uint64_t most_bytes)
    : most_bytes_(most_bytes), begin_{base::random_word(), base::random_word()} {}

AnswerMemory::Key AnswerMemory::next(const Key& before, const Message& message) const {
  const std::string text = told(message);
  const auto bytes = std::as_bytes(std::span(text));
  return {base::checksum(bytes, before[0]), base::checksum(bytes, before[1])};
}

const AnswerMemory::Entry* AnswerMemory::find(const Key& key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return &entries_.front();
}

void AnswerMemory::remember(std::span<const Message> conversation, const Message& answer, const std::string& date) {
  Key key = begin_;
  for (const Message& message : conversation) key = next(key, message);
  key = next(key, answer);
  Entries added;
  added.push_back({key, answer, date, bytes_of(answer) + sizeof(Entry) + 8 * sizeof(void*)});
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = places_.try_emplace(key, added.begin());
  if (!is_new) {
    bytes_ -= place->second->bytes;
    entries_.erase(place->second);
    place->second = added.begin();
  }
  bytes_ += added.front().bytes;
  entries_.splice(entries_.begin(), added);
  while (bytes_ > most_bytes_) {
    const auto last = std::prev(entries_.end());
    bytes_ -= last->bytes;
    places_.erase(last->key);
    entries_.erase(last);
  }
}

void AnswerMemory::recall(std::span<Message> messages) {
  Key key = begin_;
  for (Message& message : messages) {
    key = next(key, message);
    if (message.role != Role::kAssistant || !message.tokens.empty()) continue;
    const std::lock_guard lock(mutex_);
    const Entry* const entry = find(key);
    if (entry == nullptr) continue;
    const bool other_thinking =
        !trimmed(message.reasoning).empty() && trimmed(message.reasoning) != trimmed(entry->answer.reasoning);
    if (!other_thinking) message = entry->answer;
  }
}

std::string AnswerMemory::date(std::span<const Message> messages) {
  Key key = begin_;
  for (const Message& message : messages) {
    key = next(key, message);
    if (message.role != Role::kAssistant) continue;
    const std::lock_guard lock(mutex_);
    const Entry* const entry = find(key);
    if (entry != nullptr) return entry->date;
  }
  return {};
}

AnswerMemory::Stats AnswerMemory::stats() const {
  const std::lock_guard lock(mutex_);
  return {entries_.size(), bytes_};
}

void AnswerMemory::clear() {
  const std::lock_guard lock(mutex_);
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace lfm::engine
