#!/usr/bin/env bash
# The C kernels under the sanitizers and valgrind; the test-suite with the fuzzer, and the library under the Python package's tests,
# under the sanitizers.
#
#     Benchmarks/hardening/sanitizers.sh [kernels|valgrind|python|address|undefined|thread]…     (default: all, the quick ones first)
#
# Builds go to .build-SANITIZER. FILTER names the suites (a regular expression; the default leaves out those that draw
# thousands of samples to test a law, which run the same code and take hours), FUZZ the number of fuzzer's inputs.
set -uo pipefail
cd "$(dirname "$0")/../.."
filter=${FILTER:-"NeuralNetworkTests|ImagingTests|TokenModelsTests|ModelsTests|ProcessesTests|CommandLineTests|StatisticsTests|FiniteAlphabetsTests.Discrete|SamplerTests|ScheduleTests|PredictionTests"}
fuzz=${FUZZ:-2000}
checks=("$@")
[ ${#checks[@]} -gt 0 ] || checks=(kernels valgrind python address undefined thread)
status=0
driver=(-ISources/CKernels/include Benchmarks/hardening/kernel_check.c Sources/CKernels/*.c -lm -lpthread -o .build-kernel-check)
trap 'rm -f .build-kernel-check' EXIT

# Swift's runtime frees nothing of its metadata at the end.
export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=0:suppressions=$PWD/Benchmarks/hardening/thread-suppressions.txt"

run() {
    echo "== $*"
    "$@" || { status=1; echo "== failed: $*"; }
}

for check in "${checks[@]}"; do
    case $check in
    kernels)
        # Every variant of them, with buffers of exactly the size that they may touch.
        libraries=$(dirname "$(readlink -f "$(command -v swift)")")/../lib/swift/linux
        for sanitizer in address,undefined thread; do
            run clang -O1 -g -fsanitize=$sanitizer -fno-sanitize-recover=all "${driver[@]}" \
                -L"$libraries" -ldispatch -lBlocksRuntime -Wl,-rpath,"$libraries"
            for kernels in portable{,-tiles} avx2{,-tiles} avx512{,-tiles}; do DIFFSPEC_KERNELS=$kernels run ./.build-kernel-check; done
        done
        # The instructions of AMX, by an emulator where the processor has none.
        run clang -O2 -fsanitize=undefined -fno-sanitize-recover=all -ISources/CKernels -ISources/CKernels/include \
            Benchmarks/hardening/amx_check.c -lm -o .build-kernel-check
        run ./.build-kernel-check 300
        ;;
    valgrind)
        # It knows no AVX-512; -gdwarf-4 is what its reader understands.
        run clang -O2 -gdwarf-4 "${driver[@]}"
        for kernels in portable avx2; do
            DIFFSPEC_KERNELS=$kernels run valgrind --error-exitcode=1 --leak-check=full -q ./.build-kernel-check
        done
        ;;
    python)
        # The interpreter is not built for the sanitizer, whose runtime must then be loaded first. PYTHON is one with NumPy and pytest.
        run swift build -c release --scratch-path .build-address --sanitize=address --product diffspecc
        LD_PRELOAD=$(clang -print-file-name=libclang_rt.asan-x86_64.so) PYTHONMALLOC=malloc \
            DIFFSPEC_LIBRARY=.build-address/release/libdiffspecc.so PYTHONPATH=python \
            run "${PYTHON:-python3}" -m pytest -q -p no:cacheprovider python/tests
        ;;
    address | undefined | thread)
        build=(-c release --scratch-path ".build-$check" "--sanitize=$check")
        # Swift's compiler has no such sanitizer on Linux (its arithmetic traps by itself); the C it builds does, and traps.
        [ "$check" != undefined ] || build=(-c release --scratch-path .build-undefined -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined)
        run swift build "${build[@]}" --build-tests
        run swift test "${build[@]}" --skip-build --filter "$filter"
        run ".build-$check/release/fuzz" --inputs "$fuzz"
        ;;
    *) echo "error: unknown check $check" >&2; exit 64 ;;
    esac
done
[ $status -eq 0 ] && echo "all clean"
exit $status
