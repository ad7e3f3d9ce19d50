#include "base/cpu.h"

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/words.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstring>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>

#include <fstream>
#include <sstream>
#endif

namespace lfm::base {
namespace {

#if defined(__x86_64__)

#if defined(_WIN32) && !defined(__clang__)  // GCC misaligns there what AVX keeps on the stack (its bug 54412)
#define HAS(feature) false
#else
#define HAS(feature) (__builtin_cpu_supports(#feature) != 0)
#endif

// Which the compilers' builtin doesn't know everywhere. Both use no more state than AVX2, which the system has to keep.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool has_avxvnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
}

#elif defined(__APPLE__)

// By its documentation: never run there.
bool has_feature(const char* name) {
  int has = 0;
  std::size_t bytes = sizeof has;
  return ::sysctlbyname(name, &has, &bytes, nullptr, 0) == 0 && has != 0;
}
constexpr const char* kASIMDDP = "hw.optional.arm.FEAT_DotProd";
constexpr const char* kI8MM = "hw.optional.arm.FEAT_I8MM";
#define HAS(feature) has_feature(k##feature)
#define HAS2(feature) HAS(feature)

std::uint64_t design() {
  return 0;
}

#elif defined(__aarch64__)

#define HAS(feature) ((::getauxval(AT_HWCAP) & HWCAP_##feature) != 0)
#define HAS2(feature) ((::getauxval(AT_HWCAP2) & HWCAP2_##feature) != 0)
#ifndef HWCAP2_I8MM  // of <asm/hwcap.h> since Linux 5.7
#define HWCAP2_I8MM (1 << 13)
#endif

// MIDR_EL1, which names the design of the core that runs this; 0 where the system doesn't tell.
std::uint64_t design() {
  std::uint64_t midr = 0;
  if (HAS(CPUID)) asm("mrs %0, midr_el1" : "=r"(midr));
  return midr;
}

#endif

}  // namespace

bool cpu_has(kernels::Isa isa) {
  switch (isa) {
#define LFM_ISA(id, name, matmul, vector, attention, cpu, flags) \
  case kernels::Isa::k##id:                                      \
    return cpu;
#include "kernels/isas.inc"
  }
  return false;
}

kernels::Isa best_isa() {
  auto row = std::rbegin(kernels::kIsas);
  while (!cpu_has(row->isa)) ++row;
#if defined(__aarch64__)
  if (row->isa == kernels::Isa::kI8mm && !has_fast_matrix_products(design())) return kernels::Isa::kDotprod;
#endif
  return row->isa;
}

// Arm's cores do, twice as fast; Apple's (M2 to M4) and Qualcomm's Oryon don't, of others nothing is known. Arm's
// designs say Arm, whoever made the chip, but for Microsoft's Cobalt 100, a Neoverse N2.
bool has_fast_matrix_products(std::uint64_t midr) noexcept {
  constexpr std::uint64_t kArm = 0x41, kMicrosoft = 0x6d, kNeoverseN2 = 0xd49;
  const std::uint64_t maker = midr >> 24 & 0xff, part = midr >> 4 & 0xfff;
  return maker == kArm || (maker == kMicrosoft && part == kNeoverseN2);
}

Result<kernels::Isa> chosen_isa() {
  const char* name = std::getenv("LFM_ISA");
  if (name == nullptr || *name == '\0') return best_isa();
  std::vector<std::string_view> names;
  for (const kernels::IsaInfo& row : kernels::kIsas) {
    names.push_back(row.name);
    if (name != names.back()) continue;
    if (cpu_has(row.isa)) return row.isa;
    return Error{ErrorCode::kUnsupported, "this CPU doesn't have " + std::string(name), "LFM_ISA"};
  }
  return Error{ErrorCode::kArgument, "must be " + one_of(names), "LFM_ISA"};
}

#if defined(__x86_64__)

std::string cpu_name() {
  char name[49] = {};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned words[4];
    if (__get_cpuid(0x80000002 + i, &words[0], &words[1], &words[2], &words[3]) == 0) return {};
    std::memcpy(name + 16 * i, words, sizeof words);
  }
  std::string_view text = name;
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

#elif defined(__aarch64__) && !defined(__APPLE__)

// Such as "Raspberry Pi 5 Model B Rev 1.0, MIDR 0x414fd0b1": only the system's firmware has names.
std::string cpu_name() {
  std::ostringstream name;
  std::string board;
  std::getline(std::ifstream("/sys/firmware/devicetree/base/model"), board, '\0');
  if (!board.empty()) name << board << ", ";
  if (const std::uint64_t midr = design(); midr != 0) name << "MIDR 0x" << std::hex << midr;
  return name.str();
}

#else

std::string cpu_name() {
  return {};
}

#endif

}  // namespace lfm::base
