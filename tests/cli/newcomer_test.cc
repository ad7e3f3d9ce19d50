// The first five minutes of people who come from llama.cpp or Ollama: whatever they type, one sentence says what to do.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "chat_model.h"

namespace lfm::test {
namespace {

struct Typed {
  std::vector<std::string> words;
  const char* says;
};

class Newcomer : public testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& words) const {
    return run_program({.arguments = words, .input = "Hello", .environment = model_.environment()});
  }

  // A line of at most 300 characters, and what `lines` more are.
  void expect_sentence(const Typed& typed, int status, std::ptrdiff_t lines) const {
    const Outcome outcome = run(typed.words);
    const std::string line = testing::PrintToString(typed.words);
    EXPECT_EQ(outcome.status, status) << line << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_TRUE(outcome.err.starts_with("lfm: ")) << line << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), lines) << line << outcome.err;
    EXPECT_LT(outcome.err.find('\n'), 320u) << line << outcome.err;
    EXPECT_NE(outcome.err.substr(0, outcome.err.find('\n')).find(typed.says), std::string::npos) << line << outcome.err;
  }

  std::string file(const std::string& name, const std::string& bytes = "") const {
    std::filesystem::create_directories(std::filesystem::path(model_.folder().path(name)).parent_path());
    return model_.folder().write(name, bytes);
  }

  ChatModel model_;
};

TEST_F(Newcomer, Commands) {
  const std::string model = model_.path();
  const Typed all[] = {
      {{}, "name a command first: 'lfm chat MODEL' talks with a model"},
      {{"-m", model, "-p", "Hello"}, "name a command first"},
      {{"-hf", "LiquidAI/LFM2-8B-A1B-GGUF"}, "-hf: name a command first, as in 'lfm chat -hf"},
      {{model}, "name a command first: 'lfm chat MODEL' talks with it"},
      {{"download", "lfm2.5"}, "download: 'lfm pull LiquidAI/LFM2-8B-A1B-GGUF'"},
      {{"ls"}, "ls: 'lfm list' tells what is kept"},
      {{"ps"}, "ps: lfm runs no models in the background"},
      {{"create", "x"}, "create: lfm has 'lfm pull', 'lfm list' and 'lfm rm'"},
      {{"server"}, "server: 'lfm serve' is the server"},
      {{"show", model}, "show: 'lfm inspect FILE'"},
      {{"caht", "-m", model}, "caht: no such command; did you mean chat?"},
      {{"\x1b[31mxyzzy"}, "␛[31mxyzzy: no such command; there are chat, run, "},
      {{"chat"}, "name the model: 'lfm chat FILE', or one on the hub as in 'lfm chat LiquidAI"},
      {{"inspect"}, "name the model: 'lfm inspect FILE'"},
      {{"run", "llama3.2", "Hello"}, "Hello: what is it? A text goes behind -p"},
      {{"run", "-m", model, "Hello there"}, "Hello there: what is it? A text goes behind -p"},
      {{"chat", "-m"}, "--model: its value is missing"},
      {{"pull"}, "name a model on the hub, as in 'lfm pull LiquidAI/LFM2-8B-A1B-GGUF'"},
      {{"rm"}, "say what is to go: 'lfm list' has the names"},
      {{"chat", "-m", model, "-m", model}, "--model is there more than once"},
      {{"run", "Hello there", "-m", model}, "Hello there: what is it? A text goes behind -p"},
      {{"chat", "Hello", "--model=" + model}, "Hello: what is it? A text goes behind -p"},
      {{"chat", "-n", "3", "Hello", "-m", model}, "Hello: what is it? A text goes behind -p"},
      {{"tokenize", "Hello", "-m", model}, "Hello: lfm tokenize reads standard input"},
      {{"What is it?", "-m", model}, "What is it?: name a command first: 'lfm chat MODEL -p TEXT' asks a question"},
  };
  for (const Typed& typed : all) expect_sentence(typed, 2, 2);
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help", "chat"}).out, run({"chat", "--help"}).out);
  EXPECT_EQ(run({"version"}).out, run({"--version"}).out);
  EXPECT_EQ(run({"inspect", "-m", model}).out, run({"inspect", model}).out);
}

