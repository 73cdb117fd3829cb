/* What every test here uses: a check that says where and why, and randomness that repeats. */
#ifndef OUTLIVE_TESTS_CHECK_H
#define OUTLIVE_TESTS_CHECK_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, from any thread, unless `condition` holds. The rest is a message as for printf. */
#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                                       \
        }                                                                                                    \
    } while (0)

__attribute__((format(printf, 4, 5), noreturn, unused)) static void
check_failed(const char *file, int line, const char *condition, const char *message, ...)
{
    va_list values;
    va_start(values, message);
    fprintf(stderr, "%s:%d: failed: %s: ", file, line, condition);
    vfprintf(stderr, message, values);
    fputc('\n', stderr);
    va_end(values);
    _Exit(1);
}

/* The next number after `*state` (xorshift64*; a state other than 0). */
__attribute__((unused)) static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* One of 0 .. `end` - 1. */
__attribute__((unused)) static uint64_t random_below(uint64_t *state, uint64_t end)
{
    return (random_next(state) >> 16) % end;
}

/* A number from 1, 2, ... that has nothing to do with those beside it. */
__attribute__((unused)) static uint64_t seed_of(uint64_t number)
{
    uint64_t state = number * UINT64_C(0x9E3779B97F4A7C15);
    random_next(&state);
    return random_next(&state);
}

#endif
