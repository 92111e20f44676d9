#!/usr/bin/env bash
# The test-suite and the fuzzer under the sanitizers, and the C kernels under valgrind.
#
#     Benchmarks/hardening/sanitizers.sh [address|undefined|thread|valgrind]…     (default: all)
#
# Builds go to .build-SANITIZER. FILTER names the suites (a regular expression; the default leaves out those that draw
# thousands of samples to test a law, which run the same code and take hours), FUZZ the number of fuzzer's inputs.
set -uo pipefail
cd "$(dirname "$0")/../.."
filter=${FILTER:-"NeuralNetworkTests|ImagingTests|TokenModelsTests|PretrainedTests|DistributionTests|CommandLineTests|StatisticsTests|CouplingsTests.Discrete|SamplerTests|ScheduleTests|PredictionTests"}
fuzz=${FUZZ:-2000}
checks=("$@")
[ ${#checks[@]} -gt 0 ] || checks=(address undefined thread valgrind)
status=0

# OpenBLAS is not built for the sanitizers, and Swift's runtime frees nothing of its metadata at the end.
export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=0:suppressions=$PWD/Benchmarks/hardening/thread-suppressions.txt"

run() {
    echo "== $*"
    "$@" || { status=1; echo "== failed: $*"; }
}

for check in "${checks[@]}"; do
    case $check in
    valgrind)
        # It knows no AVX-512; -gdwarf-4 is what its reader understands.
        run ${CC:-clang} -O2 -gdwarf-4 -ISources/CKernels/include Benchmarks/hardening/kernel_check.c Sources/CKernels/*.c \
            -lm -lpthread -o .build-kernel-check
        for kernels in portable avx2; do
            DIFFSPEC_KERNELS=$kernels run valgrind --error-exitcode=1 --leak-check=full -q ./.build-kernel-check
        done
        rm -f .build-kernel-check
        ;;
    address | undefined | thread)
        build=(-c release --scratch-path ".build-$check")
        case $check in
        # The C kernels are what this is for: a trap, so that no library of its own is needed.
        undefined) build+=(-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined) ;;
        *) build+=("--sanitize=$check") ;;
        esac
        run swift build "${build[@]}" --build-tests
        run swift test "${build[@]}" --skip-build --filter "$filter"
        run ".build-$check/release/fuzz" --inputs "$fuzz"
        ;;
    *) echo "error: unknown check $check" >&2; exit 64 ;;
    esac
done
[ $status -eq 0 ] && echo "all clean"
exit $status
