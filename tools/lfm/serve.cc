// lfm serve: the model behind HTTP.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "command.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "sampling_flags.h"
#include "serve/http/server.h"
#include "serve/service.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  ContextOptions context;
  std::optional<Draft> draft;
  std::optional<std::string> host;
  std::optional<int> port;
  std::string socket;
  std::string alias;
  std::string key;
  std::string key_file;
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::size_t slots = 4;
  std::int64_t cache_mib = -1;
  std::string sessions_folder;
  std::size_t queue = 32;
  std::size_t readers = 2;
  bool strict_model = false;
  bool metrics = false;
  bool show_slots = false;
  serve::HttpLimits http;
  serve::RequestLimits limits;
};

constexpr int kUsualPort = 8080;

Result<serve::AccessRules> access_of(const Options& options) {
  serve::AccessRules rules;
  rules.hosts = options.hosts;
  if (options.host) rules.hosts.push_back(*options.host);
  rules.origins = options.origins;
  if (!options.key.empty()) rules.keys.push_back(options.key);
  if (const char* const key = std::getenv("LFM_API_KEY"); key != nullptr && *key != '\0') rules.keys.emplace_back(key);
  if (!options.key_file.empty()) {
    auto keys = serve::read_keys(options.key_file);
    if (!keys.ok()) return std::move(keys).error();
    rules.keys.insert(rules.keys.end(), keys->begin(), keys->end());
  }
  return rules;
}

// Where a socket is asked for, TCP has to be asked for too.
serve::Listen listen_at(const Options& options) {
  serve::Listen at;
  const bool tcp = options.socket.empty() || options.host || options.port;
  at.host = tcp ? options.host.value_or(at.host) : std::string();
  at.port = static_cast<std::uint16_t>(options.port.value_or(kUsualPort));
  at.socket = options.socket;
  return at;
}

// As llama-server counts: MiB, -1 for what the library thinks fit. 0 keeps next to nothing.
std::uint64_t cache_bytes(std::int64_t mib) {
  if (mib < 0) return 0;
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(mib) << 20, 1);
}

Result<Engine> open_model(const ModelOptions& options, std::stop_token cancel, const ProgressCallback& progress) {
  EngineOptions engine = options.engine();
  engine.cancel = std::move(cancel);
  engine.progress = [&](const OpenProgress& how) { return progress(how.done, how.all); };
  auto opened = Engine::open(options.path, engine);
  if (!opened.ok()) return of_opening(std::move(opened).error(), options);
  for (const std::string& note : opened->info().notes) print_note(note);
  return opened;
}

void tell_left_out(const std::vector<Error>& left_out, const std::string& folder) {
  for (const Error& error : left_out) print_note(folder + ": " + error.describe());
  if (left_out.empty()) return;
  print_note(folder +
             " stays as it is, and conversations aren't kept: name another folder, or take away what is said above");
}

int run_serve(const Options& options) {
  auto access = access_of(options);
  if (!access.ok()) return fail(access.error());
  const serve::Listen at = listen_at(options);
  if (access->keys.empty() && !at.host.empty() && !serve::is_loopback(at.host)) {
    return fail(at.host +
                " can be reached from other machines, and nobody would be asked for a key: name one with "
                "--api-key-file or LFM_API_KEY, or leave --host out");
  }
  serve::ServiceOptions settings;
  settings.access = *std::move(access);
  settings.limits = options.limits;
  settings.model.name = options.alias.empty() ? name_for_clients(options.model.path) : options.alias;
  settings.model.context_tokens = options.context.tokens;
  settings.model.draft = options.draft.value_or(options.model.draft.empty() ? Draft::kOff : Draft::kModel);
  settings.model.session = options.context.cache.session(0);
  settings.model.cache_bytes = cache_bytes(options.cache_mib);
  settings.model.created = std::time(nullptr);
  settings.sessions_folder = options.sessions_folder;
  settings.slots = options.slots;
  settings.queue = options.queue;
  settings.readers = options.readers;
  settings.strict_model = options.strict_model;
  settings.metrics = options.metrics;
  settings.show_slots = options.show_slots;
  serve::Service service(std::move(settings));
  auto server = serve::HttpServer::listen(at, options.http, service);
  if (!server.ok()) return fail(server.error());
  serve::HttpServer& network = **server;
  service.set_gauges([&] { return network.connections(); }, [&] { return network.draining(); });
  for (const std::string& address : network.addresses()) print_err("lfm: listening on %s\n", address.c_str());
  int status = kOk;
  service.load([&](std::stop_token cancel,
                   const ProgressCallback& progress) { return open_model(options.model, std::move(cancel), progress); },
               [&](const Status& loaded) {
                 if (loaded.ok()) {
                   tell_left_out(service.left_out(), options.sessions_folder);
                   return print_err("lfm: %s is ready\n", options.model.path.c_str());
                 }
                 if (loaded.error().code != ErrorCode::kCancelled) status = fail(loaded.error());
                 network.stop();
               });
  network.run();
  if (const Status kept = service.end(); !kept.ok())
    print_note("conversations aren't kept: " + kept.error().describe());
  return status;
}

