# What every target of the house shares. Use smsflow_library, smsflow_program and smsflow_test; nothing else sets flags.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(date REQUIRED)
find_package(RocksDB REQUIRED CONFIG)
find_package(PkgConfig REQUIRED)
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)
find_package(prometheus-cpp CONFIG REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)

find_program(SMSFLOW_CCACHE ccache)
if(SMSFLOW_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SMSFLOW_CCACHE})
endif()
find_program(SMSFLOW_MOLD mold)
if(SMSFLOW_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(smsflow_flags INTERFACE)
target_include_directories(smsflow_flags INTERFACE ${CMAKE_SOURCE_DIR})
# -Wno-restrict: GCC 12 warns of its own std::string (PR 105329).
target_compile_options(smsflow_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  -fstack-protector-strong)
target_compile_definitions(smsflow_flags INTERFACE BOOST_BIND_GLOBAL_PLACEHOLDERS BOOST_ALLOW_DEPRECATED_HEADERS
  _GLIBCXX_ASSERTIONS)
if(SMSFLOW_FUZZ)
  set(SMSFLOW_SANITIZE address,undefined)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(SMSFLOW_SANITIZE)
  # Less than the build type's -O2, over which this wins: it finds as much. The checks of UBSan cost the optimiser as much
  # as all else.
  set(optimise -O0)
  if(SMSFLOW_SANITIZE MATCHES thread)
    set(optimise -O1)
  endif()
  add_compile_options(${optimise} -fsanitize=${SMSFLOW_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${SMSFLOW_SANITIZE})
  if(SMSFLOW_SANITIZE MATCHES thread)  # of tests/CMakeLists.txt
    # TSan knows no fences; Asio's stand beside mutexes, which it knows.
    target_compile_definitions(smsflow_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    link_libraries($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:smsflow_tsan>)
  endif()
else()
  target_compile_definitions(smsflow_flags INTERFACE _FORTIFY_SOURCE=2)
endif()

# smsflow_library(name SOURCES ... LINK ...): a static library; LINK is public.
function(smsflow_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC smsflow_flags ${ARG_LINK})
endfunction()

# smsflow_program(name SOURCES ... LINK ...): lands in build/bin. Its malloc is jemalloc, which takes a tenth less CPU per
# SMS than the C library's, and less memory; a sanitizer brings its own. Its own calls are bound at its start, see
# logging/bound_at_start.h, and the table of them cannot be written to afterwards.
function(smsflow_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  if(NOT SMSFLOW_SANITIZE)
    target_link_libraries(${name} PRIVATE PkgConfig::JEMALLOC)
  endif()
  target_link_libraries(${name} PRIVATE smsflow_flags ${ARG_LINK} Threads::Threads)
  target_link_options(${name} PRIVATE LINKER:-z,relro,-z,now)
endfunction()

# smsflow_timeout(seconds test...): after so long a test has failed. The one place that knows how much longer it takes
# under a sanitizer, whose code is 5 to 15 times slower.
function(smsflow_timeout seconds)
  if(SMSFLOW_SANITIZE)
    math(EXPR seconds "${seconds} * 8")
  endif()
  set_tests_properties(${ARGN} PROPERTIES TIMEOUT ${seconds})
endfunction()

# smsflow_test(name SOURCES ... LINK ...): a GoogleTest program, one ctest entry, outside build/bin. Its working
# directory is the root of the sources, so that it finds its scenarios and golden files.
function(smsflow_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE smsflow_flags ${ARG_LINK} GTest::gmock_main Threads::Threads)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  smsflow_timeout(${ARG_TIMEOUT} ${name})
endfunction()
