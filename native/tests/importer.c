/* A library with import slots of both kinds, and a variable that begins as an imported function. */
#include "exporter.h"

int written; /* beside the slots; must stay writable */
int (*variable)(void) = exported;

int call(void);
int call_too(void);
int (*address(void))(void);
void write_beside(void);

/* Through a slot for functions. */
int call(void)
{
    return exported();
}

int call_too(void)
{
    return exported_too();
}

/* Through a slot for data. */
int (*address(void))(void)
{
    return exported_by_address;
}

void write_beside(void)
{
    written++;
}