void add_time(Command& command, const char* name, std::chrono::seconds& value, const char* help) {
  const auto set = [&value](const std::string& typed) -> std::string {
    std::int64_t seconds = 0;
    const char* const end = typed.data() + typed.size();
    const auto [stop, code] = std::from_chars(typed.data(), end, seconds);
    constexpr std::int64_t kYear = 366 * 86400;
    if (code != std::errc() || stop != end || seconds < 1 || seconds > kYear) return "expected a number of seconds";
    value = std::chrono::seconds(seconds);
    return {};
  };
  command.value(name, set, help).shows(std::to_string(value.count()));
}

void add_limits(Command& command, serve::HttpLimits& http, serve::RequestLimits& limits) {
  const auto size = [&](const char* name, std::size_t& value, double least, const char* help) {
    command.number(name, value, {least, 1e12}, help).shows(std::to_string(value));
  };
  size("--max-connections", http.connections, 1, "connections; one more ends the one that has been silent longest");
  size("--max-connections-per-address", http.connections_of_one, 1, "likewise of one other machine");
  size("--max-header", http.header_bytes, 256, "bytes of a request's headers");
  size("--max-body", http.body_bytes, 1, "bytes of a request's body");
  size("--max-bodies", http.all_body_bytes, 1, "bytes of all bodies that are being received");
  size("--max-unread", http.unread_bytes, 1024, "bytes of an answer that its reader leaves, before it is held up");
  command.number("--max-depth", limits.depth, {1, 256}, "objects and lists within each other").shows("64");
  size("--max-members", limits.members, 1, "members of an object");
  size("--max-messages", limits.messages, 1, "messages of a conversation");
  size("--max-tools", limits.tools, 0, "tools of a request");
  size("--max-stops", limits.stops, 0, "stop strings of a request");
  size("--max-stop-bytes", limits.stop_bytes, 1, "bytes of one");
  size("--max-logit-bias", limits.biases, 0, "tokens of a request that have a bias");
  command.number("--max-choices", limits.choices, {1, 64}, "answers that one request may ask for").shows("8");
  add_time(command, "--timeout", limits.time, "seconds for an answer, waiting included; then it is cut short");
  add_time(command, "--header-timeout", http.header_time, "seconds for a request's headers");
  add_time(command, "--body-timeout", http.body_time, "seconds for its body, and one more for each 10 KiB");
  add_time(command, "--idle-timeout", http.idle_time, "seconds that a connection waits for another request");
  add_time(command, "--write-timeout", http.write_time, "seconds in which a reader takes nothing of its answer");
  add_time(command, "--drain-timeout", http.drain_time, "seconds for what runs when the server is told to end");
}

}  // namespace

void add_serve(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("serve", "Answer requests as OpenAI's and llama.cpp's servers do");
  options->model.add_to(command);
  options->model.add_threads_to(command);
  options->context.add_to(command);
  add_draft_model_option(command, options->model);
  add_draft_option(
      command, options->draft,
      "guess tokens from the conversation so far, or by -md's network as well, which changes the speed alone "
      "(default: model with -md, otherwise off)");
  check_draft(command, options->model, options->draft);
  command.text("--host", options->host, "name or address to listen on (default: 127.0.0.1)").type("HOST");
  command.number("--port", options->port, {0, 65535}, "port to listen on; 0 is one that is free (default: 8080)");
  command
      .text("--sock", options->socket,
            "Unix socket to listen on, for this user alone; without --host and --port "
            "there is no other")
      .type("PATH");
  command.text("-a,--alias", options->alias, "the model's name for clients (default: that of its file)").type("NAME");
  command.text("--api-key", options->key,
               "the key that clients send; others on this machine may see it here, so "
               "rather in a file or in LFM_API_KEY");
  command.text("--api-key-file", options->key_file, "file with keys, one a line").type("FILE");
  command.texts("--allow-host", options->hosts, "a further name that this server goes by, without a key").type("NAME");
  command.texts("--cors-origins", options->origins, "web pages that may ask, such as https://example.org; * is all")
      .type("ORIGIN");
  command.number("--parallel", options->slots, {1, 256}, "answers that are made side by side (-np)")
      .shows(std::to_string(options->slots));
  command.number("--queue", options->queue, {0, 65536}, "requests that wait for one; more are answered with 429")
      .shows(std::to_string(options->queue));
  command.number("--threads-http", options->readers, {1, 64}, "threads that read and check requests")
      .shows(std::to_string(options->readers));
  command.number("--cache-ram", options->cache_mib, {-1, 1 << 30},
                 "MiB for conversations that go on, without which they are read again (default: an eighth of the "
                 "machine's memory, at most 4 GiB)");
  command.text("--save-on-exit", options->sessions_folder, "folder to keep them in from one start to the next")
      .type("DIR");
  command.flag("--strict-model", options->strict_model, "refuse requests for a model of another name");
  add_limits(command, options->http, options->limits);
  command.flag("--metrics", options->metrics, "have /metrics, in Prometheus' form");
  command.flag("--slots", options->show_slots, "have /slots, which tells what runs");
  command.runs([options] { return with_model(options->model, [&] { return run_serve(*options); }); });
}

}  // namespace lfm::cli
