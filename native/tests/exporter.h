/* What the relocate test's libraries export: each function returns a number of its own. */
#ifndef OUTLIVE_TESTS_EXPORTER_H
#define OUTLIVE_TESTS_EXPORTER_H

int exported(void);
int exported_too(void);
int exported_by_address(void);

#endif
