// Names of models, and which files they mean.
#include <gtest/gtest.h>

#include "hub/environment.h"
#include "hub/files.h"
#include "hub/name.h"
#include "support/temp_file.h"

namespace lfm::hub {
namespace {

TEST(HubNames, AreReadAsPeopleWriteThem) {
  const auto parts = [](const char* text) -> std::vector<std::string> {
    const auto name = parse_name(text);
    if (!name) return {};
    return {name->repository, name->quant, name->file, name->revision};
  };
  using Parts = std::vector<std::string>;
  EXPECT_EQ(parts("LiquidAI/LFM2-8B-A1B-GGUF"), (Parts{"LiquidAI/LFM2-8B-A1B-GGUF", "", "", "main"}));
  EXPECT_EQ(parts("a/b_c.d-e:UD-Q4_K_XL"), (Parts{"a/b_c.d-e", "UD-Q4_K_XL", "", "main"}));
  EXPECT_EQ(parts("hf.co/a/b:Q8_0"), (Parts{"a/b", "Q8_0", "", "main"}));
  EXPECT_EQ(parts("https://huggingface.co/a/b"), (Parts{"a/b", "", "", "main"}));
  EXPECT_EQ(parts("https://huggingface.co/a/b/"), (Parts{"a/b", "", "", "main"}));
  EXPECT_EQ(parts("https://huggingface.co/a/b/blob/main/c/d.gguf?x=1"), (Parts{"a/b", "", "c/d.gguf", "main"}));
  EXPECT_EQ(parts("https://huggingface.co/a/b/resolve/v1/d.gguf"), (Parts{"a/b", "", "d.gguf", "v1"}));
  EXPECT_EQ(parts("https://huggingface.co/a/b/tree/v1"), (Parts{"a/b", "", "", "v1"}));
  for (const char* text : {"", "a", "/a/b", "a/b/c", "../b", "a/..", "a/.b", "a--b/c", "a/b-", "a/b:", "a/b:../x",
                           "a b/c", "a/b:c:d", "https://example.org/a/b", "https://huggingface.co/a/b/blob/main/../x",
                           "https://huggingface.co/a/b/what/main/x", "./a/b", "a/b\n"})
    EXPECT_EQ(parts(text), Parts{}) << text;
  EXPECT_EQ(parts(("a/" + std::string(300, 'b')).c_str()), Parts{});
}

TEST(HubNames, PathsStayInside) {
  for (const char* path : {"a", "a/b", "a..b/c", "...", ".a", "a b", "\xC3\xA4"})
    EXPECT_TRUE(stays_inside(path)) << path;
  for (const char* path :
       {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/.", "a\\b", "a\nb", "a\x7f"})
    EXPECT_FALSE(stays_inside(path)) << path;
  EXPECT_FALSE(stays_inside(std::string_view("a\0b", 3)));
  EXPECT_FALSE(stays_inside(std::string(256, 'a')));
  EXPECT_FALSE(stays_inside(std::string(1200, 'a')));
}

std::vector<ModelFiles> models(std::initializer_list<const char*> paths) {
  std::vector<RepositoryFile> files;
  for (const char* path : paths) files.push_back({path, 100 + 10 * files.size()});
  return models_in(files);
}

std::string chosen(const std::vector<ModelFiles>& models, const char* name, const char* file = "") {
  Name meant = *parse_name(name);
  meant.file = file;
  const auto model = choose(models, meant);
  if (!model.ok()) return "error: " + model.error().message;
  std::string paths;
  for (const std::string& path : model->paths) paths += (paths.empty() ? "" : " ") + path;
  return paths;
}

TEST(HubFiles, TheQuantOfAName) {
  const std::pair<const char*, const char*> all[] = {{"LFM2-8B-A1B-Q4_K_M.gguf", "Q4_K_M"},
                                                     {"x.Q8_0.gguf", "Q8_0"},
                                                     {"x-UD-IQ2_XXS.gguf", "UD-IQ2_XXS"},
                                                     {"x-q4_0.gguf", "q4_0"},
                                                     {"BF16/x-BF16.GGUF", "BF16"},
                                                     {"x-MXFP4_MOE.gguf", "MXFP4_MOE"},
                                                     {"x.i1-IQ4_NL.gguf", "IQ4_NL"},
                                                     {"LFM2-8B-A1B.gguf", ""},
                                                     {"x-f32.gguf", "f32"},
                                                     {"tq-TQ1_0.gguf", "TQ1_0"},
                                                     {"folder-Q4_0/plain.gguf", ""}};
  for (const auto& [path, quant] : all) {
    const auto found = models({path});
    ASSERT_EQ(found.size(), 1u) << path;
    EXPECT_EQ(found[0].quant, quant) << path;
  }
}

TEST(HubFiles, TheModelThatIsMeant) {
  const auto usual =
      models({"m-BF16.gguf", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "README.md", "mmproj-m-F16.gguf", "imatrix.gguf"});
  EXPECT_EQ(usual.size(), 3u);
  EXPECT_EQ(chosen(usual, "a/b"), "m-Q4_0.gguf");
  EXPECT_EQ(chosen(usual, "a/b:q4_k_m"), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen(usual, "a/b", "m-BF16.gguf"), "m-BF16.gguf");
  EXPECT_EQ(chosen(usual, "a/b:Q8_0"), "error: there is no Q8_0 in it, but BF16 (100 B), Q4_0 (110 B), Q4_K_M (120 B)");
  EXPECT_EQ(chosen(usual, "a/b", "x.gguf"),
            "error: there is no x.gguf in it, but BF16 (100 B), Q4_0 (110 B), Q4_K_M (120 B)");
  EXPECT_EQ(chosen(models({"m-Q4_K_M.gguf", "m-Q8_0.gguf"}), "a/b"), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen(models({"m-IQ1_S.gguf"}), "a/b"), "m-IQ1_S.gguf");
  EXPECT_EQ(chosen(models({"m-IQ1_S.gguf", "m-IQ1_M.gguf"}), "a/b"),
            "error: say which, as in a/b:IQ1_S; there is IQ1_S (100 B), IQ1_M (110 B)");
  EXPECT_EQ(chosen(models({"README.md"}), "a/b"),
            "error: there is no GGUF file and no folder of safetensors files in it");

  const auto dynamic = models({"m-UD-Q4_K_XL.gguf", "m-Q4_K_XL.gguf"});
  EXPECT_EQ(chosen(dynamic, "a/b:Q4_K_XL"), "m-Q4_K_XL.gguf");
  EXPECT_EQ(chosen(dynamic, "a/b:UD-Q4_K_XL"), "m-UD-Q4_K_XL.gguf");
  EXPECT_EQ(chosen(models({"m-UD-Q4_K_XL.gguf", "m-Q8_0.gguf"}), "a/b:Q4_K_XL"), "m-UD-Q4_K_XL.gguf");
  EXPECT_EQ(chosen(models({"one-Q4_0.gguf", "two-Q4_0.gguf"}), "a/b"),
            "error: several files are meant, such as one-Q4_0.gguf and two-Q4_0.gguf; name one with --hf-file");
}

TEST(HubFiles, SplitFilesAndFolders) {
  const auto split = models({"q/m-Q4_0-00002-of-00003.gguf", "q/m-Q4_0-00001-of-00003.gguf",
                             "q/m-Q4_0-00003-of-00003.gguf", "half-Q8_0-00001-of-00002.gguf"});
  EXPECT_EQ(split.size(), 1u);
  const std::string whole = "q/m-Q4_0-00001-of-00003.gguf q/m-Q4_0-00002-of-00003.gguf q/m-Q4_0-00003-of-00003.gguf";
  EXPECT_EQ(chosen(split, "a/b:Q4_0"), whole);
  EXPECT_EQ(chosen(split, "a/b", "m-Q4_0-00002-of-00003.gguf"), whole);
  EXPECT_EQ(models({"m-00000-of-00001.gguf", "m-00002-of-00002.gguf", "m-00001-of-99999.gguf"}).size(), 1u);

  const auto folder = models({"config.json", "model.safetensors", "tokenizer.json", "onnx/config.json", "README.md",
                              "chat_template.jinja", "consolidated.safetensors"});
  EXPECT_EQ(chosen(folder, "a/b"), "model.safetensors tokenizer.json chat_template.jinja config.json");
  EXPECT_EQ(models({"config.json", "tokenizer.json"}).size(), 0u);
  EXPECT_EQ(chosen(models({"config.json", "model.safetensors", "m-IQ1_S.gguf"}), "a/b"), "m-IQ1_S.gguf");
}

TEST(HubEnvironment, Addresses) {
  EXPECT_EQ(origin_of("https://Example.org/a"), "https://example.org:443");
  EXPECT_EQ(origin_of("https://example.org:8443?x"), "https://example.org:8443");
  EXPECT_EQ(origin_of("http://127.0.0.1:80/"), "http://127.0.0.1:80");
  EXPECT_EQ(origin_of("http://[::1]:81/"), "http://[::1]:81");
  EXPECT_EQ(origin_of("http://localhost/"), "http://localhost:80");
  for (const char* bad : {"", "http://example.org/", "ftp://127.0.0.1/", "https://", "https://user@example.org/", "//x",
                          "https://a b/", "file:///etc/passwd", "http://127.0.0.1.example.org/", "https://a\\@b/"})
    EXPECT_EQ(origin_of(bad), "") << bad;
}

TEST(HubEnvironment, IsAsOthersReadIt) {
  using test::EnvironmentVariable;
  const EnvironmentVariable home("HOME", "/home/ada"), endpoint("HF_ENDPOINT", ""), token("HF_TOKEN", " secret\n");
  const EnvironmentVariable old("HUGGING_FACE_HUB_TOKEN", ""), cache("HF_HUB_CACHE", ""),
      hub("HUGGINGFACE_HUB_CACHE", "");
  const EnvironmentVariable xdg("XDG_CACHE_HOME", ""), folder("HF_HOME", ""), offline("HF_HUB_OFFLINE", "");
  const EnvironmentVariable others("TRANSFORMERS_OFFLINE", ""), path("HF_TOKEN_PATH", "");
  EXPECT_EQ(environment()->cache, "/home/ada/.cache/huggingface/hub");
  EXPECT_EQ(environment()->endpoint, "https://huggingface.co");
  EXPECT_EQ(environment()->token, "secret");
  EXPECT_FALSE(environment()->offline);
  const EnvironmentVariable xdg_set("XDG_CACHE_HOME", "/cache");
  EXPECT_EQ(environment()->cache, "/cache/huggingface/hub");
  const EnvironmentVariable folder_set("HF_HOME", "~/hf");
  EXPECT_EQ(environment()->cache, "/home/ada/hf/hub");
  const EnvironmentVariable cache_set("HF_HUB_CACHE", "/models");
  EXPECT_EQ(environment()->cache, "/models");
  const EnvironmentVariable offline_set("HF_HUB_OFFLINE", "1"), mirror("HF_ENDPOINT", "https://mirror.example/hf/");
  EXPECT_TRUE(environment()->offline);
  EXPECT_EQ(environment()->endpoint, "https://mirror.example/hf");
  test::TempFile kept("from a file\nmore");
  const EnvironmentVariable no_token("HF_TOKEN", ""), path_set("HF_TOKEN_PATH", kept.path());
  EXPECT_EQ(environment().error().field, kept.path());
  kept.write("from-a-file\nmore");
  EXPECT_EQ(environment()->token, "from-a-file");
  EXPECT_EQ(environment()->token_place, kept.path());
  const EnvironmentVariable plain("HF_ENDPOINT", "http://example.org");
  EXPECT_EQ(environment().error().field, "HF_ENDPOINT");
}

}  // namespace
}  // namespace lfm::hub
