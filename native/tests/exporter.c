#include "exporter.h"

int exported(void)
{
    return 1;
}

int exported_too(void)
{
    return 2;
}

int exported_by_address(void)
{
    return 3;
}
