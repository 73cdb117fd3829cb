/* Scopes, units of work with a name, and their runs: which of them a sampled block was made in.
 *
 * A run is known by its id, which whoever runs it carries along (in Python, a context variable): its number
 * among the runs of its scope, the scope's row, and the place where it is kept while it is open. Rows and
 * open runs lie in the recording, so that a reader can tell whether the run that made a block has ended.
 *
 * A row with labels has a base row, without: the base numbers the runs of all. All that takes no lock needs
 * the sampler's.
 */
#ifndef OUTLIVE_SCOPES_H
#define OUTLIVE_SCOPES_H

#include <stdbool.h>
#include <stdint.h>

#include "recording.h"

enum { SCOPE_NONE = 0, SCOPE_OTHERS = 1, SCOPE_SETTLED = 3 };

/* Where a sample belongs. */
typedef struct {
    uint32_t scope, run; /* row and number; both 0 outside of any run */
} RunOf;

/* Begins with no scope but SCOPE_OTHERS, in a new region with this many slots. False without memory. */
bool scopes_start(uint64_t slots);

/* Gives all private memory back. */
void scopes_clear(void);

/* The row of another scope of this name (UTF-8; cut if longer), base 0 for one without labels; the base, or
 * SCOPE_OTHERS, when there is no room; SCOPE_NONE while nothing is recorded. Takes the lock. */
uint32_t scopes_add(const char *name, uint32_t base);

/* Begins a run in a row; its id, or 0 while nothing is recorded. Takes the lock. */
uint64_t scopes_begin(uint32_t scope);

/* Ends a run. If `scope` is not SCOPE_NONE, it has turned out to be of that row: it takes another number
 * there, and what it made goes along. Does nothing with a run that ended, or is of another recording. Takes
 * the lock. */
void scopes_end(uint64_t id, uint32_t scope);

/* Of an id: it is said where no task runs, as in a callback of an event loop. That of a connection says the
 * run in which that was opened, long after its end, and makes what other runs wait for. */
#define RUN_IN_CALLBACK (1ULL << 63)

/* A task of this thread's event loop began the run with this id: callbacks may work for it. */
void scopes_begun_in_task(uint64_t id);

/* The run, by its id, that makes what the run of this id does: another where RUN_IN_CALLBACK is in it, and
 * the run has ended, and another one is open that a task here began: of the last few the newest. */
uint64_t scopes_maker_nopy(uint64_t id);

/* Where what the run with this id makes now belongs, also after its end. */
RunOf scopes_run_nopy(uint64_t id);

/* A sample dies: adds it to its stack's late deaths if its run has ended, and SCOPE_SETTLED more have begun
 * since. */
void scopes_death_nopy(const RecordedSample *slot);

/* A sample was taken, in the run of this id: adds what it stands for to its scope's bytes. */
void scopes_born_nopy(const RecordedSample *slot, uint64_t id);

/* A slot is given up, and will be another's: takes off again what its sample stands for, if it has one. */
void scopes_gone_nopy(const RecordedSample *slot);

/* Adds what a sample stands for to its scope's bytes, or takes it off (sign -1), where its size changes. */
void scopes_sample_nopy(const RecordedSample *slot, double sign);

#endif
