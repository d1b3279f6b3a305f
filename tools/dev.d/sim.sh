# The simulator and the fuzzers, for as long as asked.

# sim [ARGUMENT…]: see tests/sim/sim_main.cc.
sim() { "$BUILD/tests/sim_campaign" "$@"; }
