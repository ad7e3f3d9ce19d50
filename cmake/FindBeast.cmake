# Beast::Beast, Boost's HTTP over Boost's sockets: headers alone.
find_path(Beast_INCLUDE_DIR boost/beast/http.hpp)
mark_as_advanced(Beast_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Beast
  REQUIRED_VARS Beast_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Install libboost-dev, or run scripts/run, which does.")

if(Beast_FOUND AND NOT TARGET Beast::Beast)
  add_library(Beast::Beast INTERFACE IMPORTED)
  set_target_properties(Beast::Beast PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Beast_INCLUDE_DIR}")
endif()
