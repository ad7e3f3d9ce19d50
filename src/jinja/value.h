// What expressions have as values: Python's, as far as chat templates meet them. Values are immutable and shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/text.h"

namespace lfm::jinja {

enum class Kind : std::uint8_t {
  kUndefined,
  kNone,
  kBoolean,
  kInteger,
  kBigInteger,  // of more than 64 bits: it can be written and compared for being equal, and that is all
  kFloat,
  kString,
  kList,
  kDict,
  kNamespace,
  kLoop,
  kFunction,
};

struct Object {
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;
  std::uint32_t depth = 0;  // of objects within each other
};

struct String;
struct List;
struct Dict;
struct Namespace;
struct Loop;
struct Function;

class Value {
 public:
  Value() noexcept = default;
  // `name` outlives the value: what errors call it.
  static Value undefined(const std::string* name) noexcept;
  static Value none() noexcept { return Value(Kind::kNone, Origin::kTemplate); }
  static Value boolean(bool value, Origin origin = Origin::kTemplate) noexcept;
  static Value integer(std::int64_t value, Origin origin = Origin::kTemplate) noexcept;
  static Value number(double value, Origin origin = Origin::kTemplate) noexcept;
  static Value big_integer(std::string digits, Origin origin);
  static Value string(Text text);
  static Value string(std::string bytes, Origin origin) { return string(Text(std::move(bytes), origin)); }
  static Value list(std::vector<Value> items);
  static Value dict(std::vector<std::pair<Value, Value>> members);
  static Value object(Kind kind, std::shared_ptr<const Object> object) noexcept;
  static Value of(Namespace* names) noexcept;

  Kind kind() const noexcept { return kind_; }
  bool is(Kind kind) const noexcept { return kind_ == kind; }
  bool is_number() const noexcept { return kind_ >= Kind::kBoolean && kind_ <= Kind::kFloat; }
  bool is_integral() const noexcept { return kind_ == Kind::kBoolean || kind_ == Kind::kInteger; }
  Origin origin() const noexcept { return origin_; }  // of numbers

  // Each requires its kind.
  bool boolean() const noexcept { return integer_ != 0; }
  std::int64_t integer() const noexcept { return integer_; }  // of booleans too
  double number() const noexcept { return kind_ == Kind::kFloat ? float_ : static_cast<double>(integer_); }
  const Text& text() const noexcept;  // of kBigInteger too
  std::string_view bytes() const noexcept { return text().bytes(); }
  const List& list() const noexcept;
  const std::vector<Value>& items() const noexcept;
  const Dict& dict() const noexcept;
  Namespace& names() const noexcept { return *names_; }
  const Loop& loop() const noexcept;
  const Function& function() const noexcept;
  const std::string* name() const noexcept { return kind_ == Kind::kUndefined ? name_ : nullptr; }
  bool same_object(const Value& other) const noexcept { return object_ == other.object_; }
  std::uint32_t depth() const noexcept { return object_ == nullptr ? 0 : object_->depth; }

 private:
  Value(Kind kind, Origin origin) noexcept : kind_(kind), origin_(origin) {}

  Kind kind_ = Kind::kUndefined;
  Origin origin_ = Origin::kTemplate;
  union {
    const std::string* name_ = nullptr;
    std::int64_t integer_;
    double float_;
    Namespace* names_;
  };
  std::shared_ptr<const Object> object_;
};

// Counts the bytes that values hold while a template runs.
class Charge {
 public:
  Charge() = default;
  Charge(std::size_t& used, std::size_t bytes) noexcept : used_(&used), bytes_(bytes) { used += bytes; }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() {
    if (used_ != nullptr) *used_ -= bytes_;
  }

 private:
  std::size_t* used_ = nullptr;
  std::size_t bytes_ = 0;
};

struct String : Object {
  explicit String(Text t) : text(std::move(t)) {}
  String(Text t, std::size_t& used) : text(std::move(t)), charge(used, text.memory() + sizeof(String)) {}
  Text text;
  Charge charge;
};

struct List : Object {
  enum class Form : std::uint8_t {
    kList,
    kTuple,
    kGenerator
  };  // the last is what map() and its like give: never false
  List(std::vector<Value> i, Form f) : items(std::move(i)), form(f) { deepen(); }
  List(std::vector<Value> i, Form f, std::size_t& used)
      : items(std::move(i)), form(f), charge(used, items.capacity() * sizeof(Value) + sizeof(List)) {
    deepen();
  }
  std::vector<Value> items;
  Form form;
  Charge charge;

 private:
  void deepen() noexcept;
};

struct Dict : Object {
  using Members = std::vector<std::pair<Value, Value>>;
  explicit Dict(Members m) : members(std::move(m)) { deepen(); }
  Dict(Members m, std::size_t& used)
      : members(std::move(m)), charge(used, members.capacity() * 2 * sizeof(Value) + sizeof(Dict)) {
    deepen();
  }
  const Value* find(std::string_view key) const noexcept;
  const Value* find(const Value& key) const noexcept;
  Members members;  // in the order of insertion, each key once; keys are strings, numbers, booleans or none
  Charge charge;

 private:
  void deepen() noexcept;
};

// Belongs to the run of the template, since values within may refer to it.
struct Namespace {
  std::vector<std::pair<std::string, Value>> members;
  const Value* find(std::string_view name) const noexcept;
  void set(std::string_view name, Value value);
};

inline const Text& Value::text() const noexcept {
  return static_cast<const String&>(*object_).text;
}
inline const List& Value::list() const noexcept {
  return static_cast<const List&>(*object_);
}
inline const std::vector<Value>& Value::items() const noexcept {
  return list().items;
}
inline const Dict& Value::dict() const noexcept {
  return static_cast<const Dict&>(*object_);
}

}  // namespace lfm::jinja
