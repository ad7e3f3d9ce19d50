// Pages go round between who lends them and any number of holders, and back to the system when nobody holds them.
#include "model/pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/huge_pages.h"

namespace lfm::test {
namespace {

using model::Pages;

const std::size_t kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

bool in_memory(const std::byte* page) {
  unsigned char there = 0;
  EXPECT_EQ(mincore(const_cast<std::byte*>(page), kPage, &there), 0);
  return (there & 1) != 0;
}

TEST(Pages, WhatNobodyHoldsIsLentAgain) {
  Pages pages(kPage, 3);
  std::vector<Pages::Page> held;
  for (int i = 0; i < 3; ++i) held.push_back(*pages.take());
  const std::byte* const second = held[1].data();
  Pages::Page copy = held[1];
  EXPECT_TRUE(copy.shared());
  held.erase(held.begin() + 1);
  EXPECT_FALSE(copy.shared());
  Pages::Page other = *pages.take();  // from another slab
  EXPECT_NE(other.data(), second);
  copy = other;
  EXPECT_TRUE(other.shared());
}

std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * kPage;
}

TEST(Pages, TakeAddressesAsTheyGrow) {
  constexpr std::size_t kMost = 1 << 20;
  const std::size_t before = address_space();
  Pages pages(kPage, kMost);
  std::vector<Pages::Page> held;
  for (int i = 0; i < 1000; ++i) held.push_back(*pages.take());
  EXPECT_LT(address_space() - before, kMost * kPage / 100);
  std::set<const std::byte*> different;
  for (const Pages::Page& page : held) different.insert(page.data());
  EXPECT_EQ(different.size(), held.size());
}

TEST(Pages, GoBackToTheSystem) {
  Pages pages(kPage, 2);
  Pages::Page stays = *pages.take();
  std::memset(stays.data(), 1, kPage);
  std::byte* at = nullptr;
  {
    const Pages::Page goes = *pages.take();
    at = goes.data();
    std::memset(at, 1, kPage);
    const Pages::Page copy = goes;
    EXPECT_TRUE(in_memory(at));
  }
  EXPECT_FALSE(in_memory(at));
  EXPECT_TRUE(in_memory(stays.data()));
  EXPECT_EQ(static_cast<int>(stays.data()[kPage - 1]), 1);
}

// Whether huge pages are asked for at an address.
bool huge_wanted(const std::byte* at) {
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      const auto address = reinterpret_cast<std::uintptr_t>(at);
      here = begin <= address && address < end;
    }
    if (here && line.starts_with("VmFlags:")) return line.find(" hg") != std::string::npos;
  }
  return false;
}

TEST(Pages, LieInHugeOnesWhereThereAreMany) {
  const std::size_t huge = base::page_sizes().huge;
  if (huge == 0 || huge > (std::size_t{64} << 20)) GTEST_SKIP() << "no huge pages, or too large ones";
  Pages pages(huge / 4, 20);
  std::vector<Pages::Page> held;
  for (int i = 0; i < 20; ++i) held.push_back(*pages.take());
  EXPECT_FALSE(huge_wanted(held.front().data()));
  EXPECT_TRUE(huge_wanted(held.back().data()));
}

// Who lends takes pages again that others let go of at the same time; each holder reads what it wrote.
TEST(Pages, OnThreadsOfTheirOwn) {
  Pages pages(kPage, 8);
  for (int round = 0; round < 300; ++round) {
    std::vector<Pages::Page> held;
    for (int i = 0; i < 8; ++i) {
      held.push_back(*pages.take());
      std::memset(held.back().data(), i, kPage);
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([copies = held]() mutable {
        int expected = 0;
        for (Pages::Page& copy : copies) {
          EXPECT_EQ(static_cast<int>(copy.data()[kPage - 1]), expected++);
          copy = {};
        }
      });
    }
    held.clear();
    for (int i = 0; i < 20; ++i) {
      Pages::Page page = *pages.take();
      std::memset(page.data(), 100 + i, kPage);
      EXPECT_EQ(static_cast<int>(page.data()[0]), 100 + i);
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace lfm::test
