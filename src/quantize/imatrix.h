// llama.cpp's importance matrices (GGUF): for every matrix the sums of its squared inputs, by input, and of how many
// tokens. Of the experts of a layer, which lie in one tensor, each has its own.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/file.h"
#include "lfm/result.h"

namespace lfm::quantize {

class Imatrix {
 public:
  //   kFormat  not such a file, or it contradicts itself;   kIo, kLimit;   the field begins with the path
  static Result<Imatrix> read(const std::string& path);
  // `dataset`: what the tokens were, in a word; `chunk`: tokens of one text.   kIo, kState
  Status write(const std::string& path, const std::string& dataset, std::size_t chunks, std::size_t chunk,
               base::AtomicFile::Existing existing) const;

  // Of matrix `number` of a tensor as GGUF calls it: mean squares of its `columns` inputs. Empty where there are none,
  // or no token reached it.
  std::vector<float> find(std::string_view tensor, std::size_t number, std::size_t columns) const;

  // Adds what matrix `number` of `count` has seen. Not from several threads.
  void add(const std::string& tensor, std::size_t count, std::size_t number, std::span<const float> sums,
           double tokens);

 private:
  static Result<Imatrix> read(const base::File& file);

  struct Entry {
    std::size_t columns = 0;
    std::vector<float> sums;    // (matrices, columns)
    std::vector<float> counts;  // (matrices)
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace lfm::quantize
