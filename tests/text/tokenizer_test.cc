#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/text/sample.h"

namespace lfm::text {
namespace {

constexpr TokenId kPad = 0, kBos = 1, kEndOfText = 2, kImStart = 6, kImEnd = 7;

std::vector<TokenId> encode(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options = {}) {
  auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids.ok());
  return ids.ok() ? *std::move(ids) : std::vector<TokenId>();
}

std::string decode(const Tokenizer& tokenizer, std::span<const TokenId> ids, const DecodeOptions& options = {}) {
  auto text = tokenizer.decode(ids, options);
  EXPECT_TRUE(text.ok());
  return text.ok() ? *std::move(text) : std::string();
}

// The sample with these tokens added to it.
Tokenizer with_added(const std::vector<std::pair<std::string, TokenType>>& added) {
  OwnedTokenizerData data = sample_data();
  for (const auto& [text, type] : added) {
    data.tokens.push_back(text);
    data.types.push_back(static_cast<std::int32_t>(type));
  }
  auto created = Tokenizer::create(data.view());
  EXPECT_TRUE(created.ok()) << created.error().describe();
  return *std::move(created);
}

TEST(Tokenizer, BosOnRequest) {
  const Tokenizer& tokenizer = sample_tokenizer();
  EXPECT_TRUE(tokenizer.adds_bos());
  EXPECT_EQ(encode(tokenizer, "", {.bos = true}), std::vector<TokenId>{kBos});
  EXPECT_EQ(encode(tokenizer, ""), std::vector<TokenId>{});
  EXPECT_EQ(encode(tokenizer, "The", {.bos = true}), (std::vector<TokenId>{kBos, 1886}));

  OwnedTokenizerData data = sample_data();
  data.rest.bos_id.reset();
  data.rest.add_bos = false;
  const auto without = Tokenizer::create(data.view());
  ASSERT_TRUE(without.ok());
  const auto ids = without->encode("x", {.bos = true});
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.error().code, ErrorCode::kArgument);
}

TEST(Tokenizer, ControlTokensOnRequest) {
  const Tokenizer& tokenizer = sample_tokenizer();
  EXPECT_EQ(encode(tokenizer, "a<|pad|>b"), (std::vector<TokenId>{80, kPad, 81}));
  for (const AddedTokens added : {AddedTokens::kUserDefined, AddedTokens::kNone}) {
    const auto ids = encode(tokenizer, "a<|pad|>b", {.added_tokens = added});
    EXPECT_EQ(std::count(ids.begin(), ids.end(), kPad), 0);
    EXPECT_EQ(decode(tokenizer, ids), "a<|pad|>b");
  }
}

TEST(Tokenizer, ControlTokensPrintedOrSkipped) {
  const Tokenizer& tokenizer = sample_tokenizer();
  const std::vector<TokenId> ids = {kImStart, 80, kImEnd};
  EXPECT_EQ(decode(tokenizer, ids), "<|im_start|>a<|im_end|>");
  EXPECT_EQ(decode(tokenizer, ids, {.skip_control = true}), "a");
}

TEST(Tokenizer, LeftmostThenLongestAddedTokenWins) {
  const Tokenizer tokenizer = with_added({{"<t>", TokenType::kUserDefined},
                                          {"<t>x", TokenType::kControl},
                                          {"ab<", TokenType::kUserDefined},
                                          {"\u00E9\u00E9", TokenType::kUserDefined}});
  const TokenId t = 4096, tx = 4097, ab = 4098, e = 4099;
  EXPECT_EQ(encode(tokenizer, "<t>x"), std::vector<TokenId>{tx});
  EXPECT_EQ(encode(tokenizer, "<t><t>x"), (std::vector<TokenId>{t, tx}));
  EXPECT_EQ(encode(tokenizer, "ab<t>"), (std::vector<TokenId>{ab, 99, 45}));
  EXPECT_EQ(encode(tokenizer, "\u00E9\u00E9\u00E9\u00E9"), (std::vector<TokenId>{e, e}));
  // A control token that may not be spelled doesn't hide a user-defined one that may.
  const auto user_defined = encode(tokenizer, "<t>x", {.added_tokens = AddedTokens::kUserDefined});
  EXPECT_EQ(user_defined, (std::vector<TokenId>{t, 103}));
  const auto none = encode(tokenizer, "<t>x", {.added_tokens = AddedTokens::kNone});
  EXPECT_EQ(std::count(none.begin(), none.end(), t), 0);
}

