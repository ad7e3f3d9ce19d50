# Fails if the library calls what isn't a library's business: ending the process, printing, handling signals, starting
# programs, or changing what belongs to the whole process.
# cmake -DNM=nm -DLIBRARY=liblfm.a -P check_calls.cmake
cmake_minimum_required(VERSION 3.25)
set(forbidden
  # ends the process, or leaves a function that isn't done
  "abort|exit|_exit|_Exit|quick_exit|atexit|at_quick_exit|__assert_fail|__assert|longjmp|_longjmp|siglongjmp"
  "raise|kill|tgkill|pthread_kill|pthread_cancel|pthread_exit|std::terminate.*|std::abort.*|std::__glibcxx_assert_fail.*"
  # prints, or reads what a person types
  "printf|vprintf|fprintf|vfprintf|dprintf|puts|fputs|fputc|putc|putchar|fwrite|perror|psignal|syslog|write|writev"
  "stdin|stdout|stderr|std::c(in|out|err|log)|std::w(cin|cout|cerr|clog)|std::ios_base::Init.*"
  # handles signals
  "signal|sigaction|sigset|sigprocmask|sigaltstack|alarm|ualarm|setitimer|timer_create"
  # starts programs
  "fork|vfork|clone|system|popen|posix_spawnp?|exec[lv]p?e?|execvpe|fexecve|dlopen"
  # gives other bits with each C library; fma, sqrt and roundings don't
  "(a?(sin|cos|tan)h?|sincos|exp2?|exp10|expm1|log(2|10|1p)?|pow|cbrt|hypot|erfc?|[lt]gamma)[fl]?"
  # changes the process
  "setlocale|uselocale|std::locale::global.*|setenv|unsetenv|putenv|clearenv|chdir|fchdir|chroot|umask|setrlimit|nice"
  "set[e]?[ug]id|setsid|setpgid|prctl|mlockall|srand|srandom|sched_setaffinity|pthread_setaffinity_np"
)
# "object: symbol", and why it is there all the same.
set(allowed
  ".*: std::terminate\\(\\)"  # compilers put it behind noexcept; what is noexcept throws nothing
  ".*: log"                       # the sampler's, which need not be exact
  "(likeliest|log_probabilities|statistics)\\.cc\\.o: expf?"  # of an evaluation's figures, which no token depends on
  "descriptor\\.cc\\.o: write"                      # the command line's
)
list(JOIN allowed "|" allowed)
list(JOIN forbidden "|" forbidden)
execute_process(COMMAND ${NM} -C --undefined-only ${LIBRARY} OUTPUT_VARIABLE symbols ERROR_VARIABLE ignored
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+\\.o:|[ \t]+U [^\n]+" lines "${symbols}")
if(NOT lines)
  message(FATAL_ERROR "${LIBRARY} calls nothing at all: is it the library?")
endif()
foreach(line IN LISTS lines)
  if(line MATCHES "[ \t]+U (.*)")
    string(REGEX REPLACE "@.*" "" symbol "${CMAKE_MATCH_1}")
    if(symbol MATCHES "^(${forbidden})$" AND NOT "${object} ${symbol}" MATCHES "^(${allowed})$")
      message(SEND_ERROR "${object} ${symbol} is used")
    endif()
  else()
    set(object "${line}")
  endif()
endforeach()
