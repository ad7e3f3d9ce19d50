#include "talk/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>

#include "base/descriptor.h"

namespace lfm::cli {
namespace {

constexpr int kHistoryEntries = 1000;
constexpr std::size_t kPasteCharacters = std::size_t{1} << 20;
constexpr std::string_view kBracketsOn = "\x1b[?2004h";  // pasted text comes between kPasteBegins and kPasteEnds
constexpr std::string_view kBracketsOff = "\x1b[?2004l";
constexpr const char* kPasteBegins = "\x1b[200~";
constexpr std::wstring_view kPasteEnds = L"\x1b[201~";

// Control characters can't be told from keys: line breaks and tabs stay, others go.
std::wstring typable(std::wstring_view text) {
  std::wstring kept;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const wchar_t c = text[i];
    if (c == L'\r') {
      if (i + 1 == text.size() || text[i + 1] != L'\n') kept += L'\n';
    } else if (c == L'\n' || c == L'\t' || (c >= 0x20 && (c < 0x7F || c > 0x9F))) {
      kept += c;
    }
  }
  return kept;
}

// Characters are what the user's locale says, and UTF-8 where it says nothing of the kind. Numbers stay as they are.
void use_utf8() {
  if (std::setlocale(LC_CTYPE, "") != nullptr && std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0) return;
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

void write_terminal(std::string_view bytes) {
  (void)base::write_all(STDOUT_FILENO, bytes);
}

// Rows that lie above the cursor, when the terminal has so many columns and shows this up to the cursor.
int rows_above(std::wstring_view shown, int columns) {
  int rows = 0;
  int column = 0;
  for (const wchar_t c : shown) {
    const int width = c == L'\t' ? 8 - column % 8 : std::max(::wcwidth(c), 0);
    if (c == L'\n' || column + width > columns) ++rows, column = 0;
    if (c != L'\n') column += width;
    if (column == columns) ++rows, column = 0;
  }
  return rows;
}

}  // namespace

struct LineEditor::Editor {
  Editor(TerminalSignals& terminal_signals, Completion complete) : signals(terminal_signals), completion(complete) {}

  TerminalSignals& signals;
  Completion completion;
  EditLine* line = nullptr;
  History* history = nullptr;
  std::string prompt;
  std::vector<std::string> pasted;  // into the line that is read
  bool interrupted = false;
  bool brackets = false;  // the terminal can say where pasted text begins and ends
  mbstate_t decoding{};

  static Editor& of(EditLine* line) {
    void* self = nullptr;
    el_get(line, EL_CLIENTDATA, &self);
    return *static_cast<Editor*>(self);
  }

  static char* show_prompt(EditLine* line) { return of(line).prompt.data(); }
  static int next_character(EditLine* line, wchar_t* out) { return of(line).next(*out); }

  // 1 for a character, 0 at the end of the input, -1 where Ctrl-C ends it.
  int next(wchar_t& out) {
    while (true) {
      switch (signals.wait()) {
        case TerminalSignals::Event::kInput: {
          char byte = 0;
          if (base::read_some(STDIN_FILENO, {&byte, 1}) <= 0) return 0;
          if (decode(byte, out)) return 1;
          break;
        }
        case TerminalSignals::Event::kInterrupt:
          interrupted = true;
          return -1;
        case TerminalSignals::Event::kStop:
          erase();
          take_terminal(false);
          signals.stop();  // kContinue follows
          break;
        case TerminalSignals::Event::kContinue:
          take_terminal(true);
          el_set(line, EL_REFRESH);
          break;
        case TerminalSignals::Event::kResize:
          el_resize(line);
          break;
        case TerminalSignals::Event::kLost:
          return 0;
      }
    }
  }

  // Takes the line off the screen, so that it stands there once when it is drawn again wherever the cursor is then.
  void erase() {
    const LineInfoW* const info = el_wline(line);
    int columns = 80;
    el_get(line, EL_GETTC, "co", &columns);
    std::wstring shown;
    bool visible = true;
    for (const char c : prompt) {
      if (c == '\1') visible = !visible;
      if (c != '\1' && visible) shown += static_cast<wchar_t>(static_cast<unsigned char>(c));
    }
    shown.append(info->buffer, info->cursor);
    const int rows = rows_above(shown, columns);
    write_terminal((rows > 0 ? "\x1b[" + std::to_string(rows) + "A" : "") + "\r\x1b[J");
  }

  // Switches it between the mode for editing and its usual one.
  void take_terminal(bool editing) {
    el_set(line, EL_PREP_TERM, editing ? 1 : 0);
    if (brackets) write_terminal(editing ? kBracketsOn : kBracketsOff);
  }

  // Whether the byte completes a character; one that is no character of the user's locale is dropped.
  bool decode(char byte, wchar_t& out) {
    const std::size_t n = std::mbrtowc(&out, &byte, 1, &decoding);
    if (n == static_cast<std::size_t>(-1)) decoding = mbstate_t{};
    return n <= 1;
  }

