#pragma once

#include "jinja/machine.h"

namespace lfm::jinja {

class Machine::Scope {
 public:
  // Variables that aren't found in it are looked for in `parent`.
  Scope(Machine& machine, std::size_t parent)
      : machine_(machine), before_(machine.frame_), mine_(machine.frames_.size()) {
    machine.frames_.push_back({++machine.serials_, parent});
    machine.frame_ = mine_;
  }
  explicit Scope(Machine& machine) : Scope(machine, machine.frame_) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    machine_.frames_.pop_back();
    machine_.frame_ = before_;
  }

  // For the next turn of a loop: another frame in the same place.
  void renew() {
    Frame& frame = machine_.frames_[mine_];
    frame.serial = ++machine_.serials_;
    frame.variables.clear();
  }

 private:
  Machine& machine_;
  std::size_t before_;
  std::size_t mine_;
};

}  // namespace lfm::jinja
