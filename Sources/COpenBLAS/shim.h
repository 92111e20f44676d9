#ifndef DIFFSPEC_COPENBLAS_SHIM_H
#define DIFFSPEC_COPENBLAS_SHIM_H

#include <cblas.h>

#endif