// All that lfm doesn't take is told at once, each option once.
TEST_F(Newcomer, ACopiedCommandLine) {
  const Outcome outcome = run({"run", "-m", model_.path(), "-p", "Hello", "-ngl", "99", "-c", "64", "-fa", "-b", "512",
                               "--mlock", "-ngl", "99", "-xyz"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "lfm: -ngl: lfm computes on the CPU alone; leave it out\n"
            "lfm: -fa: lfm does so anyway; leave it out\n"
            "lfm: -b: lfm chooses how many tokens run together; leave it out\n"
            "lfm: --mlock: --load copy keeps the weights in memory of their own\n"
            "lfm: -xyz: lfm has no such option\n"
            "Run with --help for more information.\n");
}

TEST_F(Newcomer, Options) {
  const Typed all[] = {
      {{"-ngl", "99"}, "-ngl: lfm computes on the CPU alone; leave it out"},
      {{"-hf", "LiquidAI/LFM2-8B-A1B-GGUF:Q4_0"}, "--model excludes --hf-repo"},
      {{"-hft", "hf_x"}, "-hft: the variable HF_TOKEN holds the token"},
      {{"--offline"}, "--offline: what is here is never asked for; HF_HUB_OFFLINE=1"},
      {{"-mu", "https://example.org/m.gguf"}, "-mu: lfm downloads from the Hugging Face hub alone"},
      {{"-i"}, "-i: lfm chat talks at a terminal without it"},
      {{"--color"}, "--color: colours are there"},
      {{"--lora", "x"}, "--lora: "},
      {{"-cmoe"}, "-cmoe: lfm computes on the CPU alone"},
      {{"--repeat_penalty", "1.1"}, "--repeat_penalty: lfm run has no such option; did you mean --repeat-penalty?"},
      {{"--temprature", "1"}, "did you mean --temp?"},
      {{"--ctx", "100"}, "did you mean --ctx-size?"},
      {{"--thread=2"}, "--thread: lfm run has no such option; did you mean --threads?"},
      {{"--grammar", "x"}, "--grammar: lfm reads no GBNF: -j and -jf take a JSON schema"},
      {{"--keep", "4"}, "--keep: lfm drops nothing of a full context"},
      {{"--prompt-cache", "x"}, "--prompt-cache: in lfm chat /save keeps"},
      {{"--logit-bias", "1+1"}, "--logit-bias: lfm favours no single tokens"},
      {{"-e"}, "-e: lfm takes a text as it is; a shell turns $'a\\nb' into two lines"},
      {{"--in-prefix", "x"}, "--in-prefix: lfm chat writes messages as the model's template does"},
      {{"--chat-template", "x"}, "--chat-template: lfm runs the template that is in the model's file"},
      {{"--\x1b]0;title\x07"}, "--␛]0;title␇: lfm run has no such option"},
      {{"--\xE2\x80\xAEtxt"}, "--<U+202E>txt: lfm run has no such option"},
      {{std::string("--") + std::string(5000, 'x')}, "..."},
  };
  for (const Typed& typed : all) {
    std::vector<std::string> words = {"run", "-m", model_.path(), "-p", "Hello"};
    words.insert(words.end(), typed.words.begin(), typed.words.end());
    expect_sentence({words, typed.says}, 2, 2);
  }
  for (const char* command : {"run", "chat"}) {
    const Outcome outcome =
        run({command, "-m", model_.path(), "-p", "Hello", "-n", "2", "--verbose", "--pack-cache", "off"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.err.find("tokens"), std::string::npos) << outcome.err;
  }
  for (const char* option : {"--n-predict", "--max-tokens", "--num-predict"})
    EXPECT_EQ(run({"run", "-m", model_.path(), "-p", "Hello", option, "2", "--pack-cache", "off"}).status, 0);
}

// What the library refuses is said of the option, not of what the library calls it.
TEST_F(Newcomer, ErrorsNameOptions) {
  const Typed all[] = {
      {{"-c", "99999999"}, "lfm: --ctx-size: the model was trained for"},
      {{"--top-p", "0"}, "lfm: --top-p: expected more than 0"},
      {{"--stop", ""}, "lfm: --stop: a stop string is empty"},
  };
  for (const Typed& typed : all) {
    std::vector<std::string> words = {"run", "-m", model_.path(), "-p", "Hello", "--pack-cache", "off"};
    words.insert(words.end(), typed.words.begin(), typed.words.end());
    expect_sentence({words, typed.says}, 1, 1);
  }
}

TEST_F(Newcomer, Models) {
  const std::string page = file("page.gguf", "<!DOCTYPE html><html>");
  const std::string pointer =
      file("pointer.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  const std::string tensors =
      file("model.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10) + std::string(600, '\1'));
  const std::string half = file("half.gguf", read_all(model_.path()).substr(0, 20000));
  file("a/b.gguf"), file("a/c.gguf"), file("a/d.gguf"), file("a/e.gguf");
  file("checkpoint/model.safetensors");
  std::filesystem::create_directories(model_.folder().path("empty"));
  const Typed all[] = {
      {{page}, "page.gguf: not a GGUF file, but a page of HTML"},
      {{pointer}, "pointer.gguf: not a GGUF file, but a Git LFS pointer, which stands for the file: 'git lfs pull'"},
      {{tensors}, "model.safetensors: not a GGUF file, but a safetensors file: name the folder that it is in"},
      {{half}, "if it was downloaded, download it again"},
      {{model_.folder().path("a")}, "a: is a folder; name the GGUF file in it: b.gguf, c.gguf, d.gguf and 1 more"},
      {{model_.folder().path("checkpoint")}, "checkpoint: is a folder of safetensors files without config.json"},
      {{model_.folder().path("empty")}, "empty: is a folder without GGUF files"},
      {{model_.folder().path("a/x.gguf")}, "x.gguf: there is no such file; beside it there is b.gguf, c.gguf"},
      {{"/nowhere/x.gguf"},
       "/nowhere/x.gguf: there is no such file: name a GGUF file of an LFM2 model, or one on the hub as in"},
      {{"LiquidAI/LFM2-8B-A1B-GGUF:Q4_0"},
       "LiquidAI/LFM2-8B-A1B-GGUF:Q4_0: there is no such file, and on the hub: not in "},
      {{"hf.co/LiquidAI/LFM2-8B-A1B-GGUF"}, "and HF_HUB_OFFLINE is set"},
      {{model_.folder().path("a").substr(1) + "/x"}, ": there is no such file"},
      {{"https://example.org/m.gguf"}, "curl -LO"},
      {{"lfm2.5:1.2b"}, "lfm2.5:1.2b: there is no such file, and lfm doesn't know Ollama's names"},
      {{"~/models/x.gguf"}, "write $HOME instead"},
      {{""}, "--model: the name is empty"},
  };
  for (const Typed& typed : all) {
    const std::string& path = typed.words[0];
    for (const std::vector<std::string>& words : {std::vector<std::string>{"chat", "-m", path},
                                                  {"run", "-m", path},
                                                  {"tokenize", "-m", path},
                                                  {"bench", "-m", path, "-p", "1", "-n", "0"},
                                                  {"inspect", path},
                                                  {"pack", path, "-o", "/nowhere/out"}})
      expect_sentence({words, typed.says}, 1, 1);
  }
}

}  // namespace
}  // namespace lfm::test