TEST(Tokenizer, NormalTokensOutsideTheByteAlphabetAreOnlyIds) {
  const Tokenizer tokenizer = with_added({{"a b", TokenType::kNormal}, {"[PAD7]", TokenType::kUnused}});
  const std::vector<TokenId> ids = {4096, 4097};
  EXPECT_EQ(decode(tokenizer, ids), "a b[PAD7]");
  const auto again = encode(tokenizer, "a b[PAD7]");
  EXPECT_LT(*std::max_element(again.begin(), again.end()), 4096);
}

// Beside looking for every token at every byte: few letters, so that tokens are in each other and overlap.
TEST(Tokenizer, AddedTokensAsByPlainSearch) {
  constexpr std::string_view kLetters[] = {"X", "Y", "\u00e9", "\u4f60"};
  std::mt19937 random(7);
  const auto letters = [&](std::size_t most) {
    std::string text;
    for (std::size_t left = 1 + random() % most; left > 0; --left) text += kLetters[random() % std::size(kLetters)];
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::string, TokenType>> added;
    for (std::size_t count = 1 + random() % 6; added.size() < count;) {
      const std::string text = letters(6);
      if (std::none_of(added.begin(), added.end(), [&](const auto& token) { return token.first == text; }) &&
          text.size() > 3) {
        added.emplace_back(text, random() % 2 == 0 ? TokenType::kControl : TokenType::kUserDefined);
      }
    }
    const Tokenizer tokenizer = with_added(added);
    const std::string text = letters(60);
    for (const AddedTokens which : {AddedTokens::kAll, AddedTokens::kUserDefined}) {
      std::vector<TokenId> expected;
      std::size_t plain = 0;
      const auto end_plain = [&](std::size_t end) {
        const auto ids = encode(tokenizer, text.substr(plain, end - plain), {.added_tokens = AddedTokens::kNone});
        expected.insert(expected.end(), ids.begin(), ids.end());
      };
      for (std::size_t at = 0; at < text.size();) {
        std::string longest;
        for (const auto& [token, type] : added) {
          if (which == AddedTokens::kUserDefined && type != TokenType::kUserDefined) continue;
          if (text.compare(at, token.size(), token) == 0 && token.size() > longest.size()) longest = token;
        }
        if (longest.empty()) {
          ++at;
          continue;
        }
        end_plain(at);
        expected.push_back(tokenizer.vocabulary().find_plain(longest));
        plain = at += longest.size();
      }
      end_plain(text.size());
      EXPECT_EQ(encode(tokenizer, text, {.added_tokens = which}), expected) << text;
    }
  }
}

// Across the pieces in which a long text is searched.
TEST(Tokenizer, AddedTokensInALongText) {
  const Tokenizer tokenizer = with_added({{"<token>", TokenType::kUserDefined}});
  const TokenId token = tokenizer.vocabulary().find_plain("<token>");
  for (std::size_t before = 16370; before < 16400; ++before) {
    const auto ids =
        encode(tokenizer, std::string(before, ' ') + "<token><token>" + std::string(20000, ' ') + "<token>",
               {.added_tokens = AddedTokens::kUserDefined});
    EXPECT_EQ(std::count(ids.begin(), ids.end(), token), 3) << before;
    std::string text = *tokenizer.decode(ids);
    EXPECT_EQ(text.find("<token>"), before);
  }
}

