// Where pieces of an answer go.
#pragma once

#include "lfm/session.h"

namespace lfm::chat {

class PieceSink {
 public:
  virtual void piece(const Piece& piece) = 0;

 protected:
  ~PieceSink() = default;
};

}  // namespace lfm::chat
