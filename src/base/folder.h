// Folders, and the parts of paths. Nothing is made of std::filesystem's paths: GCC 12's aren't whole where there is no
// memory for their parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::base {

// Of "/a/b": "b", and "/a/"; of "b": "b", and "./". Put together they are the path.
std::string_view name_of(std::string_view path) noexcept;
std::string folder_of(std::string_view path);
std::string in_folder(const std::string& folder, std::string_view name);

bool is_folder(const std::string& path) noexcept;  // follows links

// The names in it, in no order; none where there is no such folder.
Result<std::vector<std::string>> names_in(const std::string& folder);

// Makes it, for its owner alone, and what it lies in, unless it is there.
Status make_folder(const std::string& path);

// Another name for a file, in place of what has that name.
Status move_file(const std::string& from, const std::string& to);
bool remove_file(const std::string& path) noexcept;  // whether it did

// The same file, or, where one isn't there yet, names that lead to the same place.
bool same_file(const std::string& a, const std::string& b);

}  // namespace lfm::base
