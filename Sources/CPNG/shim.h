#ifndef DIFFSPEC_CPNG_SHIM_H
#define DIFFSPEC_CPNG_SHIM_H

#include <png.h>
#include <string.h>

#endif