  static unsigned char on_paste(EditLine* line, int) {
    std::wstring text;
    wchar_t c = 0;
    while (!std::wstring_view(text).ends_with(kPasteEnds)) {
      if (el_wgetc(line, &c) != 1) return CC_EOF;
      text += c;
      if (text.size() >= 2 * kPasteCharacters)  // too long: only the end matters from here on
        text.erase(kPasteCharacters, text.size() - kPasteCharacters - kPasteEnds.size());
    }
    text.resize(std::min(text.size() - kPasteEnds.size(), kPasteCharacters));
    text = typable(text);
    if (text.empty()) return CC_REFRESH;
    const LineInfo* info = el_line(line);
    const std::ptrdiff_t begin = info->cursor - info->buffer;
    if (el_winsertstr(line, text.c_str()) != 0) return CC_ERROR;
    info = el_line(line);
    of(line).pasted.emplace_back(info->buffer + begin, info->cursor);
    return CC_REFRESH;
  }

  static unsigned char on_line_break(EditLine* line, int) {
    return el_winsertstr(line, L"\n") == 0 ? CC_REFRESH : CC_ERROR;
  }

  static unsigned char on_tab(EditLine* line, int) {
    const LineInfo* const info = el_line(line);
    const std::string_view word(info->buffer, static_cast<std::size_t>(info->cursor - info->buffer));
    if (word.empty() || word.find_first_of(" \n") != std::string_view::npos) return CC_ERROR;
    const std::vector<std::string> found = of(line).completion(word);
    if (found.size() != 1) return CC_ERROR;
    el_insertstr(line, (found[0].substr(word.size()) + " ").c_str());
    return CC_REFRESH;
  }

  // As if somebody pasted it.
  void push_pasted(std::string_view text) {
    std::string keys = kPasteBegins;
    for (const char c : text) {
      if (c != '\x1b' && c != '\0') keys += c;
    }
    el_push(line, (keys + "\x1b[201~").c_str());
  }

  void bind_keys() {
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_ADDFN, "lfm-paste", "insert pasted text", on_paste);
    el_set(line, EL_ADDFN, "lfm-line-break", "insert a line break", on_line_break);
    el_set(line, EL_ADDFN, "lfm-complete", "complete a command", on_tab);
    static constexpr const char* kKeys[][2] = {
        {"\\e[200~", "lfm-paste"},         {"\\e^M", "lfm-line-break"},
        {"\\e^J", "lfm-line-break"},       {"^I", "lfm-complete"},
        {"^R", "em-inc-search-prev"},      {"^W", "ed-delete-prev-word"},
        {"\\e[3~", "ed-delete-next-char"}, {"\\e[H", "ed-move-to-beg"},
        {"\\e[1~", "ed-move-to-beg"},      {"\\e[F", "ed-move-to-end"},
        {"\\e[4~", "ed-move-to-end"},      {"\\e[1;5D", "ed-prev-word"},
        {"\\e[1;5C", "em-next-word"},
    };
    for (const auto& key : kKeys) el_set(line, EL_BIND, key[0], key[1], nullptr);
    el_source(line, nullptr);
  }
};

LineEditor::LineEditor(TerminalSignals& signals, Completion completion)
    : editor_(std::make_unique<Editor>(signals, completion)) {
  use_utf8();
  Editor& e = *editor_;
  e.history = history_init();
  e.line = el_init("lfm", stdin, stdout, stderr);
  if (e.line == nullptr || e.history == nullptr) return;
  HistEvent event;
  history(e.history, &event, H_SETSIZE, kHistoryEntries);
  el_set(e.line, EL_CLIENTDATA, editor_.get());
  el_set(e.line, EL_HIST, history, e.history);
  el_set(e.line, EL_PROMPT_ESC, Editor::show_prompt, '\1');
  el_wset(e.line, EL_GETCFN, Editor::next_character);
  e.bind_keys();
  const char* const terminal = std::getenv("TERM");
  e.brackets = terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

LineEditor::~LineEditor() {
  if (editor_->line != nullptr) el_end(editor_->line);
  if (editor_->history != nullptr) history_end(editor_->history);
}

LineEditor::Line LineEditor::read(const std::string& prompt, std::string_view begun) {
  Editor& e = *editor_;
  if (e.line == nullptr) return {};
  const TerminalSignals::Listener listener;
  e.prompt = prompt;
  e.interrupted = false;
  e.pasted.clear();
  if (!begun.empty()) e.push_pasted(begun);
  e.take_terminal(true);  // el_gets does so once the prompt is there: keys struck at once would come in the usual mode
  int count = 0;
  const char* const text = el_gets(e.line, &count);
  e.take_terminal(false);
  if (e.interrupted) {
    write_terminal("^C\n");
    return {End::kCtrlC};
  }
  if (text == nullptr || count <= 0) return {};
  std::string_view line(text);
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto any = [&](auto&& is) { return std::any_of(e.pasted.begin(), e.pasted.end(), is); };
  return {End::kLine, std::string(line),
          {any([&](const std::string& paste) { return line.starts_with(paste); }),
           any([&](const std::string& paste) { return line.ends_with(paste); })}};
}

void LineEditor::remember(const std::string& text) {
  if (text.empty() || editor_->history == nullptr) return;
  HistEvent event;
  history(editor_->history, &event, H_ENTER, text.c_str());
}

}  // namespace lfm::cli
