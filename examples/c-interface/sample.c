/* A network of your own, sampled from C: here one that knows its data, the point (3, -2), in closed form.
 *
 *   swift build -c release --product diffspecc
 *   cc -I Sources/CInterface examples/c-interface/sample.c -L .build/release -ldiffspecc -lm -Wl,-rpath,.build/release */
#include "diffspec.h"
#include <math.h>
#include <stdio.h>

/* The noise in `rows` states at once: e = (y - cos(pi t/2) x0) / sin(pi t/2), by the cosine schedule. */
static int32_t predict(void *calls, int64_t rows, int64_t dimension, const float *states, const double *times,
                       const int64_t *sample, const int32_t *step, float *answers) {
    const double data[] = {3, -2};
    (void)sample, (void)step;
    ++*(int *)calls;
    for (int64_t i = 0; i < rows * dimension; ++i) {
        double angle = acos(-1) / 2 * times[i / dimension];
        answers[i] = (float)((states[i] - cos(angle) * data[i % dimension]) / sin(angle));
    }
    return 0;
}

int main(void) {
    const char *recipe = "{\"shape\": [2], \"steps\": 40, \"window\": 10, \"count\": 4, \"prediction\": \"epsilon\"}";
    char *error = NULL;
    int calls = 0;
    float samples[4][2];
    diffspec_sampler *sampler = diffspec_sampler_create(recipe, predict, &calls, NULL, NULL, NULL, &error);
    if (!sampler || diffspec_sampler_run(sampler, &error) != DIFFSPEC_FINISHED
        || diffspec_sampler_samples(sampler, samples[0], &error) != DIFFSPEC_FINISHED) {
        fprintf(stderr, "%s\n", error ? error : "stopped");
        diffspec_free(error);
        diffspec_sampler_destroy(sampler);
        return 1;
    }
    for (int i = 0; i < 4; ++i) printf("sample %d: (%.3f, %.3f)\n", i, samples[i][0], samples[i][1]);
    printf("%d calls for 40 steps\n", calls);
    diffspec_sampler_destroy(sampler);
}
