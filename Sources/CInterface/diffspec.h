/* diffspec: exact sampling of diffusion models in fewer sequential network calls. The library's functions for C and for
 * whatever calls C.
 *
 * You give a recipe (JSON) and a function that evaluates your network on a batch of rows; the samples have the law of
 * plain, step-by-step sampling. Function pointers and contexts must stay valid until the sampler is destroyed.
 *
 * Functions that can fail take `char **error` (may be NULL): on failure it receives a text, to be given back to
 * diffspec_free. One sampler is run by one thread at a time; different samplers may run at once. */
#ifndef DIFFSPEC_H
#define DIFFSPEC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Evaluates the network on all rows, in one call.
 *   states   [rows, dimension]  noisy states
 *   times    [rows]             noise time times the recipe's time_scale; the training timestep for a diffusers scheduler
 *   sample   [rows]             which sample a row belongs to; with guidance, rows without a condition have -1 - sample
 *   step     [rows]             the chain's step, from 0
 *   answers  [rows, dimension]  to be written: what the network predicts
 * Rows must not influence each other. Returns 0; anything else ends the run (DIFFSPEC_STOPPED). */
typedef int32_t (*diffspec_predict)(void *context, int64_t rows, int64_t dimension, const float *states,
                                    const double *times, const int64_t *sample, const int32_t *step, float *answers);

typedef void diffspec_sampler;
typedef void diffspec_model;

enum {
    DIFFSPEC_FINISHED = 0,
    DIFFSPEC_UNFINISHED = 1,
    DIFFSPEC_FAILED = -1,
    DIFFSPEC_STOPPED = -2,  /* the network's function returned something else than 0 */
    DIFFSPEC_CANCELLED = -3
};

char *diffspec_version(void);
void diffspec_free(void *text);

/* The recipe's keys, all but shape optional:
 *   shape             [3, 32, 32]: the lengths of one sample
 *   schedule          "cosine" (default), "flow", "vp-linear" (with beta_min, beta_max) or "ve" (exploding, with
 *                     sigma_max); time_scale (1): the network is told so many times the noise time
 *   scheduler         in its place: a diffusers scheduler's configuration, an object
 *   coefficients      in its place: {times, state, prediction, deviation: [K numbers each], initial_deviation}, the chain
 *                     y <- state[k] y + prediction[k] network(y) + deviation[k] noise
 *   langevin          in its place: {step_size}; the network is the gradient of an energy
 *   prediction        what the network predicts: "epsilon" (default), "sample", "velocity", "v_prediction" or "score"
 *   chain             "sde" (default), "exponential", or "ddpm" or "ddim" (with eta, 0 … 1), ancestral steps, for a
 *                     scheduler with betas; training_spacing
 *   spacing           "uniform", "edm" (with rho), "logarithmic", "ays-sd15", "ays-sdxl" or "ays-svd"
 *   times             in place of spacing and steps: {"times": [...]}, {"sigmas": [...]} or {"timesteps": [...]}, descending
 *   steps (100), churn (0.25), denoise_last_step, guidance (0), bounds [low, high] of x0
 *   draft ("recycled", "none" for plain sampling; as the command line's --draft), window (20, "adaptive" or "auto"),
 *   rule ("reflection"), fallback (true)
 *   seed (0) or seeds, one for each sample; count (1), first (0: the first sample's number), batch (at most 256: samples under way at a time)
 *   classes           of a model folder: names or labels, in turn
 *   name              for the report
 * A key that has no effect beside the others is refused.
 * draft_predict is the smaller network of the drafts "independent" and "assisted"; NULL for none.
 * initial_states [count, dimension] are where the chains start; NULL for noise. They are copied. */
diffspec_sampler *diffspec_sampler_create(const char *recipe, diffspec_predict predict, void *context,
                                          diffspec_predict draft_predict, void *draft_context,
                                          const float *initial_states, char **error);
/* One round: DIFFSPEC_UNFINISHED if there is more to do. After a failure the same round can be tried again. */
int32_t diffspec_sampler_step(diffspec_sampler *sampler, char **error);
/* All rounds. */
int32_t diffspec_sampler_run(diffspec_sampler *sampler, char **error);
/* From any thread: the run ends before or after the next call of the network. */
void diffspec_sampler_cancel(diffspec_sampler *sampler);
/* Finished samples, and the steps decided of all; each pointer may be NULL. Between rounds. */
int32_t diffspec_sampler_progress(diffspec_sampler *sampler, int64_t *finished, int64_t *steps, char **error);
/* All samples of a finished run, [count, dimension]. */
int32_t diffspec_sampler_samples(diffspec_sampler *sampler, float *values, char **error);
/* What the finished samples cost, JSON, as `diffspec sample --report` writes it; for diffspec_free. */
char *diffspec_sampler_report(diffspec_sampler *sampler, char **error);
void diffspec_sampler_destroy(diffspec_sampler *sampler);

/* The standard normals that a sample's step adds, or, for step -1, its first state: for tests against other loops. */
void diffspec_noise(uint64_t seed, int64_t sample, int32_t step, int64_t count, double *values);

/* Verifies the drafted tokens of a language model's decoder: which token comes out, by a rule of several drafts. A function of
 * its arguments alone. The recipe's keys, all optional:
 *   rule              "specinfer" (default), "naive", "kseq", "importance", "importance-truncated", "importance-vocabulary", "hybrid",
 *                     "greedy", "global-resolution", "max-flow", "canonical", "lp"
 *   draft_scheme      "independent" (default), "without-replacement", or "greedy" (the likeliest tokens but the last, which is drawn from
 *                     the others): how the tokens were drafted from one law
 *   temperature (1), top_k, top_p, min_p   what is made of the logits, target's and drafts' alike, in the order of transformers
 *   tolerance, free_tokens, likeliest      as `diffspec couple` has them
 * target [vocabulary] and draft [laws, vocabulary] are logits; laws is 1, if one law drew all the drafts, or `drafts`. drafted
 * [drafts] are the tokens that were drawn from the drafts' laws (after temperature and truncation). *token becomes the token that comes
 * out, *taken which of the drafts it is, or -1, *exact whether it has the target's law; each may be NULL. Returns
 * DIFFSPEC_FINISHED or DIFFSPEC_FAILED. */
int32_t diffspec_couple(const char *recipe, int64_t vocabulary, const float *target, int64_t drafts, int64_t laws,
                        const float *draft, const int64_t *drafted, uint64_t seed, int64_t position, int64_t *token,
                        int64_t *taken, int32_t *exact, char **error);

/* A model folder of pictures, run by this library's own network. */
diffspec_model *diffspec_model_open(const char *folder, char **error);
/* JSON: name, shape, range, classes, class_count, null_class, schedule, prediction, parameters. */
char *diffspec_model_describe(diffspec_model *model, char **error);
/* One call of the network: times are noise times, a negative label is "no class", labels may be NULL. */
int32_t diffspec_model_predict(diffspec_model *model, int64_t rows, const float *states, const double *times,
                               const int64_t *labels, int32_t threads, float *answers, char **error);
/* Samples it, with what its folder holds for drafts. threads 0: all cores. */
diffspec_sampler *diffspec_model_sampler(diffspec_model *model, const char *recipe, int32_t threads, char **error);
void diffspec_model_close(diffspec_model *model);

#ifdef __cplusplus
}
#endif
#endif
