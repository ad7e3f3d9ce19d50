# cmake --install: the library, its headers, and what find_package(lfm) and pkg-config read (component dev); the program
# (component program).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/lfm)
install(TARGETS lfm lfm_for_c EXPORT lfm COMPONENT dev)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(EXPORT lfm NAMESPACE lfm:: FILE lfmTargets.cmake DESTINATION ${package} COMPONENT dev)

configure_package_config_file(cmake/lfmConfig.cmake.in lfmConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(lfmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lfmConfig.cmake ${PROJECT_BINARY_DIR}/lfmConfigVersion.cmake DESTINATION ${package}
        COMPONENT dev)
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/FindXNNPACK.cmake cmake/Findpthreadpool.cmake DESTINATION ${package}
          COMPONENT dev)
  if(XNNPACK_FOUND)
    set(LFM_PC_XNNPACK " -lXNNPACK -lpthreadpool")
  endif()
  set(LFM_PC_STATIC "${LFM_PC_XNNPACK} -lstdc++ -lm -pthread")
endif()
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
           OUTPUT_VARIABLE LFM_PC_PREFIX)
configure_file(cmake/lfm.pc.in lfm.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lfm.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

if(LFM_BUILD_TOOLS)
  install(TARGETS lfm_cli COMPONENT program)
  if(TARGET lfm_hub)
    install(TARGETS lfm_hub LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/lfm COMPONENT program)
  endif()
endif()

install(FILES LICENSE README.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT dev PATTERN reference EXCLUDE)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT dev PATTERN CMakeLists.txt EXCLUDE)