TEST(Tokenizer, MergesOfAddedTokensAreKeptOut) {
  OwnedTokenizerData data = sample_data();
  const auto the = static_cast<std::size_t>(encode(sample_tokenizer(), "The").front());
  data.types[the] = static_cast<std::int32_t>(TokenType::kControl);
  const auto tokenizer = Tokenizer::create(data.view());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
  EXPECT_EQ(encode(*tokenizer, "xThe").back(), static_cast<TokenId>(the));
  const auto plain = encode(*tokenizer, "The The", {.added_tokens = AddedTokens::kUserDefined});
  EXPECT_EQ(std::count(plain.begin(), plain.end(), static_cast<TokenId>(the)), 0);
  EXPECT_EQ(decode(*tokenizer, plain), "The The");
}

TEST(Tokenizer, EndTokens) {
  const Tokenizer& tokenizer = sample_tokenizer();
  EXPECT_TRUE(tokenizer.ends_generation(kImEnd));
  EXPECT_TRUE(tokenizer.ends_generation(kEndOfText));
  EXPECT_FALSE(tokenizer.ends_generation(kPad));
  EXPECT_FALSE(tokenizer.ends_generation(kBos));
  OwnedTokenizerData data = sample_data();
  data.rest.eos_id = 5;
  data.rest.eot_id = 4;
  const auto other = Tokenizer::create(data.view());
  ASSERT_TRUE(other.ok());
  EXPECT_TRUE(std::ranges::equal(other->end_tokens(), std::vector<TokenId>{kEndOfText, 4, 5, kImEnd}));
}

TEST(Tokenizer, DecodeNamesTheBadId) {
  for (const TokenId bad : {-1, 4096, INT32_MAX, INT32_MIN}) {
    const std::vector<TokenId> ids = {80, bad};
    const auto text = sample_tokenizer().decode(ids);
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.error().code, ErrorCode::kArgument);
    EXPECT_EQ(text.error().index, 1u);
  }
}

// Strings that are now random bytes, now pieces of text, of markers and of broken UTF-8.
std::string random_bytes(std::mt19937& random) {
  static const std::string_view kParts[] = {"a",          " ",      "the ",       "\n",     "\r\n", "'s",
                                            "12",         "\u6B63", "\U0001F642", "\xF0",   "\x9F", "\x80",
                                            "<|im_end|>", "<|im_",  "|>",         "\u00A0", "    "};
  std::string bytes;
  for (std::size_t i = random() % 40; i > 0; --i) {
    if (random() % 2 == 0) {
      bytes += static_cast<char>(random());
    } else {
      bytes += kParts[random() % std::size(kParts)];
    }
  }
  return bytes;
}

TEST(Tokenizer, DecodingGivesBackAnyBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    const std::string bytes = random_bytes(random);
    const EncodeOptions options = {.added_tokens = static_cast<AddedTokens>(round % 3)};
    ASSERT_EQ(decode(sample_tokenizer(), encode(sample_tokenizer(), bytes, options)), bytes) << round;
  }
}

TEST(Tokenizer, TextFromOutsideNeverGivesAControlToken) {
  const Tokenizer& tokenizer = sample_tokenizer();
  std::vector<std::string> markers;
  for (TokenId id = 0; id < 4096; ++id) {
    if (tokenizer.is_control(id)) markers.emplace_back(tokenizer.piece(id));
  }
  ASSERT_EQ(markers.size(), 16u);
  std::mt19937 random(3);
  for (int context = 0; context < 1000; ++context) {
    const std::string before = random_bytes(random), after = random_bytes(random);
    for (const std::string& marker : markers) {
      std::string text = before;
      text += marker;
      text.insert(random() % (text.size() + 1), marker);  // nested, split or beside it
      text += after;
      for (const AddedTokens added : {AddedTokens::kUserDefined, AddedTokens::kNone}) {
        for (const TokenId id : encode(tokenizer, text, {.added_tokens = added})) {
          ASSERT_FALSE(tokenizer.is_control(id)) << text;
        }
      }
    }
  }
}

TEST(Tokenizer, TextsBeyondTheLimit) {
  const std::string text(Tokenizer::kMaxTextBytes + 1, 'a');
  std::vector<TokenId> ids = {5};
  const Status status = sample_tokenizer().encode(text, {}, ids);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kLimit);
  EXPECT_EQ(ids, std::vector<TokenId>{5});
}

}  // namespace
}  // namespace lfm::text
