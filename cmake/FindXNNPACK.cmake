# XNNPACK::XNNPACK, and which form its functions have (they change without a version number):
#   XNNPACK_CODE_CACHE  creating an operator takes a code cache (until May 2025)
#   XNNPACK_WORKSPACE   reshaping an operator says how much scratch memory it wants (from June 2025)
# With XNNPACK_LINK_ONLY nothing is compiled to find that out: for who links a library that was built with it.
find_path(XNNPACK_INCLUDE_DIR xnnpack.h)
find_library(XNNPACK_LIBRARY XNNPACK)
mark_as_advanced(XNNPACK_INCLUDE_DIR XNNPACK_LIBRARY)
find_package(pthreadpool QUIET)

set(XNNPACK_advice "Install libxnnpack-dev of November 2024 or later (Debian 13 has it), or run scripts/run, which does.")

if(XNNPACK_LINK_ONLY)
  set(XNNPACK_usable ON)
elseif(XNNPACK_INCLUDE_DIR AND pthreadpool_FOUND)
  include(CheckCXXSourceCompiles)
  include(CMakePushCheckState)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_INCLUDES ${XNNPACK_INCLUDE_DIR} ${pthreadpool_INCLUDE_DIR})
  set(CMAKE_REQUIRED_QUIET ON)
  set(XNNPACK_saved_type ${CMAKE_TRY_COMPILE_TARGET_TYPE})
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # compiled, not linked
  check_cxx_source_compiles("#include <xnnpack.h>
    xnn_operator_t op; xnn_weights_cache_provider cache;
    auto made = xnn_create_fully_connected_nc_qd8_f32_qb4w(
        32, 1, 32, 1, 32, 8, static_cast<const uint16_t*>(nullptr), nullptr, nullptr, 0, 1, 0, nullptr, &cache, &op);" XNNPACK_CODE_CACHE)
  check_cxx_source_compiles("#include <xnnpack.h>
    xnn_operator_t op; xnn_weights_cache_provider cache;
    auto made = xnn_create_fully_connected_nc_qd8_f32_qb4w(
        32, 1, 32, 1, 32, 8, static_cast<const uint16_t*>(nullptr), nullptr, nullptr, 0, 1, 0, &cache, &op);" XNNPACK_NO_CODE_CACHE)
  check_cxx_source_compiles("#include <xnnpack.h>
    xnn_operator_t op; size_t size;
    auto reshaped = xnn_reshape_fully_connected_nc_qd8_f32_qb4w(op, 1, &size, nullptr);" XNNPACK_WORKSPACE)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE ${XNNPACK_saved_type})
  cmake_pop_check_state()
  if(XNNPACK_CODE_CACHE OR XNNPACK_NO_CODE_CACHE)
    set(XNNPACK_usable ON)
  else()
    set(XNNPACK_usable OFF)
    unset(XNNPACK_CODE_CACHE CACHE)  # look again once another one is installed
    unset(XNNPACK_NO_CODE_CACHE CACHE)
    unset(XNNPACK_WORKSPACE CACHE)
    set(XNNPACK_advice "The XNNPACK in ${XNNPACK_INCLUDE_DIR} has no int4 weights in blocks: it is too old. \
${XNNPACK_advice}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XNNPACK
  REQUIRED_VARS XNNPACK_LIBRARY XNNPACK_INCLUDE_DIR pthreadpool_FOUND XNNPACK_usable
  REASON_FAILURE_MESSAGE "${XNNPACK_advice}")

if(XNNPACK_FOUND AND NOT TARGET XNNPACK::XNNPACK)
  add_library(XNNPACK::XNNPACK UNKNOWN IMPORTED)
  set_target_properties(XNNPACK::XNNPACK PROPERTIES
    IMPORTED_LOCATION "${XNNPACK_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${XNNPACK_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES pthreadpool::pthreadpool)
endif()
