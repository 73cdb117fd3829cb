/* Which Python line runs in this thread. */
#ifndef OUTLIVE_SITE_H
#define OUTLIVE_SITE_H

#include "samples.h"

/* Fills `site` with the line that the innermost Python frame of this thread runs; file "" and line 0 when
 * there is none or the thread does not hold the GIL. Reads Python's structures, changes none. */
void site_here_nopy(Site *site);

#endif
