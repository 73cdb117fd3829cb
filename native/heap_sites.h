/* Which objects of a walked heap the sampler knows, and by which line they were made. */
#ifndef OUTLIVE_HEAP_SITES_H
#define OUTLIVE_HEAP_SITES_H

/* Fills `sites` and `samples`, from the samples that are alive as the process was forked; nothing if none are
 * taken. After the walk. */
void heap_sites(void);

#endif
