// A team of threads for short parallel loops: helpers spin for a while after each loop, then sleep.
#include "CKernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#define RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define RELAX() __asm__ volatile("yield")
#else
#define RELAX() ((void)0)
#endif

enum { SPINS_BEFORE_SLEEP = 4000, SPINS_BEFORE_YIELD = 20000 };

typedef struct {
    ds_team *team;
    size_t index;
    pthread_t thread;
} helper;

struct ds_team {
    size_t size;            // the caller and the helpers
    helper *helpers;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    size_t asleep;          // under the lock
    _Atomic(int) stop;

    void (*body)(void *, size_t, size_t);
    void *context;
    size_t units;
    // One word says which loop is running, whether it may still be joined, and how many helpers have joined it. The caller
    // waits for those only: a helper that the system has put aside holds nobody up.
    _Alignas(64) _Atomic(uint64_t) state;
    _Alignas(64) _Atomic(size_t) next;
};

static const uint64_t OPEN = 1u << 31;
static const uint64_t JOINED = OPEN - 1;
static const unsigned LOOP_SHIFT = 32;

static void work(ds_team *team, size_t thread) {
    for (;;) {
        const size_t unit = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
        if (unit >= team->units) return;
        team->body(team->context, unit, thread);
    }
}

/// True if there is a loop to join that is not the one last seen.
static int is_news(uint64_t state, uint64_t seen) { return (state & OPEN) && state >> LOOP_SHIFT != seen; }

static void *help(void *argument) {
    helper *self = argument;
    ds_team *team = self->team;
    uint64_t seen = 0;
    for (;;) {
        size_t spins = 0;
        uint64_t state;
        while (!is_news(state = atomic_load_explicit(&team->state, memory_order_acquire), seen)) {
            if (atomic_load_explicit(&team->stop, memory_order_relaxed)) return 0;
            if (++spins < SPINS_BEFORE_SLEEP) {
                RELAX();
                continue;
            }
            pthread_mutex_lock(&team->lock);
            team->asleep++;
            while (!is_news(atomic_load_explicit(&team->state, memory_order_acquire), seen)
                   && !atomic_load_explicit(&team->stop, memory_order_relaxed)) {
                pthread_cond_wait(&team->wake, &team->lock);
            }
            team->asleep--;
            pthread_mutex_unlock(&team->lock);
        }
        if (!atomic_compare_exchange_strong_explicit(&team->state, &state, state + 1, memory_order_acq_rel,
                                                     memory_order_acquire)) {
            continue;
        }
        seen = state >> LOOP_SHIFT;
        work(team, self->index);
        atomic_fetch_sub_explicit(&team->state, 1, memory_order_release);
    }
}

ds_team *ds_team_create(size_t threads) {
    ds_team *team = 0;
    if (posix_memalign((void **)&team, 64, sizeof *team)) return 0;
    if (threads < 1) threads = 1;
    team->helpers = calloc(threads, sizeof *team->helpers);
    if (!team->helpers) {
        free(team);
        return 0;
    }
    pthread_mutex_init(&team->lock, 0);
    pthread_cond_init(&team->wake, 0);
    team->asleep = 0;
    atomic_init(&team->stop, 0);
    team->units = 0;
    atomic_init(&team->state, 0);
    atomic_init(&team->next, 0);
    team->size = 1;
    while (team->size < threads) {
        helper *h = &team->helpers[team->size - 1];
        h->team = team;
        h->index = team->size;
        if (pthread_create(&h->thread, 0, help, h)) break;
        team->size++;
    }
    return team;
}

void ds_team_destroy(ds_team *team) {
    if (!team) return;
    pthread_mutex_lock(&team->lock);
    atomic_store(&team->stop, 1);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
    for (size_t i = 0; i + 1 < team->size; i++) pthread_join(team->helpers[i].thread, 0);
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->lock);
    free(team->helpers);
    free(team);
}

size_t ds_team_size(const ds_team *team) { return team->size; }

void ds_team_run(ds_team *team, size_t units, void (*body)(void *, size_t, size_t), void *context) {
    if (units <= 1 || team->size <= 1) {
        for (size_t unit = 0; unit < units; unit++) body(context, unit, 0);
        return;
    }
    // Nobody is in a loop now: the last one was closed and left by all.
    const uint64_t state = atomic_load_explicit(&team->state, memory_order_acquire);
    team->body = body;
    team->context = context;
    team->units = units;
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    pthread_mutex_lock(&team->lock);
    atomic_store_explicit(&team->state, ((state >> LOOP_SHIFT) + 1) << LOOP_SHIFT | OPEN, memory_order_release);
    if (team->asleep) pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
    work(team, 0);
    atomic_fetch_and_explicit(&team->state, ~OPEN, memory_order_acq_rel);
    size_t spins = 0;
    while (atomic_load_explicit(&team->state, memory_order_acquire) & JOINED) {
        if (++spins < SPINS_BEFORE_YIELD) RELAX(); else sched_yield();
    }
}
