#ifndef DIFFSPEC_CGLPK_SHIM_H
#define DIFFSPEC_CGLPK_SHIM_H

#include <glpk.h>

#endif
