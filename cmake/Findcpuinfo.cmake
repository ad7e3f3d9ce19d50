# cpuinfo::cpuinfo, which knows the CPU and its caches.
find_path(cpuinfo_INCLUDE_DIR cpuinfo.h)
find_library(cpuinfo_LIBRARY cpuinfo)
mark_as_advanced(cpuinfo_INCLUDE_DIR cpuinfo_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cpuinfo
  REQUIRED_VARS cpuinfo_LIBRARY cpuinfo_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Install libcpuinfo-dev, or run scripts/run, which does.")

if(cpuinfo_FOUND AND NOT TARGET cpuinfo::cpuinfo)
  add_library(cpuinfo::cpuinfo UNKNOWN IMPORTED)
  set_target_properties(cpuinfo::cpuinfo PROPERTIES
    IMPORTED_LOCATION "${cpuinfo_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${cpuinfo_INCLUDE_DIR}")
endif()
