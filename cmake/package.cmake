# cpack -G DEB in the tree of the preset `deb`: one package of all there is to install, as Debian has it.
set(contact "lfm <lfm@example.org>")
option(LFM_DEB "Install what a package of Debian has besides: Python's, copyright and changelog" OFF)
if(LFM_DEB)
  install(DIRECTORY bindings/python/lfm DESTINATION lib/python3/dist-packages COMPONENT python
          FILES_MATCHING PATTERN *.py PATTERN py.typed PATTERN __pycache__ EXCLUDE)
  file(WRITE ${PROJECT_BINARY_DIR}/copyright
"Copyright: the authors of lfm
License: Apache-2.0
 On Debian systems the text of this licence is in /usr/share/common-licenses/Apache-2.0.
")
  install(FILES ${PROJECT_BINARY_DIR}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev)
  find_program(LFM_GZIP gzip REQUIRED)
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
  file(WRITE ${PROJECT_BINARY_DIR}/changelog "lfm (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * See the project's history.\n\n -- ${contact}  ${date}\n")
  execute_process(COMMAND ${LFM_GZIP} -9nf ${PROJECT_BINARY_DIR}/changelog COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${PROJECT_BINARY_DIR}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev)
endif()

set(CPACK_PACKAGE_NAME lfm)
set(CPACK_PACKAGE_VENDOR lfm)
set(CPACK_PACKAGE_CONTACT "${contact}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "language models of the LFM2 family on a CPU")
set(CPACK_PACKAGE_DESCRIPTION
"Runs Liquid AI's LFM2 language models, the mixture-of-experts ones above all,
from GGUF files on a CPU. Has the command lfm, the shared library with its
headers for C and C++, and the Python package lfm.")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-numpy")
file(WRITE ${PROJECT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
# What Python has compiled goes with the package.
file(WRITE ${PROJECT_BINARY_DIR}/prerm "#!/bin/sh\nset -e\nrm -rf /usr/lib/python3/dist-packages/lfm/__pycache__\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/triggers ${PROJECT_BINARY_DIR}/prerm)
include(CPack)
