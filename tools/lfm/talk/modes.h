// The three ways to have a conversation. Each returns the program's exit status.
#pragma once

#include <string>

#include "talk/talk.h"

namespace lfm::cli {

struct ViewOptions {
  bool thinking = true;  // show it
  bool plain = false;    // show text at a terminal as it is
  std::string history;   // file for what is typed; empty: none
};

// At a terminal: questions and commands until its user leaves.
int talk_at_terminal(Talk& talk, const ViewOptions& options);

// One question: its answer alone on standard output; thinking, where it is shown, on standard error.
int ask_once(Talk& talk, std::string question, const ViewOptions& options);

// Lines from standard input, events on standard output (talk/events.h). 1 where any line couldn't be obeyed.
int talk_to_script(Talk& talk);

}  // namespace lfm::cli
